"""What was acknowledged is there after every end of a process."""

import base64
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

from cluster import Cluster, ProcessTest, json_lines, record_bytes, wait_until

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
LEAST_PACKAGES = 2000
MOST_RECORDS = 20000
SAMPLE = 50
SEED = 20261122


def package_lines():
    """The package index of this machine as lines for import; empty without one."""
    if shutil.which("apt-cache") is None:
        return []
    packages = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=False)
    script = [sys.executable, SCRIPTS / "packages-to-jsonl"]
    lines = subprocess.run(script, input=packages.stdout, capture_output=True, check=True)
    return lines.stdout.decode().splitlines()


def generated_lines():
    return [
        json.dumps({"key": f"key {i}", "value": f"value {i} " * 80})
        for i in range(MOST_RECORDS)
    ]


def import_lines():
    lines = package_lines()
    return lines[:MOST_RECORDS] if len(lines) >= LEAST_PACKAGES else generated_lines()


class FirstStartTest(ProcessTest):
    def test_a_node_that_is_killed_while_it_creates_its_store_starts_again(self):
        for name in ["LOCK", "LAYOUT", "WiredTiger.turtle", "data.0.wt", "system.wt", "MARKERS"]:
            with self.subTest(killed_at=name):
                cluster = Cluster(1)
                self.own(cluster)
                node = cluster["n1"]
                node.start()
                wait_until((node.data / name).exists, 30, f"{name} is there")
                node.kill()
                cluster.start()
                self.done(cluster.covey("put", "key", "value"))
                cluster.kill_all()
                cluster.start()
                self.assertEqual(self.done(cluster.covey("get", "key")), b"value")


class DurabilityTest(ProcessTest):
    @classmethod
    def setUpClass(cls):
        cls.lines = import_lines()
        cls.records = dict(record_bytes(json.loads(line)) for line in cls.lines)

    def setUp(self):
        self.cluster = self.start_cluster(3)
        self.file = self.cluster.home / "records.jsonl"
        self.file.write_text("\n".join(self.lines) + "\n")
        self.acked_file = self.cluster.home / "acked"

    def acked(self):
        """Keys of the whole lines of the log of acknowledgements."""
        if not self.acked_file.exists():
            return []
        text = self.acked_file.read_bytes()
        return [base64.b64decode(x) for x in text[: text.rfind(b"\n") + 1].split()]

    def begin_import(self, via):
        """Starts an import and returns it once a part is acknowledged."""
        run = self.cluster.start_covey(
            "import",
            self.file,
            "--ack-log",
            self.acked_file,
            "--timeout-ms",
            "2000",
            via=via,
        )
        self.addCleanup(self.end, run)
        wait_until(
            lambda: len(self.acked()) > len(self.records) // 10 or run.poll() is not None,
            60,
            "a tenth of the import is acknowledged",
        )
        self.assertIsNone(run.poll(), "the import was over before it was disturbed")
        return run

    def end(self, run):
        if run.poll() is None:
            run.kill()
        run.communicate()

    def finish_import(self, via):
        resumed = self.cluster.covey(
            "import",
            self.file,
            "--ack-log",
            self.acked_file,
            "--skip-acked",
            self.acked_file,
            via=via,
        )
        self.done(resumed)
        self.assertIn(" skipped", resumed.err)
        self.assertEqual(set(self.acked()), set(self.records))

    def exported(self, via):
        lines = json_lines(self.done(self.cluster.covey("export", via=via)))
        return dict(map(record_bytes, lines))

    def check_acked(self):
        """Every acknowledged key is there with its value, through any node."""
        acked = self.acked()
        self.assertGreater(len(acked), 0)
        # The last ones are those that the end of a process endangers.
        sample = random.Random(SEED).sample(acked, SAMPLE) + acked[-SAMPLE:]
        for node in self.cluster.nodes:
            for key in sample:
                key64 = base64.b64encode(key).decode()
                get = ["get", "--key64", key64, "--consistency", "QUORUM"]
                got = self.done(self.cluster.covey(*get, via=node))
                self.assertEqual(got, self.records[key])
        for node in self.cluster.nodes:
            records = self.exported(node)
            lost = [key for key in acked if records.get(key) != self.records[key]]
            self.assertEqual(
                len(lost), 0, f"of {len(acked)}, by an export through {node}: {lost[:3]}"
            )

    def check_complete(self):
        for node in self.cluster.nodes:
            self.assertTrue(self.exported(node) == self.records, node)

    def test_no_acknowledged_write_is_lost_when_every_node_is_killed_at_once(self):
        run = self.begin_import("n1")
        self.cluster.kill_all()
        # Ends the reading, so that what is left does not wait for its deadlines.
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        self.assertEqual(run.returncode, 3)
        self.assertLess(len(self.acked()), len(self.records))
        self.cluster.start()
        self.check_acked()
        self.finish_import("n1")
        self.check_complete()

    def test_no_acknowledged_write_is_lost_when_the_nodes_are_killed_again_and_again(self):
        for i in range(3):
            key = f"round {i}"
            for node in self.cluster.nodes:
                self.done(self.cluster.covey("put", f"{key} {node}", key, via=node))
            self.cluster.kill_all()
            self.cluster.start()
        for node in self.cluster.nodes:
            for i in range(3):
                for writer in self.cluster.nodes:
                    got = self.cluster.covey("get", f"round {i} {writer}", via=node)
                    self.assertEqual(self.done(got).decode(), f"round {i}")

    def test_a_node_stops_cleanly_in_the_middle_of_an_import_that_goes_on(self):
        run = self.begin_import("n1 n2 n3")
        self.assertEqual(self.cluster["n1"].terminate(), 0)
        self.check_stopped_cleanly("n1")
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, err.decode())
        self.cluster["n1"].start()
        self.cluster.wait_until_whole()
        self.assertEqual(set(self.acked()), set(self.records))
        self.check_acked()

    def test_all_nodes_stop_cleanly_in_the_middle_of_an_import(self):
        run = self.begin_import("n1")
        self.assertEqual(self.cluster.terminate_all(), [0, 0, 0])
        for node in self.cluster.nodes:
            self.check_stopped_cleanly(node)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        self.assertEqual(run.returncode, 3)
        self.cluster.start()
        self.check_acked()
        self.finish_import("n2")
        self.check_complete()

    def test_a_node_stops_cleanly_while_its_peers_are_dead(self):
        self.cluster["n2"].kill()
        self.cluster["n3"].kill()
        self.assertEqual(self.cluster["n1"].terminate(), 0)
        self.check_stopped_cleanly("n1")

    def test_a_node_stops_cleanly_while_a_peer_is_frozen(self):
        self.cluster["n2"].freeze()
        self.assertEqual(self.cluster["n1"].terminate(), 0)
        self.check_stopped_cleanly("n1")
        self.cluster["n2"].thaw()

    def check_stopped_cleanly(self, node):
        log = self.cluster[node].log_text()
        self.assertIn(f"node {node} has stopped", log)
        self.assertNotIn("not cleanly", log)

    def test_a_clean_stop_keeps_the_incarnation_and_a_kill_starts_another(self):
        # A context names every incarnation that has written the key, so that it
        # grows by one when another writes.
        incarnation_bytes = 8
        self.done(self.cluster.covey("put", "key", "first"))
        first = self.context()
        self.assertEqual(self.cluster["n1"].terminate(), 0)
        self.restart("n1")
        self.done(self.cluster.covey("put", "key", "second", "--context", first))
        second = self.context()
        self.assertLess(len(second) - len(first), incarnation_bytes)
        self.cluster["n1"].kill()
        self.restart("n1")
        self.done(self.cluster.covey("put", "key", "third", "--context", second))
        third = self.context()
        self.assertGreaterEqual(len(third) - len(second), incarnation_bytes)

    def restart(self, node):
        self.cluster[node].start()
        self.cluster.wait_until_whole()

    def context(self):
        got = self.done(self.cluster.covey("get", "key", "--json", via="n1"))
        return json.loads(got)["context"]

    def test_a_node_whose_disk_was_emptied_answers_no_read_until_it_is_refilled(self):
        n1 = self.cluster["n1"]
        records = [{"key": f"kept {i}", "value": str(i)} for i in range(40)]
        stdin = "\n".join(map(json.dumps, records)).encode()
        self.cluster["n3"].terminate()
        self.done(self.cluster.covey("import", "-", stdin=stdin, via="n2"))
        run = self.cluster.status("n1")["run"]
        n1.terminate()
        shutil.rmtree(n1.data)
        # A run is at least the time in seconds: it tells only from the next one on.
        wait_until(lambda: time.time() > run + 1, 10, "a later run")
        self.cluster["n3"].start()
        self.restart("n1")
        lost = n1.data / "LOST"
        wait_until(lost.exists, 30, "n1 knows that it has lost its disk")
        for record in records:
            for node in self.cluster.nodes:
                got = self.done(self.cluster.covey("get", record["key"], via=node))
                self.assertEqual(got.decode(), record["value"])
        alone = self.cluster.covey("get", "kept 1", "--consistency", "ALL")
        self.refused(alone, 3, "disk_lost")
        n1.terminate()
        lost.unlink()
        self.restart("n1")
        for name in ("n2", "n3"):
            self.cluster[name].terminate()
        for record in records:
            got = self.done(self.cluster.covey("get", record["key"], "--consistency", "ONE"))
            self.assertEqual(got.decode(), record["value"])

    def test_every_start_is_a_later_run(self):
        runs = [self.cluster.status("n1")["run"]]
        for stop in (self.cluster["n1"].terminate, self.cluster["n1"].kill):
            stop()
            self.restart("n1")
            runs.append(self.cluster.status("n1")["run"])
        self.assertEqual(runs, sorted(set(runs)))

    def test_data_survives_clean_stops_and_starts(self):
        self.done(self.cluster.covey("import", self.file, via="n1"))
        siblings = [self.cluster.covey("put", "cart", x) for x in ("apples", "pears")]
        for outcome in siblings:
            self.done(outcome)
        self.done(self.cluster.covey("put", "gone", "value"))
        gone = json_lines(self.done(self.cluster.covey("get", "gone", "--json")))[0]
        self.done(self.cluster.covey("delete", "gone", "--context", gone["context"]))
        for _ in range(2):
            self.assertEqual(self.cluster.terminate_all(), [0, 0, 0])
            self.cluster.start()
        expected = set(self.records.items()) | {(b"cart", b"apples"), (b"cart", b"pears")}
        for node in self.cluster.nodes:
            lines = json_lines(self.done(self.cluster.covey("export", via=node)))
            self.assertTrue(set(map(record_bytes, lines)) == expected, node)
            self.refused(self.cluster.covey("get", "gone", via=node), 1, "not found")


if __name__ == "__main__":
    unittest.main()
