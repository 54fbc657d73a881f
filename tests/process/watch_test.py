"""What outside programs see of nodes that die, freeze, come back and crash inside."""

import datetime
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from cluster import (
    BIN,
    COVEY,
    Certificates,
    Cluster,
    ProcessTest,
    json_lines,
    run_program,
    wait_until,
)

EXAMPLES = pathlib.Path(BIN) / "examples"
# Long enough for a busy machine: reaching it is always a failure.
SECONDS = 60


class Watch:
    """A `covey watch` that runs, and what it has written."""

    def __init__(self, test, cluster, *arguments, via="n1"):
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [
                COVEY,
                *cluster.options,
                "--node",
                cluster.addresses(*via.split()),
                "--json",
                "watch",
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.out,
        )
        test.addCleanup(self.out.close)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)

    def events(self):
        size = os.fstat(self.out.fileno()).st_size
        whole, _, _ = os.pread(self.out.fileno(), size, 0).rpartition(b"\n")
        return json_lines(whole)

    def wait_for(self, event, node, start=0):
        """The first such event of the node from index `start` on, and its index."""

        def found():
            for i, x in enumerate(self.events()[start:], start):
                if x["event"] == event and x["node"] == node:
                    return i + 1, x
            return None

        i, x = wait_until(found, SECONDS, f"{event} of {node}")
        return i, x

    def wait_for_all_up(self, *nodes):
        return max(self.wait_for("node_up", node)[0] for node in nodes)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


def delay(event, since):
    at = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    return at.timestamp() - since


class WatchTest(ProcessTest):
    def test_a_killed_node_is_down_at_once_and_its_restart_is_seen(self):
        cluster = self.start_cluster(3)
        watch = Watch(self, cluster)
        after = watch.wait_for_all_up("n1", "n2", "n3")
        first = watch.wait_for("node_up", "n2")[1]
        self.assertIn("gateway", [x["name"] for x in first["children"]])
        killed = time.time()
        cluster["n2"].kill()
        i, down = watch.wait_for("node_down", "n2", after)
        print(f"down {1000 * delay(down, killed):.0f} ms after kill -9")
        self.assertIn("the connection broke", down["reason"])
        cluster["n2"].start()
        cluster.wait_until_whole()
        _, up = watch.wait_for("node_restarted", "n2", i)
        print(f"up {1000 * delay(up, killed):.0f} ms after it")
        self.assertEqual(up["previous_run"], first["run"])
        self.assertGreater(up["run"], first["run"])
        # Nobody else was reported.
        others = [x for x in watch.events()[after:] if x["node"] != "n2"]
        self.assertEqual(others, [])
        self.assertEqual(watch.interrupt(), 0)

    def test_the_node_that_told_the_members_may_die_too(self):
        cluster = self.start_cluster(3)
        watch = Watch(self, cluster, via="n1")
        after = watch.wait_for_all_up("n1", "n2", "n3")
        cluster["n1"].kill()
        cluster["n3"].kill()
        watch.wait_for("node_down", "n1", after)
        watch.wait_for("node_down", "n3", after)

    def test_a_frozen_node_is_silent_and_answers_again(self):
        cluster = self.start_cluster(1)
        watch = Watch(self, cluster, "--silence-ms", "200")
        after = watch.wait_for_all_up("n1")
        frozen = time.time()
        cluster["n1"].freeze()
        i, silent = watch.wait_for("node_silent", "n1", after)
        print(f"silent {1000 * delay(silent, frozen):.0f} ms after SIGSTOP")
        # Sooner or later its connection is given up.
        i, down = watch.wait_for("node_down", "n1", i)
        print(f"down {1000 * delay(down, frozen):.0f} ms after SIGSTOP")
        self.assertIn("silent before", down["reason"])
        cluster["n1"].thaw()
        _, up = watch.wait_for("node_up", "n1", i)
        self.assertEqual(up["run"], silent["run"])

    def test_a_clean_stop_says_so(self):
        cluster = self.start_cluster(1)
        watch = Watch(self, cluster)
        after = watch.wait_for_all_up("n1")
        self.assertEqual(cluster["n1"].terminate(), 0)
        _, down = watch.wait_for("node_down", "n1", after)
        self.assertEqual(down["reason"], "it was stopped")

    def test_a_node_that_is_not_there_yet_is_awaited(self):
        cluster = Cluster(1)
        self.own(cluster)
        watch = Watch(self, cluster)
        # It has no name yet.
        i, down = watch.wait_for("node_down", "")
        self.assertEqual(down["reason"], "connection refused")
        cluster.start()
        watch.wait_for("node_up", "n1", i)

    def test_once_tells_whether_all_are_up(self):
        cluster = self.start_cluster(3)
        once = cluster.covey("watch", "--once", "--json")
        nodes = {x["node"]: x for x in json.loads(self.done(once))["nodes"]}
        self.assertEqual({n: x["state"] for n, x in nodes.items()},
                         {"n1": "up", "n2": "up", "n3": "up"})  # fmt: skip
        names = [x["name"] for x in nodes["n1"]["children"]]
        self.assertEqual(names[0], "flusher")
        self.assertEqual(names[-1], "ticker")
        self.assertIn("peer-link/n2", names)
        cluster["n3"].kill()
        once = cluster.covey("watch", "--once")
        self.assertEqual(once.code, 3, once)
        self.assertIn(b"connection refused", once.out)
        # The others are whole.
        self.done(cluster.covey("watch", "--once", "--only-given", via="n1 n2"))

    def test_a_watch_ends_after_its_time(self):
        cluster = self.start_cluster(1)
        lines = self.done(cluster.covey("watch", "--for-s", 1)).decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"^\d{4}-\d\d-\d\dT[\d:.]+Z n1 \(\S+\) is up: run \d+")

    def test_output_that_cannot_be_written_ends_the_watch(self):
        cluster = self.start_cluster(1)
        with open("/dev/full", "wb") as full:
            ended = subprocess.run(
                [COVEY, "--node", cluster["n1"].address, "watch"],
                stdout=full, stderr=subprocess.PIPE, timeout=SECONDS, check=False,
            )  # fmt: skip
        self.assertEqual(ended.returncode, 3)
        self.assertIn(b"cannot write to stdout", ended.stderr)


class TlsWatchTest(ProcessTest):
    """The same where nodes let in nobody without a certificate."""

    def start_secured(self):
        certificates = Certificates()
        self.addCleanup(certificates.close)
        return self.start_cluster(3, certificates=certificates)

    def test_a_killed_node_is_down_and_its_restart_is_seen(self):
        cluster = self.start_secured()
        watch = Watch(self, cluster)
        after = watch.wait_for_all_up("n1", "n2", "n3")
        cluster["n2"].kill()
        i, down = watch.wait_for("node_down", "n2", after)
        self.assertIn("the connection broke", down["reason"])
        cluster["n2"].start()
        watch.wait_for("node_restarted", "n2", i)
        others = [x for x in watch.events()[after:] if x["node"] != "n2"]
        self.assertEqual(others, [])
        self.assertEqual(watch.interrupt(), 0)

    def test_a_frozen_node_is_silent_and_answers_again(self):
        cluster = self.start_secured()
        watch = Watch(self, cluster, "--silence-ms", "200")
        after = watch.wait_for_all_up("n1", "n2", "n3")
        cluster["n3"].freeze()
        i, _ = watch.wait_for("node_silent", "n3", after)
        i, _ = watch.wait_for("node_down", "n3", i)
        cluster["n3"].thaw()
        watch.wait_for("node_up", "n3", i)

    def test_who_has_no_certificate_meets_nobody(self):
        cluster = self.start_secured()
        cluster.options = []
        watch = Watch(self, cluster)
        _, down = watch.wait_for("node_down", "")
        self.assertIn("TLS", down["reason"])
        once = cluster.covey("watch", "--once")
        self.assertEqual(once.code, 3, once)
        self.assertEqual({x["event"] for x in watch.events()}, {"node_down"})


class SupervisingActorTest(ProcessTest):
    def test_an_actor_meets_the_next_run_of_a_node(self):
        cluster = Cluster(1)
        self.own(cluster)
        node = cluster["n1"]
        with tempfile.TemporaryFile() as said:
            actor = subprocess.Popen(
                [EXAMPLES / "supervising_actor", "127.0.0.1", str(node.port), "1"], stdout=said
            )
            self.addCleanup(actor.kill)

            def has_said(text):
                return text in os.pread(said.fileno(), 10_000, 0)

            cluster.start()
            wait_until(lambda: has_said(b"n1 is up: run"), SECONDS, "the node is met")
            node.kill()
            wait_until(lambda: has_said(b"the node is down"), SECONDS, "the node is missed")
            node.start()
            self.assertEqual(actor.wait(SECONDS), 0)
            self.assertTrue(has_said(b"it was started anew"))

    def test_wrong_arguments_are_refused(self):
        self.assertEqual(run_program([EXAMPLES / "supervising_actor"]).code, 2)


if __name__ == "__main__":
    unittest.main()
