#!/usr/bin/env bash
# A Redis whose answers are not those that were asked for (a proxy between that garbles them): the
# node and a worker say so and go on, and what was accepted is answered once they are right again.
# shellcheck source=tests/e2e/support.sh
source "$(dirname "$0")/support.sh"
start_redis
claim_port
python3 - "$claimed_port" "$redis_port" "$dir/odd" >"$dir/proxy.out" 2>"$dir/proxy.log" <<'EOF' &
import asyncio, collections, os, random, sys
port, redis, odd = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
SHAPES = [b"+OK", b":-7", b"$0\r\n", b"$3\r\nodd", b"*1\r\n*0", b"-ERR odd",
          b"*2\r\n$1\r\na\r\n*1\r\n:1", b"*6" + b"\r\n$1\r\nz" * 6, b"*4" + b"\r\n:5" * 4,
          b"*6\r\n+1\r\n+a\r\n:1\r\n*2\r\n:99\r\n+x\r\n*1\r\n:1\r\n*1\r\n:1",
          b"*5\r\n+a\r\n+1\r\n:9\r\n*1\r\n+a\r\n*1\r\n+b", b"*1\r\n*2\r\n$1\r\nk\r\n:1"]

async def read_reply(reader):
    """One reply, as the bytes that it is."""
    line = await reader.readuntil(b"\r\n")
    size = int(line[1:]) if line[:1] in b"$*" else 0
    if line[:1] == b"$" and size >= 0:
        return line + await reader.readexactly(size + 2)
    if line[:1] == b"*":
        return line + b"".join([await read_reply(reader) for _ in range(size)])
    return line

# Only answers that can be told from right ones: of the queue's scripts, and its news.
async def answer(reader, writer, commands):
    while True:
        reply = await read_reply(reader)
        is_garbled = commands.popleft() in (b"EVALSHA", b"XREAD") and os.path.exists(odd)
        if is_garbled and random.random() < 0.3:
            reply = random.choice(SHAPES) + b"\r\n"
        writer.write(reply)

async def ask(reader, writer, commands):
    while True:
        command = await read_reply(reader)
        commands.append(command.split(b"\r\n", 3)[2])
        writer.write(command)

async def serve(reader, writer):
    server_reader, server_writer = await asyncio.open_connection("127.0.0.1", redis, limit=1 << 26)
    commands = collections.deque()
    ways = [asyncio.ensure_future(ask(reader, server_writer, commands)),
            asyncio.ensure_future(answer(server_reader, writer, commands))]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for end in (*ways, server_writer, writer):
        end.cancel() if end in ways else end.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 26)
    print("ready", flush=True)
    await server.serve_forever()
seed = random.randrange(1 << 32)
print("seed", seed, file=sys.stderr, flush=True)
random.seed(seed)
asyncio.run(main())
EOF
pid_of[proxy]=$!
wait_for "the proxy" grep -q ready "$dir/proxy.out"
start fog fog --port "$claimed_port" --listen 127.0.0.1:0 --no-discovery --workers 1 --lease 2s
start_worker worker --port "$claimed_port" --lease 2s

start_load() {
  "$fogctl" client --connect "$address" --load echo=50/s --content 1 --requirement 100 \
    --duration 4s --timeout 100s --json >"$dir/$1.out" 2>"$dir/$1.log" &
  pid_of[load]=$!
}
runs() { "$fogctl" client --connect "$address" --task echo --content 1 --requirement 100; }
for round in 1 2 3; do
  start_load "load$round"
  touch "$dir/odd"
  read -rt 3 <><(:) || true
  rm "$dir/odd"
  wait_for "the node to go on" runs
  wait "${pid_of[load]}" || fail "not all is answered: $(cat "$dir/load$round.out")"
  unset "pid_of[load]"
done
kill -0 "${pid_of[fog]}" && kill -0 "${pid_of[worker]}" || fail "an odd answer ends a process"
