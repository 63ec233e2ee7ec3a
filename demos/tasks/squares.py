#!/usr/bin/env python3
"""A stream worker: the sum of the squares of a list of numbers, with its progress."""
import json
import sys


def say(**answer):
    print(json.dumps(answer), flush=True)


for line in sys.stdin:
    task = json.loads(line)
    try:
        total = 0
        for done, number in enumerate(task["content"]):
            if done > 0 and done % 1000 == 0:
                say(uid=task["uid"], progress=done / len(task["content"]))
            total += number * number
        say(uid=task["uid"], content=total)
    except TypeError:
        say(uid=task["uid"], error="content: expected a list of numbers")
