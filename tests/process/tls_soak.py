#!/usr/bin/env python3
"""Full-duplex load over TLS for minutes; fails if it spins, hangs or loses a request.

usage: COVEY_BIN=build/release tests/process/tls_soak.py [--seconds 600]

Two commands import values of up to 200 KB and two export them, over and over,
through all nodes of three. Prints a line every 15 seconds. At the end the
nodes must be idle, see each other and stop cleanly.
"""

import argparse
import json
import random
import string
import sys
import threading
import time

from cluster import Certificates, start_cluster

# CPU seconds that an idle node may use in ten.
IDLE_CPU = 1.0
COMMAND = ["--keyspace", "lww", "--timeout-ms", "20000"]


def write_records(path):
    draw = random.Random(1)
    with open(path, "w", encoding="ascii") as out:
        for i in range(200):
            size = draw.choice([100, 10_000, 200_000])
            value = "".join(draw.choices(string.ascii_letters, k=size))
            out.write(json.dumps({"key": f"k{i}", "value": value}) + "\n")


class Load:
    """Commands that run one after the other until the end."""

    def __init__(self, cluster, seconds, records):
        self.cluster = cluster
        self.end = time.monotonic() + seconds
        self.done = {"import": 0, "export": 0}
        self.failed = 0
        self.longest = 0.0
        ways = ("import", "n1"), ("import", "n2"), ("export", "n3"), ("export", "n1")
        self.threads = [
            threading.Thread(target=self.repeat, args=(kind, node, records))
            for kind, node in ways
        ]
        for thread in self.threads:
            thread.start()

    def repeat(self, kind, node, records):
        arguments = [kind, records] if kind == "import" else [kind]
        while time.monotonic() < self.end:
            started = time.monotonic()
            outcome = self.cluster.covey(*COMMAND, *arguments, via=node)
            self.longest = max(self.longest, time.monotonic() - started)
            if outcome.code == 0:
                self.done[kind] += 1
            else:
                self.failed += 1
                print(f"{kind} through {node}: {outcome.err}", end="")

    def wait(self):
        while any(thread.is_alive() for thread in self.threads):
            time.sleep(min(15, max(1, self.end - time.monotonic())))
            print(f"{self.done}, failed {self.failed}, longest {self.longest:.1f} s")


def cpu_seconds(node):
    with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as stat:
        return sum(map(int, stat.read().split()[13:15])) / 100


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=600)
    seconds = parser.parse_args().seconds
    certificates = Certificates()
    cluster = start_cluster(3, certificates=certificates)
    try:
        records = cluster.home / "records.jsonl"
        write_records(records)
        load = Load(cluster, seconds, records)
        load.wait()
        time.sleep(5)
        used = [cpu_seconds(node) for node in cluster]
        time.sleep(10)
        used = [cpu_seconds(node) - x for node, x in zip(cluster, used)]
        print("idle, CPU seconds in 10:", " ".join(f"{x:.2f}" for x in used))
        whole = cluster.members_up("n1") == {"n1", "n2", "n3"}
        clean = cluster.terminate_all() == [0, 0, 0]
        return int(load.failed > 0 or max(used) > IDLE_CPU or not whole or not clean)
    finally:
        cluster.close()
        certificates.close()


if __name__ == "__main__":
    sys.exit(main())
