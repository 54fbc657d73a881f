#!/usr/bin/env python3
"""What TLS costs: the same load on a three-node cluster, plain and with TLS.

usage: COVEY_BIN=build/release bench/tls_price.py [--rounds N] [--records N] [--bytes N]

Each round starts a fresh cluster of either kind, imports generated records
into an lww keyspace with 64 writes in flight, and runs `covey status` 300
times, a connection each. Prints operations a second, and CPU time for each
operation, nodes and client together; both of the best round, since the machine
may be shared.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests/process"))

from cluster import COVEY, Certificates, start_cluster  # noqa: E402


def cpu_seconds(nodes):
    """What the nodes' threads have used, in nanoseconds' precision."""
    total = 0
    for node in nodes:
        for task in pathlib.Path(f"/proc/{node.process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def measured(nodes, command):
    """Runs `command`; its seconds, and CPU seconds of it and of the nodes."""
    before = cpu_seconds(nodes), resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run(command, capture_output=True, check=True)
    seconds = time.monotonic() - started
    after = cpu_seconds(nodes), resource.getrusage(resource.RUSAGE_CHILDREN)
    client = sum(x.ru_utime + x.ru_stime for x in after[1:])
    client -= sum(x.ru_utime + x.ru_stime for x in before[1:])
    return seconds, after[0] - before[0] + client


def round_of(certificates, records, count):
    cluster = start_cluster(3, certificates=certificates)
    try:
        to = [COVEY, "--node", cluster.addresses("n1"), *cluster.options]
        lww = ["--keyspace", "lww"]
        put = [*to, *lww, "import", str(records), "--in-flight", "64"]
        seconds, cpu = measured(cluster, put)
        connect = ["sh", "-c", 'for i in $(seq 300); do "$@" >/dev/null; done', "-"]
        c_seconds, c_cpu = measured(cluster, [*connect, *to, "status"])
        return {
            "puts/s": count / seconds,
            "CPU us/put": cpu / count * 1e6,
            "commands/s": 300 / c_seconds,
            "CPU us/command": c_cpu / 300 * 1e6,
        }
    finally:
        cluster.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--bytes", type=int, default=1000)
    given = parser.parse_args()
    certificates = Certificates()
    values = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        records = pathlib.Path(folder) / "records.jsonl"
        with open(records, "w", encoding="ascii") as out:
            for i in range(given.records):
                value = "%0*x" % (given.bytes, values.getrandbits(given.bytes * 4))
                out.write(json.dumps({"key": f"user{i}", "value": value}) + "\n")
        results = {"plain": [], "TLS": []}
        for _ in range(given.rounds):
            results["plain"].append(round_of(None, records, given.records))
            results["TLS"].append(round_of(certificates, records, given.records))
    certificates.close()
    print(f"{given.records} records of {given.bytes} bytes, load {os.getloadavg()[0]}")
    for name in results["plain"][0]:
        pick = max if name.endswith("/s") else min
        plain, tls = (pick(x[name] for x in results[k]) for k in ("plain", "TLS"))
        print(f"{name:16} plain {plain:9.0f}  TLS {tls:9.0f}  {tls / plain:5.2f}x")


if __name__ == "__main__":
    main()
