#!/usr/bin/env python3
"""Offers a cluster of three nodes far more than it can do, and prints what came back.

Each phase is a line: requests answered, memory of the nodes, and goodput, as it was
and for each second of processor that the nodes got: load and nodes share this
machine, and the load runs at lower priority. First few clients find the peak. Then
all clients offer multiples of it, through the client library as it is and, at ten
times, with clients that send whatever the nodes answer; `_of_peak` compares with few
clients, `_of_best` with the best that the same clients got at any load.
Load of ten times what two cores serve needs more than two cores: `--node-cpu 0.4`
leaves the nodes that much of one core (a control group, as root), so that the load
program can offer it.
`--clients 2000 --processes 8` is the full storm; `--freeze n2 --seconds 60` stops a
node (or two: n2,n3) meanwhile.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "process"))

from cluster import BIN, start_cluster, wait_until  # noqa: E402

STORM = str(BIN / "covey_storm")


def memory_mb(node, field="VmRSS"):
    """Of a running node: VmRSS now, VmHWM at most so far."""
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) // 1024
    raise AssertionError(f"{node.name} has ended")


def cpu_s(cluster):
    """Seconds of processor that the nodes have used."""
    ticks = 0
    for node in cluster:
        with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def limited_cpu(cluster, cores):
    """Holds the nodes together to so much processor time; 0: no limit."""
    if not cores:
        yield
        return
    period_us = 10000
    quota_us = int(cores * period_us)
    unified = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
    root = pathlib.Path("/sys/fs/cgroup" if unified else "/sys/fs/cgroup/cpu")
    group = root / f"covey-storm-{os.getpid()}"
    group.mkdir()
    try:
        if unified:
            (group / "cpu.max").write_text(f"{quota_us} {period_us}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(period_us))
            (group / "cpu.cfs_quota_us").write_text(str(quota_us))
        for node in cluster:
            (group / "cgroup.procs").write_text(str(node.process.pid))
        yield
    finally:
        for node in cluster:
            (root / "cgroup.procs").write_text(str(node.process.pid))
        group.rmdir()


def merge(reports):
    total = {}
    for report in reports:
        for name, value in report.items():
            if name in ("seconds", "p50_ms", "p99_ms"):
                total[name] = max(total.get(name, 0), value)
            elif name == "first_errors":
                total[name] = {**value, **total.get(name, {})}
            else:
                total[name] = total.get(name, 0) + value
    return total


class Storm:
    """Load processes against some nodes of a cluster."""

    def __init__(self, cluster, *options, clients=1, processes=1, rate=0, loud=0, via=None):
        self.cluster = cluster
        nodes = cluster.addresses(*(via or []))
        self.running = [
            subprocess.Popen(
                [
                    *["setpriv", "--pdeathsig", "KILL", "nice", "-n", "15"],
                    *[STORM, "--nodes", nodes],
                    *["--clients", str(clients // processes)],
                    *["--rate", str(rate // processes)],
                    *["--loud", str(loud // processes)],
                    *map(str, options),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        for process in self.running:
            if not any(line == "ready\n" for line in process.stdout):
                raise AssertionError("a load process did not connect")

    def go(self):
        for process in self.running:
            process.stdin.write("go\n")
            process.stdin.flush()

    def report(self):
        lines = [process.communicate()[0] for process in self.running]
        if any(process.returncode != 0 for process in self.running):
            raise AssertionError("a load process failed")
        # CAF prints a word of its own now and then.
        lines = [x for text in lines for x in text.splitlines() if x.startswith("{")]
        if len(lines) != len(self.running):
            raise AssertionError("a load process said nothing")
        return merge(json.loads(line) for line in lines)

    def run(self):
        before = cpu_s(self.cluster)
        self.go()
        report = self.report()
        report["node_cpu_s"] = cpu_s(self.cluster) - before
        report["ok_per_cpu_s"] = report.get("ok", 0) / max(report["node_cpu_s"], 0.01)
        return report


def fill(cluster, *options, via=None):
    nodes = cluster.addresses(*(via or []))
    subprocess.run([STORM, "--nodes", nodes, "--fill", *map(str, options)], check=True)


def show(name, report, cluster, **compared):
    line = {"phase": name}
    for key, value in report.items():
        line[key] = round(value, 2) if isinstance(value, float) else value
    line["rss_mb"] = [memory_mb(x) for x in cluster]
    line["most_rss_mb"] = [memory_mb(x, "VmHWM") for x in cluster]
    for what, other in compared.items():
        for key in ("ok_per_s", "ok_per_cpu_s"):
            line[f"{key}_of_{what}"] = round(report[key] / other[key], 2)
    print(json.dumps(line), flush=True)


def freeze_meanwhile(cluster, names, seconds):
    def work():
        time.sleep(seconds * 0.1)
        for name in names:
            cluster[name].freeze()
        time.sleep(seconds * 0.7)
        for name in names:
            cluster[name].thaw()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def measure(cluster, args):
    what = ["--keys", args.keys, "--value-bytes", args.value_bytes]
    what += ["--keyspace", "lww"]
    fill(cluster, *what)
    what += ["--reads", args.reads, "--timeout-ms", args.timeout_ms]
    what += ["--seconds", args.seconds]
    if args.freeze:
        names = args.freeze.split(",")
        via = [x for x in cluster.nodes if x not in names]
        storm = Storm(
            *[cluster, *what, "--window", args.window],
            clients=args.clients, processes=args.processes, via=via,
        )
        freezer = freeze_meanwhile(cluster, names, args.seconds)
        report = storm.run()
        freezer.join()
        show(f"{args.freeze} stopped", report, cluster)
    else:
        short = ["--seconds", 5]
        peak = {}
        for window in (8, 32):
            report = Storm(cluster, *what, *short, "--window", window, clients=3).run()
            show(f"peak, 3 clients of {window}", report, cluster)
            peak = max(peak, report, key=lambda x: x.get("ok_per_s", 0))
        best = {}
        offers = [(float(x), ["--hold-back"]) for x in args.offered.split(",")]
        for times, how in [*offers, (offers[-1][0], []), (0, [])]:
            storm = Storm(
                *[cluster, *what, *how, "--window", args.window],
                clients=args.clients, processes=args.processes,
                rate=int(peak["ok_per_s"] * times), loud=args.loud,
            )
            report = storm.run()
            best = max(best, report, key=lambda x: x.get("ok_per_s", 0))
            name = f"offered {times} of the peak" if times else "windows"
            name += "" if how else ", all sent"
            show(f"{args.clients} clients, {name}", report, cluster, peak=peak, best=best)
    wait_until(
        lambda: cluster.covey("put", "after", "v", "--consistency", "ALL").code == 0,
        30,
        "the cluster takes a put at ALL",
    )
    report = Storm(cluster, *what, "--seconds", 5, "--window", 8, clients=3).run()
    show("afterwards", report, cluster)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--window", type=int, default=16, help="in flight per client")
    parser.add_argument("--offered", default="0.5,1,2,5,10", help="multiples of the peak")
    parser.add_argument("--loud", type=int, default=0, help="clients with most of the load")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--reads", type=int, default=50)
    parser.add_argument("--keys", type=int, default=10000)
    parser.add_argument("--value-bytes", type=int, default=100)
    parser.add_argument("--timeout-ms", type=int, default=5000)
    parser.add_argument("--freeze", default="", help="nodes stopped meanwhile: n2,n3")
    parser.add_argument("--node-cpu", type=float, default=0, help="cores that the nodes get")
    parser.add_argument("--knob", action="append", default=[], help="SECTION.KEY=VALUE")
    args = parser.parse_args()
    knobs = dict(x.split("=", 1) for x in args.knob)
    cluster = start_cluster(3, knobs=knobs)
    try:
        with limited_cpu(cluster, args.node_cpu):
            measure(cluster, args)
        statistics = cluster.status("n1")["statistics"]
        print(json.dumps({k: v for k, v in statistics.items() if not k.startswith("engine.")}))
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
