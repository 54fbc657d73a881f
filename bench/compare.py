#!/usr/bin/env python3
"""Compares a cluster of covey with others on this machine, in one run.

usage: bench/compare.py --loader FILE [--prototype FILE] [--peers FILE NAME]...

Starts three nodes of covey, the prototype of the data path (a C++ file, three
processes, port 740I speaks RESP) and the peers that a script starts by name
("FILE start NAME", "FILE info NAME" prints PIDS= and ENDPOINTS=, "FILE stop
NAME"). Loads them all, then measures cell after cell, each contestant in turn,
so that the noise of the machine meets them alike. covey is loaded by
covey-bench, the others by the loader (a script like bench_redis_like.sh: HOST
PORT, its knobs in the environment, medians in OUT/LABEL.median.csv).
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/process"))

from cluster import BIN, start_cluster, wait_until  # noqa: E402

# Clients, percentage of reads.
CELLS = [(1, 0), (1, 100), (64, 0), (64, 100), (64, 50)]
WORKLOADS = {0: "W", 50: "A", 100: "C"}


class Covey:
    def __init__(self, asked):
        self.name = f"covey, {asked.connections} connections"
        self.asked = asked
        self.cluster = start_cluster(3, {"default": {"policy": "lww"}})
        self.bench("--load", "--duration-s", 0)

    def bench(self, *options):
        pids = ",".join(str(node.process.pid) for node in self.cluster)
        command = [BIN / "covey-bench", "--json", "--node", self.cluster.addresses()]
        command += ["--pids", pids, "--keys", self.asked.keys, *options]
        command += ["--consistency", "QUORUM"]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)["run"]

    def measure(self, clients, reads):
        run = self.bench(
            *["--workload", WORKLOADS[reads], "--distribution", "uniform"],
            *["--clients", clients, "--connections", min(clients, self.asked.connections)],
            *["--duration-s", self.asked.seconds],
        )
        cpu = run["cpu"]["servers_s_per_1000_operations"]
        return run["throughput"], run["latency_ms"]["all"]["p50"], cpu

    def stop(self):
        self.cluster.terminate_all()
        self.cluster.close()


class Loaded:
    """Whatever the loader understands."""

    def load(self, asked, home, name, endpoints, pids):
        self.name, self.asked, self.home, self.cells = name, asked, home, 0
        self.environment = {
            "ENDPOINTS": endpoints,
            "PIDS": pids,
            "KEYS": str(asked.keys),
            "SECS": str(asked.seconds),
            "REPS": "1",
            "OUT": str(home / "results"),
            "LOCK": str(home / "lock"),
            "ETCD": "1" if name.startswith("etcd") else "0",
        }
        self.run_loader((1, 0), PRELOAD="1")

    def run_loader(self, cell, **knobs):
        self.cells += 1
        label = f"{self.name}-{self.cells}"
        knobs |= {"CELLS": f"{cell[0]}:100:{cell[1]}:u", "LABEL": label}
        address = self.environment["ENDPOINTS"].split(",")[0].split(":")
        subprocess.run(
            ["bash", self.asked.loader, *address],
            env=os.environ | self.environment | knobs,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        with open(self.home / "results" / f"{label}.median.csv") as file:
            return list(csv.DictReader(file))[-1]

    def measure(self, clients, reads):
        row = self.run_loader((clients, reads), PRELOAD="0")
        return (
            float(row["ops_s_median"]),
            float(row["p50_us"]) / 1000,
            float(row["srv_cpu_s_per_kops"]),
        )


class Prototype(Loaded):
    def __init__(self, asked, home):
        program = home / "prototype"
        libraries = ["-lcaf_core", "-lcaf_io", "-lwiredtiger", "-lpthread"]
        compiler = ["g++", "-std=c++17", "-O2", asked.prototype, "-o", program]
        subprocess.run([*compiler, *libraries], check=True)
        for i in range(3):
            (home / f"p{i}").mkdir()
        self.nodes = [
            subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program, f"--id={i}"]
                + [f"--resp=740{i}", "--basp=7500", f"--dir={home}/p{i}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for i in range(3)
        ]
        wait_until(lambda: all(map(port_is_open, (7400, 7401, 7402))), 60, "prototype")
        pids = ",".join(str(node.pid) for node in self.nodes)
        endpoints = "127.0.0.1:7400,127.0.0.1:7401,127.0.0.1:7402"
        self.load(asked, home, "prototype", endpoints, pids)

    def stop(self):
        for node in self.nodes:
            node.send_signal(signal.SIGKILL)
            node.wait()


class Peer(Loaded):
    def __init__(self, asked, home, script, name):
        self.command = ["bash", script]
        self.environment_of_script = os.environ | {"DATA": str(home / "peers")}
        self.peer = name
        self.control("start")
        words = dict(word.split("=", 1) for word in self.control("info").split())
        self.load(asked, home, name, words["ENDPOINTS"], words["PIDS"])

    def control(self, verb):
        done = subprocess.run(
            [*self.command, verb, self.peer],
            env=self.environment_of_script,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def stop(self):
        self.control("stop")


def port_is_open(port):
    return not subprocess.run(
        ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], stderr=subprocess.DEVNULL
    ).returncode


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loader", required=True, metavar="FILE")
    parser.add_argument("--prototype", metavar="FILE")
    parser.add_argument(
        "--peers", nargs=2, action="append", default=[], metavar=("FILE", "NAME")
    )
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    # The loader gives each client a connection of its own.
    parser.add_argument("--connections", type=int, default=1)
    return parser.parse_args()


def compare(contestants, repeats):
    print("medians; ops/s (of covey's), p50 in ms, server CPU s per 1,000 operations")
    for clients, reads in CELLS:
        figures = {x.name: [] for x in contestants}
        for _ in range(repeats):
            for x in contestants:
                figures[x.name].append(x.measure(clients, reads))
        print(f"{clients} clients, {reads} % reads")
        ours = statistics.median(x[0] for x in figures[contestants[0].name])
        for name, measured in figures.items():
            rate, p50, cpu = map(statistics.median, zip(*measured))
            share = rate / ours if ours else 0
            print(f"  {name:24} {rate:8.0f} ({share:.2f}) {p50:8.3f} {cpu:8.4f}", flush=True)


def main():
    asked = arguments()
    home = pathlib.Path(tempfile.mkdtemp(prefix="covey-compare-"))
    starters = [lambda: Covey(asked)]
    if asked.prototype:
        starters.append(lambda: Prototype(asked, home))
    for script, name in asked.peers:
        starters.append(lambda script=script, name=name: Peer(asked, home, script, name))
    contestants = []
    try:
        for start in starters:
            contestants.append(start())
        compare(contestants, asked.repeats)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"compare: exit code {failure.returncode} of {failure.cmd[:2]}: see above")
    finally:
        for x in contestants:
            x.stop()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
