#!/usr/bin/env bash
# Shows three nodes that keep the Debian package index through the death of
# one. Exits with a code other than 0 if anything is not as it should be.
set -euo pipefail
unset COVEY_CERTS COVEY_TLS_CERT COVEY_TLS_KEY COVEY_TLS_CA
cd "$(dirname "$0")/.."

export COVEY_DATA=data/demo
covey=build/release/covey
packages=$COVEY_DATA/packages.jsonl
n1=127.0.0.1:7101 n2=127.0.0.1:7102 n3=127.0.0.1:7103
all_nodes=$n1,$n2,$n3
survivors=$n1,$n3
update_seconds=300
import_seconds=600

step() { printf '\n== %s\n' "$*"; }
fail() {
  echo "demo: $*" >&2
  exit 1
}

cleanup() {
  local code=$?
  trap - EXIT INT TERM
  scripts/cluster.sh stop >/dev/null || code=1
  if [ "$code" -eq 130 ]; then
    echo "demo: interrupted" >&2
  elif [ "$code" -ne 0 ]; then
    echo "demo: failed; the logs of the nodes are in $COVEY_DATA/run" >&2
  fi
  exit "$code"
}

fetch_packages() {
  local as_root=()
  if [ "$(apt-cache pkgnames | wc -l)" -lt 1000 ]; then
    echo "asks apt-get for the package index"
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    timeout "$update_seconds" "${as_root[@]}" apt-get -q update >/dev/null
  fi
  apt-cache dumpavail | scripts/packages-to-jsonl >"$packages"
  local count
  count=$(wc -l <"$packages")
  [ "$count" -ge 1000 ] || fail "the package index has $count records only; run apt-get update"
  echo "$count records, $(du -h "$packages" | cut -f 1)"
}

compare() { # compare NODES COUNT [OPTION...]
  local nodes=$1 count=$2
  shift 2
  echo "$nodes: $(scripts/compare-with-source --covey "$covey" --count "$count" "$packages" --node "$nodes" "$@")"
}

kill_node() {
  local pid
  pid=$(cat "$COVEY_DATA/run/$1.pid")
  kill -KILL "$pid"
  echo "$1 (process $pid) is dead"
}

write_and_read() { # write_and_read COUNT
  local i value
  for ((i = 0; i < $1; i++)); do
    "$covey" --node "$survivors" --consistency QUORUM put "demo-$i" "written without n2, $i" \
      || fail "a write at QUORUM failed"
    value=$("$covey" --node "$n3" --consistency QUORUM get "demo-$i") || fail "a read at QUORUM failed"
    [ "$value" = "written without n2, $i" ] || fail "demo-$i reads as '$value'"
  done
  echo "$1 of $1 writes and their reads succeeded"
}

expect_unavailable() { # expect_unavailable WHAT COMMAND...
  local what=$1 code=0 text
  shift
  text=$("$covey" --node "$survivors" --consistency ALL --timeout-ms 3000 "$@" 2>&1) || code=$?
  [ "$code" -eq 3 ] || fail "$what at ALL ended with exit code $code instead of 3: $text"
  echo "$what at ALL: exit code 3: $text"
}

trap cleanup EXIT
trap 'exit 130' INT TERM

for node in n1 n2 n3; do
  [ ! -e "$COVEY_DATA/run/$node.pid" ] || scripts/cluster.sh stop
done
rm -rf "$COVEY_DATA"
mkdir -p "$COVEY_DATA"

step "Takes the Debian package index of this machine as data"
fetch_packages
first_key=$(head -n 1 "$packages" | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["key"])')

step "Starts three nodes, every key on three of them, a quorum being two"
scripts/cluster.sh start

step "Imports every record; each is on the disks of a quorum when acknowledged"
timeout "$import_seconds" "$covey" --node "$all_nodes" import "$packages" || fail "the import failed"

step "Reads records back through every node and compares them with the source"
for node in "$n1" "$n2" "$n3"; do
  compare "$node" 50
done

step "Kills n2 with SIGKILL"
kill_node n2

step "Reads on at QUORUM through the two that are left"
compare "$n1" 25 --consistency QUORUM
compare "$n3" 25 --consistency QUORUM

step "Writes on at QUORUM, and reads what it wrote"
write_and_read 20

step "What needs all three fails with a clear error"
expect_unavailable "a read" get -- "$first_key"
expect_unavailable "a write" put -- "$first_key" changed

step "The cluster as n1 sees it"
"$covey" --node "$n1" status

step "Stops the nodes"
scripts/cluster.sh stop

step "All as it should be. To keep a cluster running: make cluster"
