#!/usr/bin/env bash
# A folder of images through three nodes and a cloud: each thumbnail is what the command gives by
# hand, byte for byte, wherever it was made.
# shellcheck source=tests/e2e/mesh.sh
source "$(dirname "$0")/mesh.sh"
policy_flags=(--policy original)
images=24

cat >"$dir/tasks.toml" <<'EOT'
[task.thumbnail]
class = "medium"
command = ["sh", "-c", "pngtopnm | pamscale -xyfit 64 64 | pnmtopng"]
input = "base64"
output = "base64"
timeout = "30s"
EOT
thumbnail() { sh -c 'pngtopnm | pamscale -xyfit 64 64 | pnmtopng'; }

mkdir "$dir/in" "$dir/out" "$dir/by-hand"
for ((i = 0; i < images; ++i)); do
  python3 -c '
import random, sys
n = int(sys.argv[1]); draw = random.Random(n); w, h = 200 + 10 * n, 150 + 7 * n
sys.stdout.buffer.write(b"P6 %d %d 255\n" % (w, h) + draw.randbytes(3 * w * h))' "$i" |
    pnmtopng >"$dir/in/$i.png"
  thumbnail <"$dir/in/$i.png" >"$dir/by-hand/$i.png"
done

start cloud cloud --queue-backend memory --listen 127.0.0.1:0 --name above --tasks "$dir/tasks.toml"
cloud=$address
start_mesh_fog one --tasks "$dir/tasks.toml" --workers 1 --cloud "$cloud"
one=$address
for name in two three; do
  start_mesh_fog "$name" --tasks "$dir/tasks.toml" --workers 1 --peer "$one"
done
wait_for "the neighbours" holds_at one 'len(r["neighbours"]) == 2'
wait_for "the cloud" holds_at one 'r["cloud"]'

# One knows what they take once it has made one; then none of them can wait behind others there, and
# every fourth is for the cloud.
"$fogctl" client --connect "$one" --task thumbnail --content-file "$dir/in/1.png" \
  --output "$dir/first.png" --requirement 30 2>"$dir/first.err" || fail "$(cat "$dir/first.err")"
senders=()
for ((i = 0; i < images; ++i)); do
  where=(--requirement 0.01)
  [ $((i % 4)) -ne 0 ] || where=(--to-cloud)
  "$fogctl" client --connect "$one" --task thumbnail --content-file "$dir/in/$i.png" \
    --output "$dir/out/$i.png" --json "${where[@]}" >"$dir/$i.json" 2>"$dir/$i.err" &
  senders+=($!)
done
for ((i = 0; i < images; ++i)); do
  status=0
  wait "${senders[i]}" || status=$?
  # 5: it came, late
  [ "$status" -eq 0 ] || [ "$status" -eq 5 ] || fail "image $i: $status: $(cat "$dir/$i.err")"
  cmp "$dir/out/$i.png" "$dir/by-hand/$i.png" || fail "image $i is not what the command gives"
done
cat "$dir"/*.json | grep -o '"node":"[^"]*"' | sort | uniq -c | tee "$dir/nodes"
for name in above one "(two|three)"; do  # which of them has the shorter queue is not settled
  grep -qE "\"$name\"" "$dir/nodes" || fail "no image went by $name"
done
