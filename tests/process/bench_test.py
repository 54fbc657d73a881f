"""What covey-bench does to a cluster, and what it tells of it."""

import json
import signal
import subprocess
import unittest

from cluster import BIN, ProcessTest, run_program, wait_until

BENCH = str(BIN / "covey-bench")

KEYSPACES = {"default": {"policy": "lww"}, "siblings": {"policy": "siblings"}}

SHORT = ["--duration-s", "1", "--warm-up-s", "0", "--keys", "200"]


class BenchTest(ProcessTest):
    def bench(self, cluster, *arguments):
        nodes = cluster.addresses()
        return run_program([BENCH, "--node", nodes, *map(str, arguments)])

    def report(self, cluster, *arguments, code=0):
        """The JSON of a run that must end with `code`."""
        outcome = self.bench(cluster, "--json", *arguments)
        self.assertEqual(outcome.code, code, outcome)
        self.assertEqual(outcome.out.count(b"\n"), 1)
        return json.loads(outcome.out)

    def check_phase(self, phase, *kinds):
        """A phase with operations of exactly these kinds, all of which succeeded."""
        self.assertGreater(phase["operations"], 0)
        self.assertGreater(phase["throughput"], 0)
        self.assertEqual(phase["errors"], {})
        self.assertEqual(phase["error_count"], 0)
        self.assertEqual(phase["unanswered"], 0)
        latency = phase["latency_ms"]
        self.assertEqual(set(latency) - {"all", "sent_late"}, set(kinds))
        counts = sum(latency[kind]["count"] for kind in kinds)
        self.assertEqual(latency["all"]["count"], counts)
        for x in latency.values():
            marks = [x[name] for name in ("p50", "p95", "p99", "p99.9", "max")]
            self.assertEqual(marks, sorted(marks))


class HealthyClusterTest(BenchTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.share_cluster(3, KEYSPACES)
        outcome = run_program(
            [BENCH, "--node", cls.cluster.addresses(), "--json"]
            + ["--load", "--duration-s", "0", "--keys", "200"]
        )
        assert outcome.code == 0, outcome
        cls.load = json.loads(outcome.out)
        # Before other tests insert it.
        cls.beyond = cls.cluster.covey("get", "user000000000200")

    def test_the_load_puts_every_key_once(self):
        self.assertIsNone(self.load["run"])
        self.check_phase(self.load["load"], "update")
        self.assertEqual(self.load["load"]["operations"], 200)
        for key in ["user000000000000", "user000000000199"]:
            value = self.done(self.cluster.covey("get", key))
            self.assertEqual(len(value), 100)
        self.assertEqual(self.beyond.code, 1)

    def test_a_closed_loop_reads_and_updates(self):
        pids = [node.process.pid for node in self.cluster]
        report = self.report(
            self.cluster, *SHORT, "--pids", ",".join(map(str, pids)), "--clients", "8"
        )
        run = report["run"]
        self.check_phase(run, "read", "update")
        self.assertEqual(run["not_found"], 0)
        self.assertEqual(run["siblings"], 0)
        self.assertEqual(report["clients"], 8)
        self.assertIsNone(report["load"])
        self.assertEqual([x["pid"] for x in run["cpu"]["servers"]], pids)
        self.assertFalse(any(x["ended"] for x in run["cpu"]["servers"]))
        self.assertGreaterEqual(run["cpu"]["servers_s_per_1000_operations"], 0)
        self.assertEqual(len(run["series"]), 1)
        self.assertLessEqual(run["series"][0]["operations"], run["operations"])

    def test_an_open_loop_sends_at_its_rate(self):
        report = self.report(
            self.cluster, *SHORT, "--rate", "200", "--workload", "W", "--connections", 2
        )
        run = report["run"]
        self.check_phase(run, "update")
        # Each second has its requests, however long they take to be answered.
        sent = run["latency_ms"]["all"]["count"]
        self.assertEqual(sent, run["latency_ms"]["sent_late"]["count"])
        self.assertGreaterEqual(sent, 200)

    def test_an_open_loop_that_cannot_keep_up_says_so(self):
        report = self.report(
            self.cluster,
            *SHORT,
            *["--rate", "1000000", "--max-in-flight", "1", "--workload", "C"],
            code=3,
        )
        run = report["run"]
        self.assertGreater(run["errors"]["not_sent"], 0)
        self.assertEqual(run["error_count"], run["errors"]["not_sent"])
        self.assertGreater(run["latency_ms"]["failed"]["max"], 0)

    def test_every_workload_runs(self):
        for name, kinds in {
            "B": {"read", "update"},
            "C": {"read"},
            "D": {"read", "insert"},
            "E": {"scan", "insert"},
            "F": {"read", "rmw"},
        }.items():
            with self.subTest(workload=name):
                report = self.report(
                    self.cluster, *SHORT, "--workload", name, "--clients", "16"
                )
                self.check_phase(report["run"], *kinds)

    def test_a_read_modify_write_leaves_no_siblings_behind(self):
        how = ["--keyspace", "siblings", "--clients", "1"]
        report = self.report(self.cluster, "--load", *SHORT, *how, "--workload", "F")
        self.check_phase(report["run"], "read", "rmw")
        self.assertEqual(report["run"]["siblings"], 0)

    def test_reads_of_keys_that_are_not_there_are_told(self):
        report = self.report(
            self.cluster,
            *["--keyspace", "siblings", "--workload", "C", "--duration-s", "1"],
            *["--keys", "1000000", "--distribution", "uniform"],
        )
        run = report["run"]
        self.check_phase(run, "read")
        self.assertGreater(run["not_found"], 0)

    def test_people_get_a_table(self):
        outcome = self.bench(self.cluster, *SHORT, "--workload", "C", "--series")
        text = self.done(outcome).decode()
        for word in ["workload C", "throughput", "p99.9", "read", "second"]:
            self.assertIn(word, text)
        self.assertEqual(outcome.err, "")

    def test_an_unknown_keyspace_is_an_error_of_its_own(self):
        report = self.report(
            self.cluster, *SHORT, "--keyspace", "nothing", "--clients", "1", code=5
        )
        self.assertEqual(set(report["run"]["errors"]), {"unknown_keyspace"})
        self.assertEqual(report["run"]["operations"], 0)

    def test_wrong_usage_is_refused_in_one_line(self):
        for arguments, word in [
            (["--workload", "G"], "--workload"),
            (["--rate", "5", "--clients", "5"], "--rate"),
            (["--pids", "n1"], "process id"),
            (["--duration-s", "0"], "nothing to do"),
        ]:
            with self.subTest(arguments=arguments):
                self.refused(self.bench(self.cluster, *arguments), 2, word)


class FailuresTest(BenchTest):
    def start_bench(self, cluster, *arguments):
        return subprocess.Popen(
            [BENCH, "--node", cluster.addresses(), "--json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self, process):
        out, err = process.communicate(timeout=60)
        self.assertEqual(err, b"")
        return process.returncode, json.loads(out)

    def test_errors_are_counted_by_kind(self):
        cluster = self.start_cluster(3, KEYSPACES)
        cluster["n3"].kill()
        with self.subTest("a quorum goes on without the dead node"):
            report = self.report(cluster, "--load", *SHORT)
            self.check_phase(report["run"], "read", "update")
        with self.subTest("all of them is one too many"):
            report = self.report(cluster, *SHORT, "--consistency", "ALL", code=3)
            run = report["run"]
            self.assertGreater(run["error_count"], 0)
            self.assertEqual(sum(run["errors"].values()), run["error_count"])
            self.assertEqual(run["operations"], 0)
            self.assertEqual(run["latency_ms"]["failed"]["count"], run["error_count"])
        with self.subTest("nobody answers"):
            cluster["n1"].kill()
            cluster["n2"].kill()
            limit = ["--timeout-ms", "300", "--clients", "4"]
            report = self.report(cluster, *SHORT, *limit, code=3)
            self.assertGreater(report["run"]["error_count"], 0)
            self.assertEqual(report["run"]["throughput"], 0)

    def test_an_interrupted_run_ends_with_a_report_that_names_the_dead(self):
        cluster = self.start_cluster(3, KEYSPACES)
        pids = ",".join(str(node.process.pid) for node in cluster)
        arguments = ["--keys", "100", "--duration-s", "3600", "--warm-up-s", "0"]
        process = subprocess.Popen(
            [BENCH, "--node", cluster.addresses(), "--json", "--pids", pids]
            + arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.kill)
        wait_until(
            lambda: cluster.statistic("n1", "requests.puts") > 0, 60, "the load arrives"
        )
        cluster["n3"].kill()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(err, b"")
        self.assertEqual(process.returncode, 3)
        run = json.loads(out)["run"]
        self.assertTrue(run["interrupted"])
        self.assertGreater(run["latency_ms"]["all"]["count"], 0)
        ended = [x["ended"] for x in run["cpu"]["servers"]]
        self.assertEqual(ended, [False, False, True])


if __name__ == "__main__":
    unittest.main()
