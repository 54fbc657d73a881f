#!/usr/bin/env python3
"""Measures one exchange between two nodes on this machine.

usage: bench/repair.py [--keys 200000] [--value-bytes 100] [--stale 0,10,1000,100000]
                       [--knob NAME=VALUE]...

Starts two nodes with replication 2, without hints, and writes the keys. For
each number it stops n2, overwrites so many keys at n1, starts n2, and has
`covey repair` make both equal at n1; then the same once more, between equal
replicas. Bytes are all that either has sent for it, in messages and records;
"allowed" is three times the bytes of the stale records and 2 MB. Marked slots
are compared as soon as n2 is back: what that has sent is counted too.
"""

import argparse
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/process"))

from cluster import start_cluster, wait_until  # noqa: E402

# Of a record besides its value: key, versions, remembered request.
RECORD_BYTES = 80
LOAD_SECONDS = 900


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=200_000)
    parser.add_argument("--value-bytes", type=int, default=100)
    parser.add_argument("--stale", default="0,10,1000,100000")
    parser.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args()


def write(cluster, keys, salt, size):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
        for i in keys:
            value = f"{salt}-{i}-".ljust(size, "x")
            lines.write(json.dumps({"key": f"key-{i:08}", "value": value}) + "\n")
        lines.flush()
        client = cluster.start_covey(
            "--consistency", "ONE", "import", lines.name, via="n1"
        )
        client.communicate(timeout=LOAD_SECONDS)
        if client.returncode != 0:
            sys.exit(f"repair: the import ends with {client.returncode}")


def bytes_sent(cluster):
    return sum(cluster.statistic(n.name, "repair.bytes_sent") for n in cluster)


def repair(cluster):
    done = cluster.covey("--json", "repair", via="n1")
    if done.code != 0:
        sys.exit(f"repair ends with {done.code}: {done.err}{done.out}")
    return json.loads(done.out)


def row(what, keys, values):
    cells = [f"{what:<12}", f"{keys:>8}"] + [f"{x:>12}" for x in values]
    print(" ".join(cells), flush=True)


def measure(cluster, asked, stale):
    step = max(1, asked.keys // max(1, stale))
    cluster_before = cluster.statistic("n1", "repair.bytes_sent")
    if stale > 0:
        cluster["n2"].terminate()
        wait_until(
            lambda: "n2" not in (cluster.members_up("n1") or {"n2"}), 60, "n2 is away"
        )
        write(cluster, range(0, stale * step, step), f"stale{stale}", asked.value_bytes)
        cluster["n2"].start()
        cluster.wait_until_whole()
    # n2 counts anew since it has started.
    before = bytes_sent(cluster) if stale == 0 else cluster_before
    result = repair(cluster)
    allowed = 3 * stale * (RECORD_BYTES + asked.value_bytes) + 2_000_000
    sent = bytes_sent(cluster) - before
    row(
        "stale",
        stale,
        [result["differing"], result["sent"], sent, allowed, result["elapsed_ms"]],
    )
    before = bytes_sent(cluster)
    result = repair(cluster)
    row(
        "then equal",
        stale,
        [
            result["differing"],
            result["sent"],
            bytes_sent(cluster) - before,
            2_000_000,
            result["elapsed_ms"],
        ],
    )


def main():
    asked = arguments()
    knobs = {"hints.target-mb": 0, "repair.interval-s": 86400}
    knobs.update(knob.split("=", 1) for knob in asked.knob)
    keyspaces = {"default": {"replication": 2, "policy": "lww"}}
    cluster = start_cluster(2, keyspaces, knobs)
    try:
        write(cluster, range(asked.keys), "first", asked.value_bytes)
        print(f"{asked.keys} keys of {asked.value_bytes} bytes on each of two nodes")
        row("", "keys", ["slots differ", "records sent", "bytes", "allowed", "ms"])
        for stale in map(int, asked.stale.split(",")):
            measure(cluster, asked, stale)
    finally:
        cluster.terminate_all()
        cluster.close()


if __name__ == "__main__":
    main()
