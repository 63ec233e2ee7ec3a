"""A bare peer that looks like one of the original system and keeps every byte that it is sent, and
a node of fogctl to try it on, for original_rules.py."""
import collections
import json
import select
import socket
import subprocess
import sys
import threading
import time

from peer import Peer

CAP = 30  # s, for whatever is waited for
HEARTBEAT = 0.5  # s, between the states of a recorder that is a neighbour

Record = collections.namedtuple("Record", "at text message")


class Failed(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Failed(" ".join(map(str, what)))


def wait_until(condition, what):
    end = time.monotonic() + CAP
    while not condition():
        check(time.monotonic() < end, f"waited {CAP} s for", what)
        time.sleep(0.01)


class Recorder:
    """One end of a connection. Unless told, it says nothing but fog_ready_ack."""
    opened = []

    def __init__(self, connection):
        Recorder.opened.append(self)
        self.socket = connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.own_address = connection.getsockname()[0]
        self.peer_address = connection.getpeername()[0]
        self.is_neighbour = False
        self.records = []
        self.unread = ""
        self.is_closed = False  # by the node
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    @classmethod
    def dial(cls, address, own="127.0.0.2"):
        host, port = address.rsplit(":", 1)
        return cls(socket.create_connection((host, int(port)), CAP, (own, 0)))

    @classmethod
    def close_all(cls):
        for peer in cls.opened:
            peer.is_neighbour = False
            peer.socket.close()
            peer.reader.join()
        cls.opened = []

    def read(self):
        next_state = 0
        while True:
            try:
                if self.is_neighbour and time.monotonic() >= next_state:
                    next_state = time.monotonic() + HEARTBEAT
                    self.send({"message_type": "state", "task_time": 0})
                if not select.select([self.socket], [], [], 0.05)[0]:
                    continue
                chunk = self.socket.recv(1 << 16)
            except (OSError, ValueError):
                chunk = b""
            if not chunk:
                self.is_closed = True
                return
            self.keep(chunk.decode("latin-1"))

    def keep(self, text):
        """Latin-1, so that whatever came can be looked at."""
        now, decoder = time.monotonic(), json.JSONDecoder(strict=False)
        self.unread = (self.unread + text).lstrip()
        while self.unread:
            try:
                message, end = decoder.raw_decode(self.unread)
            except ValueError:
                return
            self.records.append(Record(now, self.unread[:end], message))
            self.unread = self.unread[end:].lstrip()
            if message.get("message_type") == "fog_ready":
                self.send({"message_type": "fog_ready_ack", "send_time": message["send_time"]})

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode("ascii"))

    def all(self, kind):
        return [one for one in self.records if one.message.get("message_type") == kind]

    def wait(self, kind, count=1):
        """The newest of so many."""
        wait_until(lambda: len(self.all(kind)) >= count, f"{count} {kind}, got {self.records}")
        return self.all(kind)[count - 1].message

    def say_ready(self):
        self.send({"message_type": "fog_ready", "send_time": time.time()})
        self.wait("fog_ready_ack")

    def join(self):
        """Is a neighbour that waits for nothing, from when this returns."""
        self.say_ready()
        self.wait("fog_ready")
        self.is_neighbour = True
        self.send({"message_type": "state", "task_time": 0})
        self.send(original_task(77, "echo"))  # its answer comes after the state was read
        self.wait("result")
        return self

    def answer(self, task, **fields):
        copied = ("task_id", "task_type", "time_requirement", "sending_time", "distribution_time",
                  "offload_times", "process_by")
        self.send({"message_type": "result", "content": 3, "execution_time": 0.001}
                  | {field: task[field] for field in copied} | fields)


def original_task(task_id, name="light", **fields):
    """As a client of the original sends it; fields may be changed, or left out with None."""
    task = {"message_type": "task", "task_id": task_id, "task_type": "light", "task_name": name,
            "content": 1, "cloud_processing": False, "offload_times": 0, "offloading_fog": [],
            "max_offload": 4, "time_requirement": 10000, "estimated_queuing_time": 0,
            "queuing_time": 0, "estimated_execution_time": 0, "execution_time": 0,
            "distribution_time": 0, "sending_time": time.time(), "process_by": "f"}
    return task | fields


class Node:
    """A fog or cloud of fogctl, on the memory queue. One of its two workers is kept busy, so that
    a task that may not wait goes to a neighbour, and what stays is run by the other."""
    started = []

    def __init__(self, *arguments, is_busy=True, busy_for=1000):
        self.process = subprocess.Popen(
            [sys.argv[1], *arguments, "--queue-backend", "memory", "--workers", "2"],
            stdout=subprocess.PIPE, text=True)
        Node.started.append(self)
        self.address = self.process.stdout.readline().split()[-1]
        if is_busy:
            self.blocker = Peer(self.address)
            self.blocker.ask(sleep_task(0.2))  # now it knows how long these take
            self.blocker.send(sleep_task(busy_for))

    def client(self):
        return Peer(self.address)

    def report(self):
        """What fogctl nodes says of it."""
        return json.loads(subprocess.check_output(
            [sys.argv[1], "nodes", "--connect", self.address, "--json"], timeout=CAP))

    @classmethod
    def stop_all(cls, but=None):
        for node in cls.started:
            if node is not but:
                node.process.kill()
                node.process.wait()
        cls.started = [but] if but else []


def sleep_task(length):
    return json.dumps(original_task(1, "sleep", content=length, task_type="heavy"))


def urgent(task_id, name="light", **fields):
    """A task that must not wait, as text."""
    return json.dumps(original_task(task_id, name, **({"time_requirement": 0} | fields)))
