#!/usr/bin/env bash
# Starts and stops three nodes on this machine, from configs/three-nodes/.
#
# usage: scripts/cluster.sh start|stop|foreground
#
# Data goes to $COVEY_DATA/n1 to n3 (./data if unset), process ids and logs to
# $COVEY_DATA/run. With $COVEY_CERTS, a folder of scripts/make-certs.sh, they speak
# TLS. foreground stops the nodes at Ctrl-C. A node that does not stop
# within $COVEY_STOP_SECONDS (60 if unset) is killed.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${COVEY_BIN:-build/release}
data=${COVEY_DATA:-data}
run=$data/run
nodes=(n1 n2 n3)
declare -A port=([n1]=7101 [n2]=7102 [n3]=7103)
start_seconds=60
certs=${COVEY_CERTS:-}
unset COVEY_TLS_CERT COVEY_TLS_KEY COVEY_TLS_CA
if [ -n "$certs" ]; then
  export COVEY_TLS_CERT=$certs/client.crt COVEY_TLS_KEY=$certs/client.key COVEY_TLS_CA=$certs/ca.crt
fi
stop_seconds=${COVEY_STOP_SECONDS:-60}

say() { echo "cluster: $*"; }
fail() {
  echo "cluster: $*" >&2
  exit 1
}

# True while the process that we started for node $1 lives. The program's name
# guards against a process id that the system has given to somebody else since.
alive() {
  local pid program=
  pid=$(cat "$run/$1.pid" 2>/dev/null) || return 1
  [ -r "/proc/${pid:-none}/cmdline" ] || return 1
  # Nothing can be read of a process that has ended.
  IFS= read -r -d '' program 2>/dev/null <"/proc/$pid/cmdline" || true
  [[ $program == *coveyd ]]
}

gone() { ! alive "$1"; }

# True once process $2 is coveyd for node $1, or has ended.
launched() { alive "$1" || ! kill -0 "$2" 2>/dev/null; }

port_taken() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Polls until "$@" succeeds or $1 seconds have passed.
poll() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# True if node $1 answers and sees every member up.
answers() {
  local status
  status=$("$bin/covey" --node "127.0.0.1:${port[$1]}" --timeout-ms 1000 --json status 2>/dev/null) || return 1
  [ "$(grep -oE '"up": ?true' <<<"$status" | wc -l)" -eq ${#nodes[@]} ]
}

# True if node $1 answers or is dead, so that waiting for it is over.
settled() { ! alive "$1" || answers "$1"; }

# Asks all at once, so that they drain side by side; then waits for each.
stop_all() {
  local node pid
  for node in "${nodes[@]}"; do
    if alive "$node"; then
      kill -TERM "$(cat "$run/$node.pid")" 2>/dev/null || true
    fi
  done
  for node in "${nodes[@]}"; do
    if ! poll "$stop_seconds" gone "$node"; then
      pid=$(cat "$run/$node.pid")
      say "$node (process $pid) does not stop within $stop_seconds seconds: kills it"
      kill -KILL "$pid" 2>/dev/null || true
      poll 10 gone "$node" || fail "$node (process $pid) cannot be killed"
    fi
    rm -f "$run/$node.pid"
  done
}

start_failed() { # start_failed NODE WHY
  echo "cluster: $1 $2; the end of $run/$1.log:" >&2
  tail -n 20 "$run/$1.log" >&2
  stop_all
  exit 1
}

start_all() {
  local node program security=()
  for program in coveyd covey; do
    [ -x "$bin/$program" ] || fail "$bin/$program is not there: run make build"
  done
  for node in "${nodes[@]}"; do
    ! alive "$node" || fail "$node runs already (process $(cat "$run/$node.pid")): run make cluster-stop"
    ! port_taken "${port[$node]}" || fail "port ${port[$node]} of $node is taken by another program: stop that first"
  done
  mkdir -p "$run"
  for node in "${nodes[@]}"; do
    [ -z "$certs" ] || security=(--security.certificate="$certs/$node.crt"
      --security.key="$certs/$node.key" --security.ca-file="$certs/ca.crt")
    # A session of its own keeps Ctrl-C from a node, so that we stop it in order.
    setsid "$bin/coveyd" --config-file="configs/three-nodes/$node.conf" \
      --node.data-directory="$data/$node" "${security[@]}" >>"$run/$node.log" 2>&1 </dev/null &
    echo $! >"$run/$node.pid"
    poll 10 launched "$node" $! || true
    # The shell need not announce how it ends: we do.
    disown
  done
  for node in "${nodes[@]}"; do
    if ! poll "$start_seconds" settled "$node"; then
      start_failed "$node" "does not see the others within $start_seconds seconds"
    elif ! alive "$node"; then
      start_failed "$node" "has ended"
    fi
  done
  say "n1, n2 and n3 answer on ports 7101 to 7103; data and logs are in $data"
}

foreground() {
  trap 'echo; say "stops"; stop_all; exit 0' INT TERM
  trap stop_all EXIT
  start_all
  say "try: $bin/covey put greeting hello; stop with Ctrl-C"
  local node
  declare -A told=()
  while [ ${#told[@]} -lt ${#nodes[@]} ]; do
    sleep 0.5
    for node in "${nodes[@]}"; do
      if [ -z "${told[$node]:-}" ] && gone "$node"; then
        told[$node]=yes
        say "$node has ended; its log is $run/$node.log"
      fi
    done
  done
}

case "${1:-}" in
  start)
    # Nothing is left behind if the start is interrupted.
    trap 'stop_all; exit 130' INT TERM
    start_all
    ;;
  stop)
    stop_all
    say "stopped"
    ;;
  foreground) foreground ;;
  *) fail "usage: scripts/cluster.sh start|stop|foreground" ;;
esac
