#!/usr/bin/env python3
"""Hands a node what it missed while others work, and shows what they feel of it.

usage: bench/replay.py [--rate 1000] [--megabytes 100] [--value-size 1000] [--nodes 3]
                       [--knob NAME=VALUE]...

Fresh nodes with default settings on loopback, two loads of equal, fixed rate, half gets
and half puts of 100 bytes, default consistency. The first runs while nothing else
happens. Then the last node is killed and others write so many megabytes, hints for it.
The second load begins, the node is started, and its hints are handed over beside the
load. Prints both loads' latencies, the seconds of the second in which hints were
handed over, and how fast they were. `--rate 0` measures the rate alone.
"""

import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "process"))

from cluster import BIN, start_cluster, wait_until  # noqa: E402

KEYSPACES = {"default": {"policy": "lww"}}
BENCH = str(BIN / "covey-bench")
CALM_SECONDS = 10
PATIENCE_SECONDS = 300


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--megabytes", type=int, default=100, help="of values missed")
    parser.add_argument("--value-size", type=int, default=1000, help="of what is missed")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args()


def load(nodes, rate, seconds):
    return subprocess.Popen(
        [BENCH, "--json", "--node", nodes, "--workload", "A", "--distribution", "uniform"]
        + ["--keys", "10000", "--warm-up-s", "0", "--rate", str(rate)]
        + ["--duration-s", str(seconds)],
        stdout=subprocess.PIPE,
    )


def write_hints(nodes, keys, size):
    """Values under keys that the load does not ask for: each once."""
    subprocess.run(
        [BENCH, "--node", nodes, "--load", "--keys", str(keys), "--value-size", str(size)]
        + ["--duration-s", "0", "--seed", "2"],
        stdout=subprocess.DEVNULL, check=True,
    )


HANDED = re.compile(r"^(\S+) .*has handed (\d+) hints, \d+ kB, to \S+ in (\d+) ms", re.M)


def rounds(cluster, names):
    """What the logs say of rounds of hand-over: begin, end (seconds since 1970), hints.

    Asking the nodes instead would cost what the load is to show: each question is a
    process.
    """
    found = []
    for name in names:
        for at, hints, ms in HANDED.findall(cluster[name].log_text()):
            end = datetime.datetime.fromisoformat(at).timestamp()
            found.append((end - int(ms) / 1000, end, int(hints)))
    return sorted(found, key=lambda x: x[1])


def handed_over(cluster, names, hints):
    """Begin and end of the first so many hints; None while they are not all gone."""
    seen = 0
    for _, end, n in (found := rounds(cluster, names)):
        seen += n
        if seen >= hints:
            return min(begin for begin, _, _ in found), end
    return None


def print_load(name, series):
    worst = max(x["p99_ms"] for x in series)
    middle = sorted(x["p99_ms"] for x in series)[len(series) // 2]
    failed = sum(x["errors"] for x in series)
    print(f"{name}: p99 of a second {middle:.2f} ms (median), {worst:.2f} ms (worst), {failed} failed")
    return middle


def hand_over_beside_load(cluster, asked, victim, others, hints):
    nodes = cluster.addresses(*others)
    # As long as it may take, at the rate that yields to the load.
    seconds = 30 + asked.megabytes // 3
    run = load(nodes, asked.rate, seconds) if asked.rate else None
    began = time.time()
    try:
        time.sleep(3 if run else 0)
        cluster[victim].start()
        wait_until(
            lambda: handed_over(cluster, others, hints), PATIENCE_SECONDS, "the hand-over"
        )
        out = run.communicate(timeout=seconds + PATIENCE_SECONDS)[0] if run else None
    finally:
        if run and run.poll() is None:
            run.kill()
            run.wait()
    start, end = (x - began for x in handed_over(cluster, others, hints))
    print(f"{hints} hints of {asked.value_size} bytes were handed over in {end - start:.1f} s:"
          f" {hints * asked.value_size / 1e6 / (end - start):.1f} MB/s of values")
    if out is None:
        return None
    series = json.loads(out)["run"]["series"]
    during = [x for x in series if start <= x["second"] - 1 and x["second"] <= end]
    return print_load(f"beside the hand-over, {len(during)} s", during or series)


def main():
    asked = arguments()
    cluster = start_cluster(asked.nodes, KEYSPACES, dict(x.split("=", 1) for x in asked.knob))
    try:
        names = [x.name for x in cluster]
        victim, others = names[-1], names[:-1]
        write_hints(cluster.addresses(*others), 10_000, 100)
        before = None
        if asked.rate:
            calm = load(cluster.addresses(*others), asked.rate, CALM_SECONDS)
            before = print_load("before", json.loads(calm.communicate()[0])["run"]["series"])
        cluster[victim].kill()
        wait_until(
            lambda: all(victim not in cluster.members_up(x) for x in others),
            PATIENCE_SECONDS, f"{victim} is known to be away",
        )
        hints = asked.megabytes * 1_000_000 // asked.value_size
        write_hints(cluster.addresses(*others), hints, asked.value_size)
        beside = hand_over_beside_load(cluster, asked, victim, others, hints)
        if beside:
            print(f"beside it {beside / before:.2f} times what was before")
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
