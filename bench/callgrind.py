#!/usr/bin/env python3
"""Counts instructions per operation where the processor does not: under Valgrind.

usage: bench/callgrind.py [--puts 6000] [--seconds 20] [--clients 64]

Three fresh nodes and covey-bench run under callgrind, so all user-mode instructions are
counted, of every library, and none of the kernel's. Three runs: a few puts, many puts,
and a few puts with gets after them. Their differences are what a put and a get take at
QUORUM with fsync, without what starting and stopping takes. Needs valgrind. All is some
50 times slower, so that batches are what they are under a heavy load.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "process"))

FEW = 500
KEYSPACES = {"default": {"policy": "lww"}}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--puts", type=int, default=6000)
    parser.add_argument("--seconds", type=int, default=20, help="of gets")
    parser.add_argument("--clients", type=int, default=64)
    return parser.parse_args()


def wrap(folder, real):
    """Programs of the same names that run under callgrind and leave their counts."""
    for name in ("coveyd", "covey-bench"):
        script = folder / name
        script.write_text(
            "#!/bin/sh\n"
            f"exec valgrind -q --tool=callgrind --callgrind-out-file={folder}/{name}.%p.out"
            f" --log-file=/dev/null {real / name} \"$@\"\n"
        )
        script.chmod(0o755)
    (folder / "covey").symlink_to(real / "covey")


def take_counts(folder):
    """Instructions of the processes that have ended, by program."""
    counts = {}
    for out in folder.glob("*.out"):
        found = re.findall(r"^(?:totals|summary): (\d+)", out.read_text(), re.M)
        if not found:
            raise AssertionError(f"{out.name} holds no counts")
        name = out.name.split(".")[0]
        counts[name] = counts.get(name, 0) + int(found[-1])
        out.unlink()
    return counts


def run(folder, start_cluster, *options):
    """Operations done, and instructions by program."""
    cluster = start_cluster(3, KEYSPACES, {"limits.default-timeout-ms": "60000"})
    try:
        done = subprocess.run(
            [str(folder / "covey-bench"), "--json", "--node", cluster.addresses()]
            + ["--consistency", "QUORUM", "--timeout-ms", "60000", "--warm-up-s", "0"]
            + ["--distribution", "uniform", "--workload", "C", *map(str, options)],
            stdout=subprocess.PIPE, check=True,
        )
        cluster.terminate_all()
    finally:
        cluster.close()
    report = json.loads(done.stdout)
    phase = report["run"] or report["load"]
    if phase["error_count"]:
        raise AssertionError(f"requests failed: {phase['errors']}")
    return phase["latency_ms"]["all"]["count"], take_counts(folder)


def show(what, operations, counts, base):
    parts = {name: (counts[name] - base[name]) / operations for name in sorted(counts)}
    listed = ", ".join(f"{name} {n:,.0f}" for name, n in parts.items())
    print(f"{what}: {sum(parts.values()):,.0f} user-mode instructions ({listed})", flush=True)


def main():
    asked = arguments()
    if shutil.which("valgrind") is None:
        sys.exit("callgrind: valgrind is missing: install it")
    real = pathlib.Path(os.environ.get("COVEY_BIN", HERE.parent / "build/release")).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wrap(folder, real)
        os.environ["COVEY_BIN"] = name
        from cluster import start_cluster  # its programs are those of COVEY_BIN

        clients = ["--clients", asked.clients]
        load = ["--load", "--duration-s", 0, "--keys"]
        _, few = run(folder, start_cluster, *clients, *load, FEW)
        puts, many = run(folder, start_cluster, *clients, *load, FEW + asked.puts)
        show("a put", puts - FEW, many, few)
        gets, read = run(
            *[folder, start_cluster, *clients, "--load", "--keys", FEW],
            *["--duration-s", asked.seconds],
        )
        show("a get", gets, read, few)


if __name__ == "__main__":
    main()
