#!/usr/bin/env bash
# Counts the instructions that an operation takes, over the nodes and the client.
#
# usage: bench/instructions.sh PID,PID,... COVEY-BENCH OPTIONS...
#        bench/cluster.py --instructions -- 'COVEY-BENCH OPTIONS'...
#
# The PIDs are those of the nodes. Counts vary much less than times do on a busy
# machine, so that they show small changes; perf slows the run, so its rates mean
# nothing. Needs linux-perf, the right to use it on those processes, and a
# processor that lets us count: many virtual machines do not. $COVEY_EVENTS
# counts something else than instructions:u,instructions:k.
set -euo pipefail

bin=${COVEY_BIN:-$(dirname "$0")/../build/release}
events=${COVEY_EVENTS:-instructions:u,instructions:k}

fail() {
  echo "instructions: $*" >&2
  exit 1
}

[ $# -gt 1 ] || fail "usage: $0 PID,PID,... COVEY-BENCH OPTIONS..."
command -v perf >/dev/null || fail "perf is missing: install linux-perf"
pids=$1
shift
out=$(mktemp -d)
client=
# A client that is still stopped would stay for ever.
trap 'rm -rf "$out"; [ -z "$client" ] || kill -KILL "$client" 2>/dev/null || true' EXIT

# The client stops itself before it starts, so that perf counts all of it. There
# is no warm-up: perf would count it.
sh -c 'kill -STOP $$; exec "$@"' client "$bin/covey-bench" --json "$@" --warm-up-s 0 \
  >"$out/report" &
client=$!
until [ "$(awk '/^State/ {print $2}' "/proc/$client/status")" = T ]; do sleep 0.01; done
perf stat -x, -e "$events" -o "$out/counts" -p "$pids,$client" &
perf=$!
# perf holds a counter for each thread once it is ready; if it gets none in this
# time the processor cannot count.
for _ in $(seq 30); do
  kill -0 "$perf" 2>/dev/null || fail "perf has ended: try 'perf stat -p $pids'"
  ! readlink /proc/"$perf"/fd/* 2>/dev/null | grep -q perf_event || break
  sleep 0.1
done
kill -CONT "$client"
code=0
wait "$client" || code=$?
kill -INT "$perf" 2>/dev/null || true
wait "$perf" 2>/dev/null || true

! grep -q 'not supported\|not counted' "$out/counts" \
  || fail "this machine does not let us count $events"
python3 - "$out/report" "$out/counts" <<'PYTHON'
import json, sys

report = json.load(open(sys.argv[1]))
phases = [x for x in (report["load"], report["run"]) if x]
operations = sum(x["latency_ms"]["all"]["count"] for x in phases)
errors = sum(x["error_count"] for x in phases)
print(f"{operations} operations, {errors} errors; an operation took")
for line in open(sys.argv[2]):
    fields = line.split(",")
    if len(fields) > 2 and operations:
        print(f"  {float(fields[0]) / operations:12.2f} {fields[2]}")
PYTHON
exit "$code"
