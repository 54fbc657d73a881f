"""What goes on while a node is dead or frozen, and what comes back after it."""

import itertools
import json
import unittest

from cluster import ProcessTest, wait_until

RECOVERY_SECONDS = 30


class AvailabilityTest(ProcessTest):
    def put(self, cluster, key, value, *options, via):
        self.done(cluster.covey("put", key, value, *options, via=via))

    def check(self, cluster, key, value, *options, via):
        got = self.done(cluster.covey("get", key, *options, via=via))
        self.assertEqual(got.decode(), value)

    def wait_for_all(self, cluster, via):
        """Waits until a write and its read at ALL succeed through `via`."""
        attempts = itertools.count()

        def works():
            # A key of its own for each attempt: a refused put may have happened,
            # and the next one would be its sibling.
            key = f"back-{via}-{next(attempts)}"
            return all(
                cluster.covey(*verb, "--consistency", "ALL", via=via).code == 0
                for verb in (["put", key, "v"], ["get", key])
            )

        wait_until(works, RECOVERY_SECONDS, f"put and get at ALL succeed through {via}")

    def check_each_writes_what_all_read(self, cluster, tag, nodes, keys):
        """Puts through each of `nodes`, then gets each key through each of them."""
        for writer in nodes:
            for i in range(keys):
                self.put(cluster, f"{tag}-{writer}-{i}", f"{writer} {i}", via=writer)
        for reader in nodes:
            for writer in nodes:
                for i in range(keys):
                    with self.subTest(writer=writer, reader=reader, i=i):
                        key = f"{tag}-{writer}-{i}"
                        self.check(cluster, key, f"{writer} {i}", via=reader)

    def test_a_dead_node_of_three_is_missed_by_nobody_but_all(self):
        cluster = self.start_cluster(3)
        for i in range(20):
            self.put(cluster, f"old-{i}", f"old {i}", via="n2")
        cluster["n2"].kill()
        # At once: nobody has been told that it is dead.
        self.check_each_writes_what_all_read(cluster, "new", ["n1", "n3"], 10)
        for node in ["n1", "n3"]:
            for i in range(20):
                self.check(cluster, f"old-{i}", f"old {i}", via=node)
            with self.subTest(all_through=node):
                get = cluster.covey("get", "old-0", "--consistency", "ALL", via=node)
                self.refused(get, 3, "ALL needs 3 of 3 homes, 2 ", "n2")
                put = cluster.covey("put", "all", "v", "--consistency", "ALL", via=node)
                self.refused(put, 3, "ALL needs 3 of 3 homes, 2 ", "n2")
        cluster["n2"].start()
        cluster.wait_until_whole()
        for node in cluster.nodes:
            self.wait_for_all(cluster, node)
        for i in range(20):
            self.check(cluster, f"old-{i}", f"old {i}", via="n2")
            self.check(cluster, f"old-{i}", f"old {i}", "--consistency", "ALL", via="n2")
        for writer in ["n1", "n3"]:
            for i in range(10):
                self.check(cluster, f"new-{writer}-{i}", f"{writer} {i}", via="n2")

    def test_every_node_of_three_can_be_the_dead_one(self):
        cluster = self.start_cluster(3)
        for victim in list(cluster.nodes):
            cluster[victim].kill()
            survivors = [x for x in cluster.nodes if x != victim]
            self.check_each_writes_what_all_read(cluster, victim, survivors, 5)
            cluster[victim].start()
            cluster.wait_until_whole()

    def test_two_dead_nodes_of_three_leave_clear_errors_and_reads_at_one(self):
        cluster = self.start_cluster(3)
        self.put(cluster, "key", "value", "--consistency", "ALL", via="n1")
        cluster["n2"].kill()
        cluster["n3"].kill()
        put = cluster.covey("put", "other", "v", via="n1")
        self.refused(put, 3, "QUORUM needs 2 of 3 homes, 1 ")
        get = cluster.covey("get", "key", via="n1")
        self.refused(get, 3, "QUORUM needs 2 of 3 homes, 1 ")
        self.check(cluster, "key", "value", "--consistency", "ONE", via="n1")

    def test_a_client_with_several_nodes_finds_one_that_lives(self):
        cluster = self.start_cluster(3)
        self.put(cluster, "key", "value", via="n1 n2 n3")
        cluster["n1"].kill()
        self.check(cluster, "key", "value", via="n1 n2 n3")
        self.put(cluster, "other", "value", via="n1 n3")

    def test_a_client_with_several_nodes_finds_one_that_answers(self):
        cluster = self.start_cluster(3)
        cluster["n1"].freeze()
        self.put(cluster, "key", "value", via="n1 n2")
        self.check(cluster, "key", "value", via="n1 n3")
        cluster["n1"].thaw()

    def test_an_import_goes_on_when_the_node_that_it_talks_to_dies(self):
        cluster = self.start_cluster(3)
        count = 20000
        lines = cluster.home / "records.jsonl"
        acked = cluster.home / "acked"
        with open(lines, "w", encoding="utf-8") as out:
            for i in range(count):
                out.write(json.dumps({"key": f"k{i}", "value": f"v{i}" * 20}) + "\n")
        run = cluster.start_covey(
            "import", lines, "--ack-log", acked, "--json", via="n1 n2 n3"
        )
        wait_until(
            lambda: (acked.exists() and acked.stat().st_size > 0) or run.poll() is not None,
            30,
            "the import has begun",
        )
        self.assertIsNone(run.poll(), "the import was over before the node was killed")
        cluster["n1"].kill()
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, err.decode())
        self.assertEqual(json.loads(out)["acknowledged"], count, err.decode())
        exported = self.done(cluster.covey("export", via="n2"))
        self.assertEqual(len(set(exported.splitlines())), count)

    def test_a_node_that_is_no_home_of_a_key_finds_those_that_are(self):
        cluster = self.start_cluster(5)
        self.check_each_writes_what_all_read(cluster, "five", list(cluster.nodes), 10)
        for node in cluster.nodes:
            self.assertGreater(cluster.statistic(node, "requests.forwarded"), 0)

    def test_a_dead_node_of_five_is_missed_by_nobody(self):
        cluster = self.start_cluster(5)
        cluster["n3"].kill()
        survivors = [x for x in cluster.nodes if x != "n3"]
        self.check_each_writes_what_all_read(cluster, "dead", survivors, 10)

    def test_a_frozen_node_of_three_holds_up_no_quorum(self):
        cluster = self.start_cluster(3)
        for i in range(10):
            self.put(cluster, f"old-{i}", f"old {i}", via="n3")
        cluster["n3"].freeze()
        for node in ["n1", "n2"]:
            for i in range(10):
                self.check(cluster, f"old-{i}", f"old {i}", via=node)
        self.check_each_writes_what_all_read(cluster, "new", ["n1", "n2"], 10)
        cluster["n3"].thaw()
        for node in cluster.nodes:
            self.wait_for_all(cluster, node)
        for i in range(10):
            self.check(cluster, f"new-n1-{i}", f"n1 {i}", via="n3")

    def test_a_frozen_node_of_five_holds_up_no_quorum(self):
        cluster = self.start_cluster(5)
        cluster["n3"].freeze()
        survivors = [x for x in cluster.nodes if x != "n3"]
        self.check_each_writes_what_all_read(cluster, "new", survivors, 10)
        cluster["n3"].thaw()
        for node in cluster.nodes:
            self.wait_for_all(cluster, node)

    def test_requests_that_need_a_frozen_node_are_answered_by_their_deadline(self):
        cluster = self.start_cluster(3)
        self.put(cluster, "key", "old", via="n1")
        cluster["n2"].freeze()
        cluster["n3"].freeze()
        limit = ["--timeout-ms", "1000"]
        for node in ["n1", "n2"]:
            with self.subTest(through=node):
                put = cluster.covey("put", f"frozen-{node}", "v", *limit, via=node)
                self.refused(put, 3)
                self.refused(cluster.covey("get", "key", *limit, via=node), 3)
        cluster["n2"].thaw()
        cluster["n3"].thaw()
        for node in cluster.nodes:
            self.wait_for_all(cluster, node)
            self.check(cluster, "key", "old", via=node)

    def test_a_node_that_wakes_does_not_execute_what_its_client_gave_up(self):
        cluster = self.start_cluster(3, {"default": {"replication": 1}})
        key, other = [
            key
            for key in (f"key-{i}" for i in range(200))
            if self.homes(cluster, key) == ["n2"]
        ][:2]
        cluster["n2"].freeze()
        given_up = cluster.covey("put", key, "v", "--timeout-ms", "500", via="n1")
        self.refused(given_up, 3, "may have happened")
        cluster["n2"].thaw()
        wait_until(
            lambda: cluster.covey("put", other, "v", via="n1").code == 0,
            RECOVERY_SECONDS,
            "n2 takes writes again",
        )
        self.refused(cluster.covey("get", key, via="n2"), 1, "not found")

    def homes(self, cluster, key):
        return json.loads(self.done(cluster.covey("ring", key, "--json")))["homes"]


if __name__ == "__main__":
    unittest.main()
