"""The load of bench/in-time.toml on real nodes: each gets `sleep` tasks as they come to it in the
scenario, from a connection of its own. Prints how many per cent of those that came within the
measured time started in time: response - execution <= requirement; and how many were sent in all.
usage: in_time_load.py SCALE SEED WARM_UP MEASURED NODE_ADDRESS…
         (the first gets half of the tasks; their times are those of the scenario times SCALE)
       in_time_load.py lag   prints how late timers of 1 ms are, p99 in ms
"""
import asyncio
import json
import math
import random
import sys
import time

LOAD, WORKERS = 0.9, 4
CLASSES = {"light": (0.6, 0.01, 0.03), "medium": (0.3, 0.05, 0.15), "heavy": (0.1, 0.25, 1.0)}
VARIATION = 0.5
LONGEST_WAIT = 60  # after the last task; what is not answered then is late


def arrivals(draw, rate, end):
    """(instant, class, execution) of the tasks of one node."""
    sigma = math.sqrt(math.log(1 + VARIATION**2))
    at = draw.expovariate(rate)
    while at < end:
        name = draw.choices(list(CLASSES), [share for share, _, _ in CLASSES.values()])[0]
        mean = CLASSES[name][1]
        yield at, name, draw.lognormvariate(math.log(mean) - sigma**2 / 2, sigma)
        at += draw.expovariate(rate)


class Endpoint:
    """Sends the tasks of one node and notes when each is answered."""

    def __init__(self, address, tasks):
        self.address = address
        self.tasks = tasks
        self.sent = {}
        self.waited = {}

    async def run(self, start):
        host, port = self.address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        listening = asyncio.ensure_future(self.listen(reader))
        for number, (at, name, execution) in enumerate(self.tasks):
            await asyncio.sleep(start + at - time.monotonic())
            task = {"message_type": "task", "task_id": number, "task_name": "sleep",
                    "task_type": name, "content": execution,
                    "time_requirement": CLASSES[name][2]}
            self.sent[number] = time.monotonic()
            writer.write(json.dumps(task).encode() + b"\n")
        end = time.monotonic() + LONGEST_WAIT
        while len(self.waited) < len(self.tasks) and time.monotonic() < end:
            await asyncio.sleep(0.1)
        listening.cancel()
        writer.close()

    async def listen(self, reader):
        while line := await reader.readline():
            message = json.loads(line)
            if message["message_type"] != "result" or "error" in message:
                continue
            number = message["task_id"]
            response = time.monotonic() - self.sent[number]
            self.waited[number] = response - self.tasks[number][2]

    def outcomes(self, begin):
        """Of each task that came from `begin` on, whether it was in time."""
        for number, (at, name, _) in enumerate(self.tasks):
            if at >= begin:
                yield self.waited.get(number, math.inf) <= CLASSES[name][2]


async def run(scale, seed, warm_up, measured, addresses):
    for name, (share, execution, requirement) in CLASSES.items():
        CLASSES[name] = (share, scale * execution, scale * requirement)
    mean = sum(share * execution for share, execution, _ in CLASSES.values())
    rate = LOAD * WORKERS * len(addresses) / mean
    shares = [0.5] + [0.5 / (len(addresses) - 1)] * (len(addresses) - 1)
    endpoints = [
        Endpoint(address, list(arrivals(random.Random(f"{seed}.{i}"), rate * share,
                                        warm_up + measured)))
        for i, (address, share) in enumerate(zip(addresses, shares))
    ]
    start = time.monotonic() + 0.5
    await asyncio.gather(*(endpoint.run(start) for endpoint in endpoints))
    outcomes = [one for endpoint in endpoints for one in endpoint.outcomes(warm_up)]
    sent = sum(len(endpoint.tasks) for endpoint in endpoints)
    print(f"{100 * sum(outcomes) / len(outcomes):.2f} {sent}")


def timer_lag():
    lags = []
    for _ in range(1000):
        due = time.monotonic() + 0.001
        time.sleep(0.001)
        lags.append(time.monotonic() - due)
    return sorted(lags)[989] * 1000


if sys.argv[1] == "lag":
    print(f"{timer_lag():.2f}")
else:
    scale, seed, warm_up, measured = float(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:5])
    asyncio.run(run(scale, seed, warm_up, measured, sys.argv[5:]))
