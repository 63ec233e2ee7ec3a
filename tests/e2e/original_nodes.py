"""The nodes of the original system, to the letter of protocol.md part 1: a fog node and a cloud.
They compute nothing: a task takes as long as was set, one after the other, and its result is 3."""
import asyncio
import socket
import time

from original_wire import (CLASSES, RESULT_FIELDS, Link, Multicast, check_result,
                           expect_integer_id, parse_address, say, violation)

NOBODY = 1_000_000
COPIED = ("task_id", "task_type", "time_requirement", "sending_time", "distribution_time",
          "offload_times", "process_by")


class Worker:
    """The one Celery worker, and what its node counts and learns of it."""

    def __init__(self, times, on_result):
        self.times = times  # of each task_name that it knows
        self.on_result = on_result
        self.free_at = 0.0
        self.counts = dict.fromkeys(CLASSES, 0)  # queued or running
        self.past = {name: [] for name in CLASSES}  # execution times, the newest first

    def estimate(self, task_type):
        past = self.past[task_type]
        weights = {0: (), 1: (1,), 2: (0.7, 0.3)}.get(len(past), (0.5, 0.3, 0.2))
        return sum(weight * length for weight, length in zip(weights, past))

    def waiting_time(self):
        return sum(count * self.estimate(name) for name, count in self.counts.items())

    def run(self, task):
        if task["task_name"] not in self.times:
            return  # Celery prints a traceback, and nobody is answered
        length = self.times[task["task_name"]]
        loop = asyncio.get_running_loop()
        self.free_at = max(self.free_at, loop.time()) + length
        self.counts[task["task_type"]] += 1
        loop.call_at(self.free_at, self.finish, task, length)

    def finish(self, task, length):
        name = task["task_type"]
        self.counts[name] -= 1
        self.past[name] = [length, *self.past[name]][:3]
        say("ran", task["task_name"], task["task_id"])
        result = {"message_type": "result", "content": 3, "execution_time": length}
        self.on_result(result | {field: task[field] for field in COPIED})


def address_of_default_route():
    """How the original learns its own address; with no default route it does not start."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("8.8.8.8", 80))
        return probe.getsockname()[0]


class Fog:
    """A fog node of the original."""

    def __init__(self, options):
        self.options = options
        self.neighbours = []  # a link, each time that its fog_ready came; for ever
        self.cloud = None
        self.waiting = {}  # task_id alone -> the link that its task came by
        self.worker = Worker(options.time, self.give_back)
        self.dialling = set()

    async def start(self):
        loop = asyncio.get_running_loop()
        host, port = parse_address(self.options.listen)
        self.own_address = address_of_default_route() if host == "0.0.0.0" else host
        server = await loop.create_server(lambda: Link(self), host, port)
        self.port = server.sockets[0].getsockname()[1]
        say(f"listening on {host}:{self.port}")
        if self.options.cloud and not self.options.no_cloud:
            await self.connect_to_cloud(loop)
        self.multicast = Multicast(self, self.options.multicast, self.options.interface or host)
        await self.multicast.open()
        self.multicast.send({"message_type": "fog_hello", "tcp_port": self.port})
        for address in self.options.peer:
            self.dial(*parse_address(address))
        self.share()

    async def connect_to_cloud(self, loop):
        """Once: a cloud that is not there now, or goes, is never tried again."""
        try:
            _, self.cloud = await loop.create_connection(
                lambda: Link(self, is_cloud=True), *parse_address(self.options.cloud))
            say("cloud", self.options.cloud)
        except OSError as error:
            say("no cloud:", error)

    def dial(self, host, port):
        task = asyncio.ensure_future(self.connect(host, port))
        self.dialling.add(task)
        task.add_done_callback(self.dialling.discard)

    async def connect(self, host, port):
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: Link(self), host, port, local_addr=(self.own_address, 0))
        except OSError as error:
            say("cannot connect to", host, port, error)

    def on_multicast(self, message, address):
        kind = message["message_type"]
        if kind == "fog_hello":
            if (address, message["tcp_port"]) != (self.own_address, self.port):
                self.dial(address, message["tcp_port"])
        elif kind == "endpoint_hello":
            self.multicast.send({"message_type": "fog_ack", "tcp_port": self.port})

    def share(self):
        state = {"message_type": "state", "task_time": self.worker.waiting_time()}
        for link in self.neighbours:
            link.send(state)
        asyncio.get_running_loop().call_later(1, self.share)

    def on_link(self, link):
        if not link.is_cloud:
            link.send({"message_type": "fog_ready", "send_time": time.time()})

    def on_close(self, link):
        say("cloud gone" if link.is_cloud else "closed", link.address)
        if link is self.cloud:
            self.cloud = None

    def on_message(self, link, message):
        kind = message["message_type"]
        if kind in ("fog_ready", "fog_ready_ack", "state", "task", "result"):
            getattr(self, "on_" + kind)(link, message)
        else:
            say("ignored", kind, link.address)

    def on_fog_ready(self, link, message):
        if link in self.neighbours:
            violation("a second fog_ready over one connection, from", link.address)
        self.neighbours.append(link)
        link.send({"message_type": "fog_ready_ack", "send_time": message["send_time"]})
        say("neighbour", link.address)

    def on_fog_ready_ack(self, link, message):
        link.delay = time.time() - message["send_time"]

    def on_state(self, link, message):
        if link.delay is None:
            violation("a state before the fog_ready_ack, from", link.address)
        if link.task_time != message["task_time"]:
            say("state", link.address, message["task_time"])
        link.task_time = message["task_time"]

    def best_neighbour(self, task):
        """F, and whose it is. A state on a link that has no delay is the end of every task."""
        reports = [(link.task_time + link.delay, at) for at, link in enumerate(self.neighbours)
                   if link.task_time is not None and link.address not in task["offloading_fog"]]
        best, at = min(reports, default=(NOBODY, None))
        return best, self.neighbours[at] if at is not None else None

    def on_task(self, link, task):
        expect_integer_id(task)
        if link in self.neighbours and task["task_name"] not in CLASSES:
            violation("a task that nobody here knows:", task)
        if link in self.neighbours and task["task_id"] in self.waiting:
            violation("a task_id that is in use on another connection:", task)
        self.waiting[task["task_id"]] = link
        task["distribution_time"] = time.time()
        task["estimated_queuing_time"] = self.worker.waiting_time()
        task["estimated_execution_time"] = self.worker.estimate(task["task_type"])
        site, neighbour = self.place(task)
        if site == "fog":
            task["offload_times"] += 1
            task["offloading_fog"].append(link.own_address)
            task["process_by"] = "fog"
            say("handed on", task["task_name"], task["task_id"], "to", neighbour.address)
            neighbour.send(task)
        elif site == "cloud":
            task["process_by"] = "cloud"
            say("uploaded", task["task_name"], task["task_id"])
            self.cloud.send(task)
        else:
            if task["offload_times"] == 0:
                task["process_by"] = "local"
            self.worker.run(task)

    def place(self, task):
        """The original placement rule: "here", "cloud" or "fog", and then which neighbour."""
        waiting, requirement = self.worker.waiting_time(), task["time_requirement"]
        best, neighbour = self.best_neighbour(task)
        cloud_if_heavy = "cloud" if self.cloud and task["task_type"] == "heavy" else "here"
        if self.cloud and task["cloud_processing"]:
            return "cloud", None
        if self.options.no_fog:
            return cloud_if_heavy if waiting >= requirement else "here", None
        if waiting <= requirement:
            return "here", None
        if task["offload_times"] >= task["max_offload"] or waiting <= best:
            return cloud_if_heavy, None
        return "fog", neighbour

    def on_result(self, link, result):
        """Of a neighbour, or the cloud."""
        if result["task_id"] not in self.waiting:
            violation("a result for an unknown task_id, from", link.address, result)
        check_result(result)
        self.give_back(result)

    def give_back(self, result):
        link = self.waiting.pop(result["task_id"])
        link.send({"message_type": "result"} | {field: result[field] for field in RESULT_FIELDS})


class Cloud:
    """The original cloud: it takes whatever comes for a task."""

    def __init__(self, options):
        self.options = options
        self.waiting = {}
        self.worker = Worker(options.time, self.give_back)

    async def start(self):
        host, port = parse_address(self.options.listen)
        server = await asyncio.get_running_loop().create_server(lambda: Link(self), host, port)
        say(f"listening on {host}:{server.sockets[0].getsockname()[1]}")

    def on_link(self, link):
        say("connected", link.address)

    def on_close(self, link):
        say("closed", link.address)

    def on_message(self, link, message):
        if "task_name" not in message:
            violation("the cloud was sent more than tasks:", message)
        if message["task_name"] not in CLASSES:
            violation("a task that the cloud does not know:", message)
        expect_integer_id(message)
        self.waiting[message["task_id"]] = link
        self.worker.run(message)

    def give_back(self, result):
        self.waiting.pop(result["task_id"]).send(result)
