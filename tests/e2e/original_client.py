"""The clients of the original system: the phone's, with its fixed rates, and the older client.py,
which finds its fog node by multicast and works in a closed loop."""
import asyncio
import time

from original_wire import (CLASSES, Link, Multicast, check_result, parse_address, say, violation)


class Client:
    """What both do: send tasks, take the results, report."""

    requirements = {"light": 0.2, "medium": 2, "heavy": 5}

    def __init__(self, options):
        self.options = options
        self.next_ids = {"light": 1, "medium": 5000, "heavy": 10000}
        self.unanswered = {}
        self.delays = {name: [] for name in CLASSES}
        self.in_time = dict.fromkeys(CLASSES, 0)
        self.lost_node = asyncio.get_running_loop().create_future()
        self.is_greeted = False

    async def connect(self, address):
        _, self.link = await asyncio.get_running_loop().create_connection(
            lambda: Link(self, chunk=1024), *parse_address(address))

    def on_link(self, link):
        pass

    def on_close(self, link):
        self.lost_node.set_result(None)

    def on_message(self, link, message):
        if message["message_type"] == "fog_ready" and not self.is_greeted:
            self.is_greeted = True
            self.on_ready()
        elif message["message_type"] == "result":
            self.on_result(message)
        else:
            violation("a client was sent:", message)

    def on_ready(self):
        pass

    def send_task(self, name):
        task_id = self.next_ids[name]
        self.next_ids[name] += 1
        self.unanswered[task_id] = now = time.time()
        self.link.send({
            "message_type": "task", "task_id": task_id, "task_type": name, "task_name": name,
            "content": 1, "cloud_processing": name == "heavy", "offload_times": 0,
            "offloading_fog": [], "max_offload": 4, "time_requirement": self.requirements[name],
            "estimated_queuing_time": 0, "queuing_time": 0, "estimated_execution_time": 0,
            "execution_time": 0, "distribution_time": 0, "sending_time": now, "process_by": "f"})

    def on_result(self, result):
        check_result(result, has_more=False)
        if result["task_id"] not in self.unanswered:
            violation("answered twice, or never asked:", result)
            return
        delay = time.time() - self.unanswered.pop(result["task_id"])
        name = result["task_type"]
        self.delays[name].append(delay)
        self.in_time[name] += delay - result["execution_time"] <= result["time_requirement"]

    async def run(self):
        """True: every task was answered."""
        work = asyncio.ensure_future(self.work())
        await asyncio.wait((work, self.lost_node), return_when=asyncio.FIRST_COMPLETED)
        is_done = work.done() and not work.exception()
        if not is_done:
            say("failed:", work.exception() if work.done() else "the node closed the connection")
        for name in CLASSES:
            count = len(self.delays[name])
            if count > 0:
                say(name, "number", count, "average", round(sum(self.delays[name]) / count, 6),
                    "in_time", round(self.in_time[name] / count, 4))
        say("unanswered", len(self.unanswered))
        return is_done and not self.unanswered


class Phone(Client):
    """client_for_phone.py: each class at its rate, whatever the answers."""

    async def work(self):
        await self.connect(self.options.connect)
        await asyncio.gather(*(self.send_all(name, per_minute)
                               for name, per_minute in self.options.rates.items()))
        while self.unanswered:
            await asyncio.sleep(0.01)

    async def send_all(self, name, per_minute):
        for _ in range(round(self.options.duration * per_minute / 60)):
            self.send_task(name)
            await asyncio.sleep(60 / per_minute)


class ClosedLoop(Client):
    """client.py: sends a task on fog_ready and the next on each result, to the first node found."""

    async def work(self):
        self.is_complete = asyncio.get_running_loop().create_future()
        await self.connect(self.options.connect or await self.find_node())
        await self.is_complete

    async def find_node(self):
        self.found = asyncio.get_running_loop().create_future()
        interface = self.options.interface or "0.0.0.0"
        self.multicast = Multicast(self, self.options.multicast, interface)
        await self.multicast.open()
        self.multicast.send({"message_type": "endpoint_hello"})
        return await self.found

    def on_multicast(self, message, address):
        """The first that answers is taken."""
        if message["message_type"] == "fog_ack" and not self.found.done():
            self.found.set_result(f"{address}:{message['tcp_port']}")
            say("found", self.found.result())

    def on_ready(self):
        self.send_task(self.options.task)

    def on_result(self, result):
        super().on_result(result)
        if len(self.delays[self.options.task]) < self.options.count:
            self.send_task(self.options.task)
        elif not self.is_complete.done():
            self.is_complete.set_result(None)
