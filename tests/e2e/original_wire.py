"""How a program of the original system reads and writes, with the weaknesses that protocol.md
part 2 lists: braces are counted inside strings too, only ASCII is decoded, an object that a chunk
splits is lost with the rest of that chunk, and whatever fails closes the connection it came by."""
import asyncio
import json
import re
import socket
import sys

CLASSES = ("light", "medium", "heavy")
LONGEST_TASK = 1400
NUMBER = (int, float)
RESULT_FIELDS = {"task_id": int, "content": object, "execution_time": NUMBER, "task_type": str,
                 "time_requirement": NUMBER, "sending_time": NUMBER, "distribution_time": NUMBER,
                 "offload_times": int, "process_by": str}
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
violations = 0


def violation(*what):
    """Something came that must never be sent to an original peer."""
    global violations
    violations += 1
    print("VIOLATION:", *what, file=sys.stderr, flush=True)


def say(*what):
    """An event that a script may wait for."""
    print(*what, flush=True)


def split_objects(text):
    """The objects in a chunk, and what is left of it: lost."""
    objects, depth, begin, end = [], 0, 0, 0
    for at, letter in enumerate(text):
        if letter == "{":
            begin = at if depth == 0 else begin
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                end = at + 1
                objects.append(text[begin:end])
    return objects, text[end:]


def parse_address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


class Link(asyncio.BufferedProtocol):
    """A TCP connection of a role, which is told of it by on_link, on_message and on_close."""

    def __init__(self, role, is_cloud=False, chunk=1 << 16):
        self.role = role
        self.is_cloud = is_cloud
        self.buffer = bytearray(chunk)
        self.is_open = False
        self.delay = None  # of a neighbour, from its fog_ready_ack
        self.task_time = None  # ... from its last state

    def connection_made(self, transport):
        self.transport = transport
        self.address = transport.get_extra_info("peername")[0]
        self.own_address = transport.get_extra_info("sockname")[0]
        self.is_open = True
        self.role.on_link(self)

    def connection_lost(self, error):
        self.is_open = False
        self.role.on_close(self)

    def get_buffer(self, size_hint):
        return self.buffer

    def buffer_updated(self, count):
        try:
            self.read(bytes(self.buffer[:count]))
        except Exception as error:
            violation("the original fails on what came from", self.address, repr(error))
            self.transport.close()

    def read(self, chunk):
        try:
            text = chunk.decode("ascii")
        except UnicodeDecodeError:
            violation("a byte that is not ASCII:", chunk)
            raise
        if any("{" in string or "}" in string for string in STRING.findall(text)):
            violation("a brace inside a string:", text)
        objects, rest = split_objects(text)
        if rest.strip():
            violation("an object that does not end in its chunk of", len(text), "bytes:", rest)
        for item in objects:
            message = json.loads(item)
            if message.get("message_type") == "task" and len(item) > LONGEST_TASK:
                violation("a task of", len(item), "bytes:", item)
            self.role.on_message(self, message)

    def send(self, message):
        if self.is_open:
            self.transport.write(json.dumps(message).encode("ascii"))


def expect_integer_id(message):
    try:
        "%d" % message["task_id"]
    except TypeError:
        violation("a task_id that is no number:", message)
        raise


def check_result(result, has_more=True):
    """The original fails on a result that lacks a field, or in which one has another type."""
    for field, kind in RESULT_FIELDS.items():
        value = result.get(field)
        if field not in result or not isinstance(value, kind) or (kind != object and value is True):
            violation("a result whose", field, "is missing or of another type:", result)
            raise KeyError(field)
    added = set(result) - set(RESULT_FIELDS) - {"message_type", "error"}
    if added and not has_more:
        violation("a result with added fields, for a task without:", result)


class Multicast(asyncio.DatagramProtocol):
    """What a role says to the group, and hears from it by its on_multicast."""

    def __init__(self, role, group, interface):
        self.role = role
        self.group = parse_address(group)
        interface = socket.inet_aton(interface)  # one's own address on it, or 0.0.0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", self.group[1]))
        ip = socket.IPPROTO_IP
        self.socket.setsockopt(ip, socket.IP_MULTICAST_TTL, 5)
        self.socket.setsockopt(ip, socket.IP_MULTICAST_IF, interface)
        self.socket.setsockopt(ip, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton(self.group[0]) + interface)

    async def open(self):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=self.socket)

    def datagram_received(self, data, source):
        try:
            self.role.on_multicast(json.loads(data.decode("ascii")), source[0])
        except (KeyError, ValueError) as error:
            violation("a datagram that cannot be read:", data, repr(error))

    def send(self, message):
        self.transport.sendto(json.dumps(message).encode("ascii"), self.group)
