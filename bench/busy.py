#!/usr/bin/env python3
"""Keeps every processor busy beside five nodes, and counts who is wrongly called dead.

usage: bench/busy.py [--minutes 10] [--burners N] [--nodes 5] [--knob NAME=VALUE]...

Burners are processes that only count, of the nodes' own priority: twice as many as
there are processors. Prints, each 20 s, the most that any node has counted so far of
suspects, accusations, downs and pauses of its own; all but the last should stay 0.
Exits with 1 if a node was called down.
"""

import argparse
import multiprocessing
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "process"))

from cluster import start_cluster  # noqa: E402

COUNTED = ("suspects", "accusations", "downs", "pauses")
STEP_SECONDS = 20


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--burners", type=int, default=2 * os.cpu_count())
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args()


def burn(until):
    while time.monotonic() < until:
        for _ in range(100_000):
            pass


def counts(cluster):
    """The most that any node has counted, of those that answered."""
    most = dict.fromkeys(COUNTED, 0)
    for node in cluster:
        status = cluster.status(node.name)
        for name in COUNTED if status else ():
            most[name] = max(most[name], status["statistics"][f"members.{name}"])
    return most


def main():
    asked = arguments()
    cluster = start_cluster(asked.nodes, knobs=dict(x.split("=", 1) for x in asked.knob))
    until = time.monotonic() + asked.minutes * 60
    burners = [
        multiprocessing.Process(target=burn, args=(until,), daemon=True)
        for _ in range(asked.burners)
    ]
    most = {}
    try:
        for burner in burners:
            burner.start()
        while time.monotonic() < until:
            time.sleep(min(STEP_SECONDS, max(until - time.monotonic(), 0)))
            most = counts(cluster)
            left = max(until - time.monotonic(), 0)
            told = ", ".join(f"{name} {n}" for name, n in most.items())
            print(f"{left:4.0f} s left, load {os.getloadavg()[0]:.1f}: {told}", flush=True)
    finally:
        for burner in burners:
            burner.kill()
        cluster.close()
    sys.exit(1 if most.get("downs") else 0)


if __name__ == "__main__":
    main()
