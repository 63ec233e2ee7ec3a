"""A client that knows its tasks by uid. Whatever becomes of its connections, it sends again what is
unanswered, to the next node, until every task has one answer; a second one is a failure.
Usage: chaos_client.py SECONDS SEED ADDRESS…"""
import asyncio
import json
import random
import sys
import time

from peer import task

RATE = 40  # tasks a second
SILENCE = 5  # seconds without a word, while something is unanswered: the connection is dead
AGAIN = ("unavailable", "overloaded")  # errors after which a task is sent again
PATIENCE = 60  # seconds for the last answers


def new_task(choice, number):
    """A task of a seeded kind: its uid, its text, and the content that its answer must have."""
    uid = f"chaos-{number}"
    name = choice.choices(("echo", "sleep", "fail"), (55, 40, 5))[0]
    content = {"echo": number, "sleep": round(choice.uniform(0.01, 0.3), 3),
               "fail": choice.randrange(3)}[name]
    fields = {"task_type": choice.choice(("light", "medium", "heavy")),
              "time_requirement": choice.choice((0.01, 0.1, 1, 100)),
              "cloud_processing": choice.random() < 0.1}
    return uid, name, content, task(number, name, content, task_uid=uid, **fields)


class Client:
    def __init__(self, seed, addresses):
        self.choice = random.Random(seed)
        self.addresses = addresses
        self.unanswered = {}  # uid -> name, content, text, when it was sent first
        self.asked = set()  # uids that this connection owes an answer for: none is sent twice on it
        self.answered = set()
        self.writer = None
        self.wrong = []
        self.connections = self.sent_again = self.extra_runs = 0
        self.longest = (0, "")

    def send(self, uid):
        if self.writer and not self.writer.is_closing() and uid not in self.asked:
            self.asked.add(uid)
            self.writer.write(self.unanswered[uid][2].encode())

    async def produce(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            number = len(self.unanswered) + len(self.answered)
            uid, name, content, text = new_task(self.choice, number)
            self.unanswered[uid] = (name, content, text, time.monotonic())
            self.send(uid)
            await asyncio.sleep(1 / RATE)

    async def connect(self):
        """Until the work is over; each connection to the next node."""
        while True:
            host, port = self.addresses[self.connections % len(self.addresses)].rsplit(":", 1)
            self.connections += 1
            try:
                reader, self.writer = await asyncio.wait_for(
                    asyncio.open_connection(host, int(port)), 2)
                if self.connections > 1:
                    self.sent_again += len(self.unanswered)
                self.asked.clear()
                for uid in self.unanswered:
                    self.send(uid)
                await self.listen(reader)
            except (OSError, asyncio.TimeoutError):
                pass
            if self.writer:
                self.writer.transport.abort()
                self.writer = None
            await asyncio.sleep(0.1)

    async def listen(self, reader):
        while True:
            try:
                line = await asyncio.wait_for(reader.readline(), SILENCE)
            except asyncio.TimeoutError:
                if self.unanswered:
                    return
                continue
            if not line.endswith(b"\n"):
                return
            message = json.loads(line)
            if message["message_type"] == "result":
                self.on_result(message)

    def on_result(self, result):
        uid = result["task_uid"]
        self.asked.discard(uid)
        code = result.get("error", {}).get("code")
        if uid in self.answered:
            self.wrong.append(("answered twice", result))
        elif uid not in self.unanswered:
            self.wrong.append(("never sent", result))
        elif code in AGAIN:
            asyncio.get_running_loop().call_later(0.3, self.send_again, uid)
        else:
            self.take(uid, code, result)

    def send_again(self, uid):
        if uid in self.unanswered:
            self.sent_again += 1
            self.send(uid)

    def take(self, uid, code, result):
        name, content, _, since = self.unanswered.pop(uid)
        self.answered.add(uid)
        self.longest = max(self.longest, (round(time.monotonic() - since, 2), uid))
        if code:
            self.wrong.append(("failed", result))
        elif name == "fail" and result["content"] > content:
            self.extra_runs += result["content"] - content - 1
        elif name == "fail" or result["content"] != content:
            self.wrong.append(("a wrong content", result, content))


async def main():
    seconds, seed, addresses = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    client = Client(seed, addresses)
    connecting = asyncio.ensure_future(client.connect())
    await client.produce(seconds)
    end = time.monotonic() + PATIENCE
    while client.unanswered and time.monotonic() < end:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)  # a second answer would come now
    connecting.cancel()
    print(json.dumps({"sent": len(client.unanswered) + len(client.answered),
                      "answered": len(client.answered), "connections": client.connections,
                      "sent_again": client.sent_again, "extra_runs": client.extra_runs,
                      "longest": client.longest}))
    for what in client.wrong:
        print("FAILED:", *what, file=sys.stderr)
    for uid in client.unanswered:
        print("FAILED: unanswered", uid, client.unanswered[uid][:3], file=sys.stderr)
    sys.exit(1 if client.wrong or client.unanswered else 0)


if __name__ == "__main__":
    asyncio.run(main())
