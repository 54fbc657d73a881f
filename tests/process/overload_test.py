"""More load than the nodes can take: bounded memory, clear errors, recovery."""

import json
import signal
import subprocess
import unittest

from cluster import BIN, ProcessTest, wait_until

STORM = str(BIN / "covey_storm")
RECOVERY_SECONDS = 30

# Small, so that what grows without a bound is seen soon.
LIMITS = {"limits.answers-mb": 64, "limits.client-answer-mb": 8, "storage.cache-mb": 64}
# What a node may be given these limits: cache, records and values, answers under
# way to clients, two links (64 MB each), and as much again for copies on their way
# through the actor runtime and what the allocator keeps.
BOUND_MB = 2 * (64 + 64 + 64 + 2 * 64)


def memory_mb(node, field="VmHWM"):
    """The most memory that a running node has had; VmRSS: has now."""
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) // 1024
    raise AssertionError(f"{node.name} has ended")


class Load:
    """A process that offers load from many clients, and counts what comes back."""

    def __init__(self, test, cluster, *options, via):
        command = [STORM, "--nodes", cluster.addresses(*via.split()), "--keyspace", "lww"]
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command, *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        test.addCleanup(self.close)
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError("the load process does not connect")
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def report(self):
        out, _ = self.process.communicate(timeout=120)
        if self.process.returncode != 0:
            raise AssertionError("the load process failed")
        return json.loads(out)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class OverloadTest(ProcessTest):
    def wait_for_requests(self, cluster, kind, more):
        """Waits until n1 has taken so many more gets or puts."""
        def taken():
            # A node under load may not tell its status in time.
            status = cluster.status("n1")
            return status["statistics"][f"requests.{kind}"] if status else 0

        enough = taken() + more
        wait_until(
            lambda: taken() >= enough,
            RECOVERY_SECONDS,
            f"{more} more {kind} reach n1",
        )

    def fill(self, cluster, *options):
        command = [STORM, "--nodes", cluster.addresses(), "--keyspace", "lww", "--fill"]
        subprocess.run([*command, *map(str, options)], check=True, timeout=60)

    def check_bounded(self, cluster, bound=BOUND_MB):
        for node in cluster:
            self.assertLess(memory_mb(node), bound, node.name)

    def check_recovered(self, cluster):
        for node in cluster.nodes:
            wait_until(
                lambda node=node: cluster.covey(
                    *["put", f"back-{node}", "v", "--keyspace", "lww"],
                    *["--consistency", "ALL"],
                    via=node,
                ).code
                == 0,
                RECOVERY_SECONDS,
                f"a put at ALL succeeds through {node}",
            )

    def test_gets_of_large_values_do_not_fill_the_memory(self):
        cluster = self.start_cluster(3, knobs=LIMITS)
        self.fill(cluster, "--keys", 1, "--value-bytes", 1000000)
        load = ["--clients", 20, "--window", 75, "--seconds", 3, "--reads", 100]
        report = Load(self, cluster, *load, "--keys", 1, via="n1").report()
        self.check_bounded(cluster)
        answered = {"ok", "overloaded"}
        others = sum(report.get(x, 0) for x in ("timed_out", "unavailable", "quorum_not_met"))
        self.assertGreater(report["ok"], 100)
        self.assertLess(others, 0.05 * sum(report.get(x, 0) for x in answered))
        self.check_recovered(cluster)
        self.assertEqual(cluster.statistic("n1", "answers.bytes"), 0)

    def test_a_client_that_does_not_read_costs_little(self):
        cluster = self.start_cluster(3, knobs=LIMITS)
        self.fill(cluster, "--keys", 1, "--value-bytes", 1000000)
        options = ["--clients", 1, "--window", 1000, "--seconds", 30, "--reads", 100]
        stuck = []
        for _ in range(4):
            stuck.append(Load(self, cluster, *options, "--keys", 1, via="n1"))
            # It has asked, and has not got much.
            self.wait_for_requests(cluster, "gets", 1)
            stuck[-1].process.send_signal(signal.SIGSTOP)
        get = ["get", "storm-0", "--keyspace", "lww"]
        # What they have asked for by now is worked off first.
        wait_until(
            lambda: cluster.covey(*get, via="n1").code == 0, RECOVERY_SECONDS, "n1 serves others"
        )
        for i in range(20):
            self.assertEqual(len(self.done(cluster.covey(*get, via="n1"))), 1000000, i)
        under_way = cluster.statistic("n1", "clients.bytes_under_way")
        self.assertGreater(under_way, 1000000)
        self.assertLess(under_way, 5 * 8 << 20)
        self.check_bounded(cluster)
        for load in stuck:
            load.close()
        wait_until(
            lambda: cluster.statistic("n1", "clients.bytes_under_way") == 0,
            RECOVERY_SECONDS,
            "nothing is under way to clients that are gone",
        )

    def test_a_frozen_node_under_load_is_missed_by_nobody(self):
        cluster = self.start_cluster(3, knobs=LIMITS)
        load = ["--clients", 8, "--window", 64, "--seconds", 9, "--reads", 30]
        run = Load(self, cluster, *load, "--value-bytes", 10000, via="n1 n2")
        self.wait_for_requests(cluster, "puts", 200)
        cluster["n3"].freeze()
        wait_until(
            lambda: "n3" not in (cluster.members_up("n1") or ["n3"]),
            RECOVERY_SECONDS,
            "n3 is missed",
        )
        self.wait_for_requests(cluster, "puts", 1000)
        cluster["n3"].thaw()
        report = run.report()
        self.check_bounded(cluster)
        failed = sum(n for code, n in report.items() if code in FAILURES)
        self.assertGreater(report["ok"], 500)
        self.assertLess(failed, 0.01 * report["ok"], report)
        self.check_recovered(cluster)

    def test_two_frozen_nodes_under_load_leave_clear_errors(self):
        cluster = self.start_cluster(3, knobs=LIMITS)
        load = ["--clients", 8, "--window", 64, "--seconds", 6, "--reads", 50]
        run = Load(self, cluster, *load, "--timeout-ms", 1000, via="n1")
        self.wait_for_requests(cluster, "puts", 200)
        cluster["n2"].freeze()
        cluster["n3"].freeze()
        report = run.report()
        # The last were asked at the end of the six seconds.
        self.assertLess(report["seconds"], 8)
        self.assertGreater(sum(report.get(x, 0) for x in ("unavailable", "overloaded")), 0)
        self.assertEqual(report.get("connection_lost", 0), 0)
        cluster["n2"].thaw()
        cluster["n3"].thaw()
        self.check_bounded(cluster)
        self.check_recovered(cluster)

    def test_more_than_the_nodes_can_do_is_refused_and_the_rest_is_done(self):
        cluster = self.start_cluster(3, knobs=LIMITS)
        few = ["--clients", 3, "--window", 32, "--seconds", 2]
        peak = Load(self, cluster, *few, via="n1 n2 n3").report()["ok_per_s"]
        many = ["--clients", 60, "--rate", int(10 * peak), "--seconds", 3]
        report = Load(self, cluster, *many, "--timeout-ms", 2000, via="n1 n2 n3").report()
        self.check_bounded(cluster)
        self.assertGreater(report["overloaded"], 0)
        # The load shares the processors with the nodes: no place for a figure.
        self.assertGreater(report["ok_per_s"], 0.1 * peak)
        self.check_recovered(cluster)


FAILURES = {"timed_out", "unavailable", "quorum_not_met", "connection_lost", "storage_failed"}

if __name__ == "__main__":
    unittest.main()
