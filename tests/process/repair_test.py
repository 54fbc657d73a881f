"""A node that missed writes for good is made equal by `covey repair`."""

import json
import unittest

from cluster import ProcessTest, wait_until

KEYS = 5_000
NEW = 1_000


class RepairTest(ProcessTest):
    def put_all(self, cluster, via, keys, text):
        lines = [json.dumps({"key": f"key-{i:05}", "value": text(i)}) for i in keys]
        self.done(
            cluster.covey(
                "--consistency",
                "QUORUM",
                "import",
                "--overwrite",
                "-",
                via=via,
                stdin="\n".join(lines).encode(),
            )
        )

    def all_at_one(self, cluster, name):
        """Every key as the node itself has it: at ONE it asks no other home."""
        out = self.done(cluster.covey("--consistency", "ONE", "export", via=name))
        return {x["key"]: x["value"] for x in map(json.loads, out.splitlines())}

    def test_every_key_comes_back_to_a_node_without_hints(self):
        # No hints, and no comparison that is not asked for.
        cluster = self.start_cluster(
            3,
            keyspaces={"default": {"replication": 3}},
            knobs={"hints.target-mb": 0, "repair.interval-s": 86400},
        )
        self.put_all(cluster, "n1", range(KEYS), lambda i: f"old {i}")
        cluster["n3"].terminate()
        for name in ("n1", "n2"):
            wait_until(
                lambda name=name: "n3" not in (cluster.members_up(name) or {"n3"}),
                60,
                f"{name} sees that n3 is away",
            )
        stale = range(0, KEYS, 10)
        fresh = range(KEYS, KEYS + NEW)
        self.put_all(cluster, "n1 n2", stale, lambda i: f"new {i}")
        self.put_all(cluster, "n1 n2", fresh, lambda i: f"new {i}")
        self.assertEqual(cluster.statistic("n1", "hints.pending"), 0)
        self.assertGreater(cluster.statistic("n1", "repair.marked_slots"), 0)
        cluster["n3"].start()
        cluster.wait_until_whole()
        repairs = cluster.statistic("n3", "requests.read_repairs")
        result = json.loads(
            self.done(cluster.covey("--json", "repair", via="n3"))
        )
        print(result, flush=True)
        self.assertEqual(result["left"], 0)
        self.assertEqual(result["skipped"], [])
        self.assertEqual(result["compared"], result["slots"])
        expected = {f"key-{i:05}": f"old {i}" for i in range(KEYS)}
        expected.update({f"key-{i:05}": f"new {i}" for i in (*stale, *fresh)})
        self.assertEqual(self.all_at_one(cluster, "n3"), expected)
        self.assertEqual(cluster.statistic("n3", "requests.read_repairs"), repairs)
        status = cluster.status("n3")["statistics"]
        self.assertEqual(status["repair.never_compared_peers"], 0)
        self.assertLess(status["repair.compared_s_ago"], 120)
        # Of slots that are marked, the marks go once they were found equal.
        for name in ("n1", "n2"):
            wait_until(
                lambda name=name: cluster.statistic(name, "repair.marked_slots") == 0,
                60,
                f"{name} has compared what it has marked",
            )

    def test_usage(self):
        cluster = self.start_cluster(1, keyspaces={"default": {"replication": 1}})
        for slots in ("5-4", "16384", "a", "-1", "1-", "0-99999"):
            self.assertEqual(
                cluster.covey("repair", f"--slot={slots}").code, 2, slots
            )
        self.done(cluster.covey("repair", "--slot", "7"))


if __name__ == "__main__":
    unittest.main()
