"""A bare TCP peer for the end-to-end scripts: sends bytes, reads JSON objects, one a line."""
import json
import os
import socket
import sys


class Peer:
    def __init__(self, address=None):
        host, port = (address or os.environ["address"]).rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""
        self.greeting = self.read()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def read(self):
        """The next object; None when the peer closed."""
        while b"\n" not in self.unread:
            more = self.socket.recv(1 << 16)
            if not more:
                return None
            self.unread += more
        line, self.unread = self.unread.split(b"\n", 1)
        return json.loads(line)

    def ask(self, data):
        self.send(data)
        return self.answer()

    def answer(self):
        """The next object that is not how far a task is."""
        got = self.read()
        while got and got["message_type"] == "progress":
            got = self.read()
        return got


def task(task_id, name="echo", content=1, **fields):
    return json.dumps({"message_type": "task", "task_id": task_id, "task_name": name,
                       "content": content, **fields})


def check(condition, *what):
    if not condition:
        print("FAILED:", *what, file=sys.stderr)
        sys.exit(1)
