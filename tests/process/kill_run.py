"""A load of fixed rate during which one node is killed, second by second."""

import json
import subprocess
import time

from cluster import BIN, wait_until

BENCH = str(BIN / "covey-bench")

# Half gets, half blind updates: siblings would pile up.
KEYSPACES = {"default": {"policy": "lww"}}
WORKLOAD = ["--workload", "A", "--distribution", "uniform", "--keys", "10000"]

START_SECONDS = 60


def served(cluster, names):
    """Requests that these nodes have taken from clients."""
    return sum(
        cluster.statistic(name, f"requests.{kind}")
        for name in names
        for kind in ("puts", "gets")
    )


def run_through_kill(cluster, victim, rate, seconds, kill_after_s, *options, held=0):
    """Kills `victim` in the middle of a load through the client library.

    Returns the report of covey-bench, and when the node was killed, in seconds of the
    load. The load is open: requests begin at their times whatever comes back. The victim
    is stopped before, until the others have taken `held` requests: what was sent to it
    meanwhile is under way when it dies.
    """
    bench = [BENCH, "--json", "--node", cluster.addresses(), *WORKLOAD]
    subprocess.run(
        [*bench, "--load", "--duration-s", "0"], stdout=subprocess.DEVNULL, check=True
    )
    others = [x.name for x in cluster if x.name != victim]
    before = served(cluster, others)
    run = subprocess.Popen(
        [*bench, "--rate", str(rate), "--duration-s", str(seconds), "--warm-up-s", "0"]
        + [str(x) for x in options],
        stdout=subprocess.PIPE,
    )
    try:
        wait_until(lambda: served(cluster, others) > before, START_SECONDS, "the load begins")
        began = time.monotonic()
        enough = before + rate * kill_after_s * len(others) / (len(others) + 1)
        wait_until(lambda: served(cluster, others) >= enough, START_SECONDS, "load before it")
        if held:
            cluster[victim].freeze()
            enough = served(cluster, others) + held
            wait_until(lambda: served(cluster, others) >= enough, START_SECONDS, "load meanwhile")
        cluster[victim].kill()
        killed_at = time.monotonic() - began
        if run.poll() is not None:
            raise AssertionError("the load was over before the node was killed")
        out, _ = run.communicate(timeout=seconds + START_SECONDS)
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()
    return json.loads(out), killed_at
