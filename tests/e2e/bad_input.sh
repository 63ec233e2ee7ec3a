#!/usr/bin/env bash
# Bad input is answered by an error that names what was wrong, and costs nobody else anything.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_fog fog --max-message 4096
export address

python3 - <<'EOF'
from peer import Peer, task, check
deep = "[" * 40 + "]" * 40
table = [  # what is sent, the answer's code, what its message must name
    ('{"message_type":"task","task_id":1,"task_name":}', "invalid_message", "JSON"),
    ('{"task_id":1}', "invalid_message", "message_type"),
    ('{"message_type":"dance"}', "invalid_message", "message_type"),
    ('{"message_type":5}', "invalid_message", "message_type"),
    ('{"message_type":"task","task_name":"echo"}', "invalid_message", "task_id"),
    ('{"message_type":"task","task_id":true,"task_name":"echo"}', "invalid_message", "task_id"),
    ('{"message_type":"task","task_id":1}', "invalid_task", "task_name"),
    (task(1, "no-such-task"), "unplaceable", "'no-such-task'"),
    ('{"message_type":"kinds"}', "invalid_message", "field 'tasks'"),
    ('{"message_type":"kinds","tasks":[{"name":"x y"}]}', "invalid_message", "field 'name'"),
    ('{"message_type":"kinds","tasks":[{"name":"x","class":"huge"}]}', "invalid_message", "class"),
    ('{"message_type":"kinds","tasks":[3]}', "invalid_message", "field 'tasks'"),
    ('{"message_type":"progress","task_id":1,"progress":2}', "invalid_message", "progress"),
    (task(1, "a b"), "invalid_task", "task_name"),
    (task(1, "x" * 65), "invalid_task", "task_name"),
    (task(1, time_requirement=-1), "invalid_task", "time_requirement"),
    (task(1, time_requirement="soon"), "invalid_task", "time_requirement"),
    (task(1).replace("}", ',"time_requirement":1e999}'), None, ""),
    (task(1, max_offload=-1), "invalid_task", "max_offload"),
    (task(1, offload_times=1.5), "invalid_task", "offload_times"),
    (task(1, offloading_fog="me"), "invalid_task", "offloading_fog"),
    (task(1, task_type="huge"), "invalid_task", "task_type"),
    (task(1, cloud_processing="yes"), "invalid_task", "cloud_processing"),
    (task(1, task_uid="a b"), "invalid_task", "task_uid"),
    (task(1, "mean", "abc"), "invalid_task", "content"),
    (task(1, content=0).replace(": 0", ": " + deep), "invalid_message",
     "field 'content': nested deeper than 32"),
    (b'{"message_type":"task","task_id":1,"task_name":"echo","content":"\xff\xfe"}',
     "invalid_message", "invalid UTF-8 in field 'content' (byte 65)"),
    (task(1, content="").replace('""', '"\\ud800"'), "invalid_message",
     "lone surrogate \\ud800 in field 'content'"),
]
good, bad = Peer(), Peer()
for sent, code, named in table:
    got = bad.ask(sent)
    error = got.get("error", got)
    check(code is None or error["code"] == code, sent, got)
    check(named in error["message"], sent, got)
    if got["message_type"] == "result":
        for field in ("content", "time_requirement", "sending_time", "distribution_time",
                      "execution_time", "task_type", "offload_times", "process_by"):
            check(field in got, "a failed result lacks", field, got)
    check(bad.ask(task(2))["task_id"] == 2, "the connection goes on after", sent)
    check(good.ask(task(3))["task_id"] == 3, "others go on after", sent)

for lost in ("]", "}", "hello", task(1, content="x" * 5000), '{"a":"' + "x" * 5000):
    peer = Peer()
    got = peer.ask(lost)
    check(got["message_type"] == "error", lost[:20], got)
    check(peer.read() is None, "framing is lost, the connection ends after", lost[:20])
    check(good.ask(task(4))["task_id"] == 4, "others go on after", lost[:20])
EOF
