#!/usr/bin/env bash
# However the bytes of tasks are cut or joined, each task is answered once, under its own id.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog
export address

python3 - <<'EOF'
from peer import Peer, task, check
whole = task(1, content={"text": "a } brace, a \" quote, h\u00e9 and \u65e5\u672c {"})
for cut in range(1, len(whole)):
    if cut == 1:
        peer = Peer()
        check(peer.greeting["message_type"] == "fog_ready", peer.greeting)
    peer.send(whole[:cut])
    got = peer.ask(whole[cut:])
    check(got["task_id"] == 1 and got["content"]["text"].endswith("\u65e5\u672c {"), cut, got)

peer = Peer()
for byte in whole.encode():
    peer.send(bytes([byte]))
check(peer.read()["task_id"] == 1, "byte by byte")

raw = '{"message_type":"task","task_id":2,"task_name":"echo","content":"h\u00e9 {}"}'
got = peer.ask(raw.encode())
check(got["content"] == "h\u00e9 {}", "raw UTF-8", got)

peer.send(task(3) + task(4) + " \r\n\t" + task(5))
check(sorted(peer.read()["task_id"] for _ in range(3)) == [3, 4, 5], "three in one segment")

count = 10000
peer.send("".join(task(i, content=i) for i in range(count)))
answers = {}
for _ in range(count):
    got = peer.read()
    check(got["task_id"] not in answers, "answered twice", got)
    answers[got["task_id"]] = got["content"]
check(all(answers[i] == i for i in range(count)), "10,000 in one write")

a, b = Peer(), Peer()
a.send(task(1, content="of a"))
b.send(task(1, content="of b"))
check(a.read()["content"] == "of a" and b.read()["content"] == "of b", "same id, two clients")
EOF
