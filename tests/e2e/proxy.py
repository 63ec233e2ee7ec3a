"""A slow or broken link: a TCP proxy that delays what it passes on, each way, and holds a direction
up on command. Lines read from a named pipe say so: "stall in" (towards the one that dialled),
"stall out", "stall both", "flow" (what was held up goes on), "break" (closes every connection).
Usage: proxy.py --listen ADDRESS:PORT --to ADDRESS:PORT [--delay SECONDS] [--commands PIPE]
       [--rate BYTES]: that it passes on in a second, each way; then it holds little itself"""
import argparse
import asyncio
import os
import signal
import socket

from original_wire import parse_address, say

LONGEST_QUEUE = 1000  # chunks on their way
NARROW = 1 << 16  # bytes that a socket of a slow link holds


class Proxy:
    def __init__(self, options):
        self.target = parse_address(options.to)
        self.delay = options.delay
        self.rate = options.rate
        self.gates = {"in": asyncio.Event(), "out": asyncio.Event()}
        self.flow()
        self.writers = set()
        self.tasks = set()  # asyncio itself does not keep them

    def flow(self):
        for gate in self.gates.values():
            gate.set()

    def obey(self, command):
        verb, *directions = command.split()
        if verb == "flow":
            self.flow()
        elif verb == "break":
            for writer in self.writers:
                writer.transport.abort()
        else:
            for direction in self.gates if directions == ["both"] else directions:
                self.gates[direction].clear()
        say("obeyed", command)

    async def serve(self, near_reader, near_writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError as error:
            say("cannot connect:", error)
            near_writer.transport.abort()
            return
        say("connected")
        self.writers |= {near_writer, far_writer}
        self.tasks.add(asyncio.current_task())
        await asyncio.gather(self.pass_on(near_reader, far_writer, "out"),
                             self.pass_on(far_reader, near_writer, "in"))
        self.writers -= {near_writer, far_writer}
        self.tasks.discard(asyncio.current_task())

    async def pass_on(self, reader, writer, direction):
        chunks = asyncio.Queue(1 if self.rate else LONGEST_QUEUE)
        sending = asyncio.ensure_future(self.send(chunks, writer, direction))
        chunk = None
        while chunk != b"":
            try:
                chunk = await reader.read(1 << 16)
            except OSError:
                chunk = b""
            await chunks.put((asyncio.get_running_loop().time() + self.delay, chunk))
        await sending

    async def send(self, chunks, writer, direction):
        while True:
            due, chunk = await chunks.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            await self.gates[direction].wait()
            if not chunk or writer.is_closing():
                break
            writer.write(chunk)
            if self.rate:
                await asyncio.sleep(len(chunk) / self.rate)
        writer.close()


def read_commands(pipe, proxy):
    """Opened to write too, so that it does not end when a script closes it."""
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

    def obey_all():
        for command in os.read(descriptor, 1 << 12).decode().splitlines():
            proxy.obey(command)
    asyncio.get_running_loop().add_reader(descriptor, obey_all)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--to", required=True)
    parser.add_argument("--delay", type=float, default=0, help="s, each way")
    parser.add_argument("--rate", type=float, help="bytes a second, each way")
    parser.add_argument("--commands", help="a named pipe")
    options = parser.parse_args()
    proxy = Proxy(options)
    server = await asyncio.start_server(proxy.serve, *parse_address(options.listen))
    if options.rate:  # an accepted socket has it from there
        for one in server.sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    if options.commands:
        read_commands(options.commands, proxy)
    host, port = server.sockets[0].getsockname()
    say(f"listening on {host}:{port}")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
