#!/usr/bin/env python3
"""Measures a fresh cluster on this machine with covey-bench.

usage: bench/cluster.py [--nodes 3] [--knob NAME=VALUE]... [--json | --instructions]
                        [-- 'COVEY-BENCH OPTIONS'...]

Starts nodes on loopback with their default settings (fsync, replication 3) in
a temporary directory (of TMPDIR), runs covey-bench with each of the given
option lists in turn, prints a row for each and stops the nodes. Without lists
it runs those of bench/README.md. Keyspace "default" is of policy lww, so that
blind updates do not pile up; "siblings" is the other one.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/process"))

from cluster import BIN, start_cluster  # noqa: E402

KEYSPACES = {"default": {"policy": "lww"}, "siblings": {"policy": "siblings"}}

SHORT = "--duration-s 3 --distribution uniform --consistency QUORUM"
STANDARD = [
    "--load --duration-s 0 --consistency QUORUM",
    f"{SHORT} --workload W --clients 64",
    f"{SHORT} --workload C --clients 64",
    f"{SHORT} --workload A --clients 64",
    f"{SHORT} --workload W --clients 1",
    f"{SHORT} --workload C --clients 1",
]

COLUMNS = [
    ("ops/s", 8, 0),
    ("p50", 8, 3),
    ("p99", 8, 3),
    ("p99.9", 8, 3),
    ("max", 9, 3),
    ("errors", 7, 0),
    ("servers", 8, 4),
    ("client", 8, 4),
    ("switches", 9, 1),
    ("others", 7, 2),
]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", action="store_true", help="a JSON object per list")
    parser.add_argument(
        "--instructions", action="store_true", help="runs bench/instructions.sh instead"
    )
    parser.add_argument("lists", nargs="*", metavar="OPTIONS")
    return parser.parse_args()


def pids_of(cluster):
    return ",".join(str(node.process.pid) for node in cluster)


def count_instructions(cluster, options):
    script = pathlib.Path(__file__).with_name("instructions.sh")
    arguments = ["--node", cluster.addresses(), *shlex.split(options)]
    print(options, flush=True)
    subprocess.run([script, pids_of(cluster), *arguments], check=False)


def measure(cluster, options):
    """Runs covey-bench once; its report, or an exit if there is none."""
    command = [str(BIN / "covey-bench"), "--json", "--node", cluster.addresses()]
    done = subprocess.run(
        [*command, "--pids", pids_of(cluster), *shlex.split(options)],
        stdout=subprocess.PIPE,
    )
    # An exit code other than 0 with a report means errors: the row counts them.
    if not done.stdout:
        sys.exit(f"cluster: covey-bench {options}: exit code {done.returncode}")
    return json.loads(done.stdout)


def row(options, phase):
    latency, cpu = phase["latency_ms"]["all"], phase["cpu"]
    values = [
        phase["throughput"],
        latency["p50"],
        latency["p99"],
        latency["p99.9"],
        latency["max"],
        phase["error_count"],
        cpu["servers_s_per_1000_operations"],
        cpu["own_s_per_1000_operations"],
        cpu["context_switches_per_operation"],
        cpu["other_cores"],
    ]
    cells = [
        f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"
        for value, (_, width, digits) in zip(values, COLUMNS)
    ]
    return " ".join(cells) + f"  {options}"


def main():
    asked = arguments()
    knobs = dict(knob.split("=", 1) for knob in asked.knob)
    cluster = start_cluster(asked.nodes, KEYSPACES, knobs)
    try:
        if not asked.json and not asked.instructions:
            print("latencies in ms, CPU in seconds per 1,000 operations, others in cores")
            print(" ".join(f"{name:>{width}}" for name, width, _ in COLUMNS) + "  options")
        for options in asked.lists or STANDARD:
            if asked.instructions:
                count_instructions(cluster, options)
                continue
            report = measure(cluster, options)
            if asked.json:
                print(json.dumps(report), flush=True)
                continue
            for phase in (report["load"], report["run"]):
                if phase:
                    print(row(options, phase), flush=True)
    finally:
        cluster.terminate_all()
        cluster.close()


if __name__ == "__main__":
    main()
