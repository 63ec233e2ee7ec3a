"""Small peers of the original system, one a role, that stand for the real programs in the tests.
Each prints what happens on standard output, and what must never be sent to an original peer as
"VIOLATION: …" on standard error; where there was one it ends with status 1.
Usage: original.py fog|cloud|phone|client --help"""
import argparse
import asyncio
import signal
import sys

import original_wire
from original_client import ClosedLoop, Phone
from original_nodes import Cloud, Fog


def numbers(text):
    """light=0.01,heavy=2"""
    return {name: float(value) for name, value in (part.split("=") for part in text.split(","))}


async def serve(role):
    """Until a signal comes."""
    await role.start()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    return True


ROLES = {
    "fog": lambda options: serve(Fog(options)),
    "cloud": lambda options: serve(Cloud(options)),
    "phone": lambda options: Phone(options).run(),
    "client": lambda options: ClosedLoop(options).run(),
}


async def run(options):
    return await ROLES[options.role](options)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    fog, cloud, phone, client = map(roles.add_parser, ROLES)
    for node in (fog, cloud):
        node.add_argument("--listen", default="0.0.0.0:10000")
        node.add_argument("--time", type=numbers, default="light=0.001,medium=0.05,heavy=0.1",
                          help="execution times, by name, s")
    fog.add_argument("--peer", action="append", default=[], help="dialled as if its hello came")
    fog.add_argument("--cloud")
    fog.add_argument("--no-cloud", action="store_true")
    fog.add_argument("--no-fog", action="store_true")
    for finder in (fog, client):
        finder.add_argument("--multicast", default="228.0.0.5:8005")
        finder.add_argument("--interface", help="one's own address on it")
    phone.add_argument("--connect", required=True)
    phone.add_argument("--rates", type=numbers, default="light=200,medium=40,heavy=0",
                       help="a minute")
    phone.add_argument("--duration", type=float, default=60, help="s")
    client.add_argument("--connect", help="the fog node; found by multicast unless given")
    client.add_argument("--task", default="light")
    client.add_argument("--count", type=int, default=10)
    return parser.parse_args()


def main():
    is_done = asyncio.run(run(parse_options()))
    sys.exit(1 if original_wire.violations > 0 or not is_done else 0)


if __name__ == "__main__":
    main()
