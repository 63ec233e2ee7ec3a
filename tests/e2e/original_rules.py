"""Each row of protocol.md part 2, against a fogctl node: what an original peer must never be sent.
Usage: original_rules.py FOGCTL MULTICAST_PORT [NAME…]"""
import atexit
import json
import signal
import socket
import sys
import threading
import time

from original_wire import CLASSES, RESULT_FIELDS, STRING
from recorder import Node, Recorder, check, original_task, urgent, wait_until

GROUP = "228.0.0.5"
ORIGINAL_KINDS = {"fog_ready", "fog_ready_ack", "state", "task", "result"}
FOG = ("fog", "--listen", "127.0.0.1:0", "--no-discovery", "--sharing-interval", "100ms",
       "--policy", "original")


def handed_task(recorder, count=1):
    return recorder.wait("task", count)


def check_text(recorder):
    """All that an original node was sent is such that it can read it."""
    for record in recorder.records:
        check(record.text.isascii(), "not ASCII:", record.text)
        check(not any("{" in s or "}" in s for s in STRING.findall(record.text)),
              "a brace inside a string:", record.text)
        check(record.message["message_type"] in ORIGINAL_KINDS, "unknown to it:", record.text)
        if record.message["message_type"] == "state":
            check(set(record.message) == {"message_type", "task_time"}, "fields:", record.text)


def ascii_without_braces_in_strings(fog):
    peer, client = Recorder.dial(fog.address).join(), fog.client()
    content = {"text": "h\u00e9 } {{ \u65e5", "}": [1]}
    client.send(urgent(1, content=content, note="} \u00e9").encode("ascii"))
    client.send(json.dumps(original_task(2, time_requirement=0, content=content),
                           ensure_ascii=False).encode())
    for count in (1, 2):
        check(handed_task(peer, count)["content"] == content, "the content is the same")
    peer.send(original_task(5, "echo", content=content))
    peer.wait("result", 2)
    check(peer.all("result")[-1].message["content"] == content, "so is a result's")
    check_text(peer)


def no_task_longer_than_a_read(fog):
    peer, client = Recorder.dial(fog.address).join(), fog.client()
    client.send(urgent(1, content="\u00e9" * 250))  # 1,500 bytes when escaped
    got = client.read()
    check(got["task_id"] == 1 and got["process_by"] == "local", "run here:", got)
    check(not peer.all("task"), "and not handed on")
    client.send(urgent(2, content="x" * 500))
    handed_task(peer)
    longest = max(len(record.text) for record in peer.records)
    check(longest <= 1400, "an object of", longest)


def tasks_a_millisecond_apart(fog):
    peer, client, count = Recorder.dial(fog.address).join(), fog.client(), 60
    client.send("".join(urgent(i) for i in range(count)))
    handed_task(peer, count)
    times = [record.at for record in peer.all("task")]
    check(times[-1] - times[0] >= 0.8 * count / 1000, count, "in", times[-1] - times[0], "s")
    for record in peer.all("task"):
        peer.answer(record.message)
    ids = sorted(client.read()["task_id"] for _ in range(count))
    check(ids == list(range(count)), "each is answered")


def unanswered_task_is_placed_again(_):
    node = Node(*FOG, "--overdue-min", "500ms", "--overdue-factor", "1")
    peer, client = Recorder.dial(node.address).join(), node.client()
    client.send(urgent(1))
    task = handed_task(peer)
    got = client.read()
    check(got["task_id"] == 1 and got["process_by"] == "local", "run here after a while:", got)
    peer.answer(task)  # late
    client.send(json.dumps(original_task(2, "echo")))
    check(client.read()["task_id"] == 2, "the late answer is dropped")
    check(not peer.is_closed, "and costs nobody the link")


def one_fog_ready_a_connection(fog):
    with socket.create_server(("127.0.0.4", 0)) as listener:
        Node(*FOG, "--peer", "127.0.0.4:%d" % listener.getsockname()[1])
        listener.settimeout(30)
        for peer in (Recorder(listener.accept()[0]).join(), Recorder.dial(fog.address).join()):
            peer.wait("state", 10)
            check(len(peer.all("fog_ready")) == 1, "one, before and after it is a neighbour")
            check(peer.records[0].message["message_type"] == "fog_ready", "and it is first")
            check(len(peer.all("fog_ready_ack")) == 1, "one fog_ready_ack too")


class Listener:
    """Keeps what is multicast."""

    def __init__(self, port):
        self.heard = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", port))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard.append(json.loads(self.socket.recv(1 << 16).decode("ascii")))

    def count(self, kind):
        return sum(message["message_type"] == kind for message in self.heard)


def fog_hello_only_while_alone(_):
    port = int(sys.argv[2])
    listener = Listener(port)
    node = Node("fog", "--listen", "127.0.0.1:0", "--multicast", f"{GROUP}:{port}")
    wait_until(lambda: listener.count("fog_hello") >= 2, "fog_hello again while it is alone")
    check(listener.heard[0]["tcp_port"] == int(node.address.rsplit(":", 1)[1]), "with its port")
    Recorder.dial(node.address).join()
    before = listener.count("fog_hello")
    wait_until(lambda: listener.count("fog_alive") > 0, "the hello to be repeated as fog_alive")
    check(listener.count("fog_hello") == before, "no fog_hello once there is a neighbour")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    sender.sendto(b'{"message_type": "endpoint_hello"}', (GROUP, port))
    wait_until(lambda: listener.count("fog_ack") > 0, "fog_ack for a client")


def cloud_gets_nothing_but_tasks(_):
    with socket.create_server(("127.0.0.5", 0)) as listener:
        address = "127.0.0.5:%d" % listener.getsockname()[1]
        node = Node(*FOG, "--cloud", address)
        listener.settimeout(30)
        cloud, client = Recorder(listener.accept()[0]), node.client()
        neighbour = Recorder.dial(node.address, "127.0.0.6").join()
        wait_until(lambda: node.report()["cloud"], "the cloud to be taken for an original one")
        content = {"brace": "{", "letter": "\u00e9"}
        for task in (original_task(1, "echo", cloud_processing=True),
                     original_task(2, cloud_processing=True, content="x" * 1400),
                     original_task(3, "heavy", cloud_processing=True, content=content)):
            client.send(json.dumps(task))
        check(sorted(client.read()["task_id"] for _ in range(2)) == [1, 2], "it knows no echo, and"
              " loses what is too long: those run here")
        task = cloud.wait("task")
        check(task["task_name"] == "heavy" and type(task["task_id"]) is int, task)
        check(task["process_by"] == "cloud" and task["content"] == content, task)
        neighbour.wait("state", 10)
        check([one.message["message_type"] for one in cloud.records] == ["task"], cloud.records)
        check_text(cloud)
        cloud.answer(task)
        got = client.read()
        check(got["task_id"] == 3 and got["process_by"] == "cloud", got)


def no_state_before_the_ack(fog):
    clock = Recorder.dial(fog.address, "127.0.0.3").join()
    with socket.create_server(("127.0.0.4", 0)) as listener:
        Node(*FOG, "--peer", "127.0.0.4:%d" % listener.getsockname()[1])
        listener.settimeout(30)
        peers = (Recorder.dial(fog.address), Recorder(listener.accept()[0]))
    clock.wait("state", len(clock.all("state")) + 10)
    for peer in peers:
        check(not peer.all("state"), "a state for one that has not said fog_ready")
        peer.join()
        kinds = [record.message["message_type"] for record in peer.records]
        check(kinds.index("fog_ready_ack") < kinds.index("state"), kinds)


def fogctl_cloud_is_silent(fog):
    node = Node("cloud", "--listen", "127.0.0.1:0", is_busy=False)
    clock = Recorder.dial(fog.address, "127.0.0.3").join()
    peer = Recorder.dial(node.address)
    peer.send(original_task(1, "heavy"))
    check(peer.wait("result")["content"] == 3, "it runs tasks")
    clock.wait("state", 10)
    kinds = {record.message["message_type"] for record in peer.records}
    check(kinds <= {"cloud_ready", "result"}, kinds)


def goodbye_when_it_stops(_):
    node = Node(*FOG, busy_for=1)
    peer, client = Recorder.dial(node.address).join(), node.client()
    client.send(urgent(1))
    peer.send(original_task(9, "sleep", content=1))
    task = handed_task(peer)
    node.process.send_signal(signal.SIGTERM)
    wait_until(lambda: peer.all("state")[-1].message["task_time"] >= 1000000, "its farewell")
    wait_until(lambda: peer.all("result")[-1].message["task_id"] == 9, "what it took is answered")
    check(not peer.is_closed, "the link stays until what it handed on is answered")
    peer.answer(task)
    check(client.read()["task_id"] == 1, "which goes to the client")
    wait_until(lambda: peer.is_closed, "the end of the link")
    check(peer.all("state")[-1].message["task_time"] >= 1000000, "the last state")
    check(node.process.wait(30) == 0, "an orderly end")
    check_text(peer)


def goodbye_to_a_second_link(fog):
    peers = [Recorder.dial(fog.address).join() for _ in range(2)]
    wait_until(lambda: any(peer.is_closed for peer in peers), "one of the two links to close")
    closed, kept = sorted(peers, key=lambda peer: not peer.is_closed)
    check(closed.all("state")[-1].message["task_time"] >= 1000000, "it says so before")
    check(not kept.is_closed, "the other stays")
    client = fog.client()
    client.send(urgent(1))
    handed_task(kept)


def ids_are_its_own(fog):
    peer, count = Recorder.dial(fog.address).join(), 20
    clients = [fog.client() for _ in range(3)]
    for i in range(count):
        clients[0].send(urgent(i))
        clients[1].send(urgent(i))
        clients[2].send(urgent(f"text {i}"))
    handed_task(peer, 3 * count)
    ids = [record.message["task_id"] for record in peer.all("task")]
    check(all(type(one) is int and 2**32 <= one <= 2**52 for one in ids), ids)
    check(len(set(ids)) == len(ids), "one for each")
    for record in peer.all("task"):
        peer.answer(record.message)
    for client, form in ((clients[0], int), (clients[1], int), (clients[2], "text {}".format)):
        got = sorted(str(client.read()["task_id"]) for _ in range(count))
        check(got == sorted(str(form(i)) for i in range(count)), "each client has its own:", got)


def one_result_for_each_id(fog):
    peer = Recorder.dial(fog.address).join()
    tasks = [original_task(1), original_task(2, "no-such-task"), original_task(3, "medium"),
             original_task(4, "mean", content="no numbers"), original_task(5, max_offload=-1)]
    for task in tasks:
        peer.send(task | {"offload_times": 1, "offloading_fog": ["127.0.0.2"]})
    peer.wait("result", 1 + len(tasks))
    peer.send(original_task(6, "echo"))
    peer.wait("result", 2 + len(tasks))
    ids = sorted(record.message["task_id"] for record in peer.all("result")[1:])
    check(ids == [1, 2, 3, 4, 5, 6], ids)
    for record in peer.all("result"):
        check_result_fields(record.message)


def only_what_it_knows(fog):
    peer, client = Recorder.dial(fog.address).join(), fog.client()
    for i, name in enumerate(("echo", "add", "sum", "mean", "sleep")):
        client.send(urgent(i, name, content=[0] if name in ("sum", "mean") else 0))
    for _ in range(5):
        check(client.read()["process_by"] == "local", "run here")
    for name in CLASSES:
        client.send(urgent(9, name))
    handed_task(peer, 3)
    check(sorted(record.message["task_name"] for record in peer.all("task")) == sorted(CLASSES),
          "and these are handed on")


def uid_is_joined_again(fog):
    peer, client = Recorder.dial(fog.address).join(), fog.client()
    client.send(urgent("my task", task_uid="rules-uid-1"))
    peer.answer(handed_task(peer))
    got = client.read()
    check(got["task_id"] == "my task" and got["task_uid"] == "rules-uid-1", got)
    check(got["content"] == 3 and got["process_by"] == "fog", got)


def check_result_fields(result, has_more=True):
    for field, kind in RESULT_FIELDS.items():
        check(field in result, field, "is missing in", result)
        check(isinstance(result[field], kind), field, "is of another type in", result)
    if not has_more:
        added = set(result) - set(RESULT_FIELDS) - {"message_type", "error"}
        check(not added, "added fields in", result)


def a_result_has_all_fields_and_no_more(fog):
    client = fog.client()
    for task in (original_task(1), original_task(1, "no-such-task"), original_task(1, "heavy"),
                 original_task(1, "mean", content="no numbers"), original_task(1, "a b"),
                 original_task(1, time_requirement=-1), original_task(1, max_offload="many")):
        got = client.ask(json.dumps(task))
        check_result_fields(got, has_more=False)
        if task["task_name"] == "no-such-task":
            check(got["content"] is None and got["execution_time"] == 0, got)


def addresses_as_the_original_keeps_them(fog):
    peer, client = Recorder.dial(fog.address).join(), fog.client()
    client.send(urgent(1, offloading_fog=["10.9.9.9"], offload_times=1))
    task = handed_task(peer)
    check(task["offloading_fog"] == ["10.9.9.9", peer.peer_address], task)
    check(task["offload_times"] == 2 and task["process_by"] == "fog", task)
    client.send(urgent(2, offloading_fog=[peer.own_address], offload_times=1))
    check(client.read()["task_id"] == 2, "one that it handed on is run here")
    check(len(peer.all("task")) == 1, "and not sent back")


CHECKS = (ascii_without_braces_in_strings, no_task_longer_than_a_read, tasks_a_millisecond_apart,
          unanswered_task_is_placed_again, one_fog_ready_a_connection, fog_hello_only_while_alone,
          cloud_gets_nothing_but_tasks, no_state_before_the_ack, fogctl_cloud_is_silent,
          goodbye_when_it_stops, goodbye_to_a_second_link, ids_are_its_own,
          one_result_for_each_id, only_what_it_knows, uid_is_joined_again,
          a_result_has_all_fields_and_no_more, addresses_as_the_original_keeps_them)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    atexit.register(Node.stop_all)
    fog = Node(*FOG)
    failures = 0
    for rule in CHECKS if len(sys.argv) < 4 else [globals()[name] for name in sys.argv[3:]]:
        begun = time.monotonic()
        try:
            rule(fog)
            print(f"holds: {rule.__name__} ({time.monotonic() - begun:.1f} s)")
        except Exception as error:
            failures += 1
            print(f"FAILED: {rule.__name__}: {error!r}", file=sys.stderr)
        Recorder.close_all()
        Node.stop_all(but=fog)
    sys.exit(1 if failures > 0 else 0)


if __name__ == "__main__":
    main()
