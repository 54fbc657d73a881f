"""What a node missed while it was away is handed over to it when it is back."""

import json
import unittest

from cluster import ProcessTest, wait_until

KEYS = 10_000
REPLAY_SECONDS = 120


class HintsTest(ProcessTest):
    def import_at_quorum(self, cluster, via):
        """Writes all keys; returns them as the file has them."""
        lines = [
            json.dumps({"key": f"key-{i:05}", "value": f"value {i}"})
            for i in range(KEYS)
        ]
        self.done(
            cluster.covey(
                "--consistency",
                "QUORUM",
                "import",
                "-",
                via=via,
                stdin="\n".join(lines).encode(),
            )
        )

    def pending(self, cluster, name):
        status = cluster.status(name)
        return status and status["statistics"]["hints.pending"]

    def wait_for_replay(self, cluster):
        for node in cluster:
            wait_until(
                lambda node=node: self.pending(cluster, node.name) == 0,
                REPLAY_SECONDS,
                f"{node.name} has handed over its hints",
            )

    def check_all_at_one(self, cluster, name):
        """Every key, from the node itself at ONE, which asks no other home."""
        repairs = cluster.statistic(name, "requests.read_repairs")
        homes = {
            x["key"]: x["value"]
            for x in map(
                json.loads,
                self.done(
                    cluster.covey("--consistency", "ONE", "export", via=name)
                ).splitlines(),
            )
        }
        missing = [i for i in range(KEYS) if homes.get(f"key-{i:05}") != f"value {i}"]
        self.assertEqual(missing[:10], [], f"{len(missing)} of {KEYS} are missing")
        self.assertEqual(cluster.statistic(name, "requests.read_repairs"), repairs)
        for i in range(0, KEYS, 500):
            got = cluster.covey("get", f"key-{i:05}", "--consistency", "ONE", via=name)
            self.assertEqual(self.done(got).decode(), f"value {i}")

    def keep_and_return(self, size, restart_holders):
        cluster = self.start_cluster(size, keyspaces={"default": {"replication": 3}})
        dead = f"n{size}"
        others = [x.name for x in cluster if x.name != dead]
        cluster[dead].kill()
        for name in others:
            wait_until(
                lambda name=name: dead not in (cluster.members_up(name) or {dead}),
                60,
                f"{name} sees that {dead} is dead",
            )
        self.import_at_quorum(cluster, via=" ".join(others))
        kept = sum(self.pending(cluster, name) for name in others)
        self.assertGreater(kept, 0)
        if restart_holders:
            for name in others:
                cluster[name].kill()
            for name in others:
                cluster[name].start()
            cluster.wait_until_whole()
            again = sum(self.pending(cluster, name) for name in others)
            self.assertEqual(again, kept)
        cluster[dead].start()
        cluster.wait_until_whole()
        self.wait_for_replay(cluster)
        return cluster, dead, kept

    def test_three_nodes_keep_hints_themselves(self):
        cluster, dead, kept = self.keep_and_return(3, restart_holders=False)
        self.assertEqual(kept, KEYS)
        self.check_all_at_one(cluster, dead)

    def test_hints_survive_a_kill_of_those_who_keep_them(self):
        cluster, dead, kept = self.keep_and_return(3, restart_holders=True)
        self.assertEqual(kept, KEYS)
        self.check_all_at_one(cluster, dead)

    def test_five_nodes_keep_hints_at_fallbacks(self):
        for restart in False, True:
            with self.subTest(restart=restart):
                cluster, dead, _ = self.keep_and_return(5, restart)
                self.check_homes(cluster, dead)

    def check_homes(self, cluster, name):
        """Every key that is at home on `name`, with all other nodes dead."""
        keys = [f"key-{i:05}" for i in range(KEYS)]
        at_home = [
            key
            for key in keys[::100]
            if name
            in json.loads(self.done(cluster.covey("ring", key, "--json", via=name)))[
                "homes"
            ]
        ]
        self.assertGreater(len(at_home), 30)
        for node in cluster:
            if node.name != name:
                node.kill()
        for key in at_home:
            got = cluster.covey("get", key, "--consistency", "ONE", via=name)
            self.assertEqual(self.done(got).decode(), f"value {int(key[4:])}")


class QuorumTest(ProcessTest):
    def put(self, cluster, key, *options, via):
        return cluster.covey("put", key, "v", "--json", *options, via=via)

    def test_an_answer_says_whether_homes_alone_met_the_level(self):
        cluster = self.start_cluster(4, keyspaces={"default": {"replication": 3}})
        told = json.loads(self.done(self.put(cluster, "whole", via="n1")))
        self.assertTrue(told["homes"])
        homes = json.loads(self.done(cluster.covey("ring", "k", "--json")))["homes"]
        asked = homes[0]
        # Two of three homes are away: only with the fallback are two left.
        for name in homes[1:]:
            cluster[name].kill()
        for name in homes[1:]:
            wait_until(
                lambda name=name: name not in (cluster.members_up(asked) or {name}),
                60,
                f"{asked} sees that {name} is dead",
            )
        told = json.loads(self.done(self.put(cluster, "k", via=asked)))
        self.assertFalse(told["homes"])
        self.assertEqual((told["acked"], told["needed"]), (2, 2))
        self.refused(self.put(cluster, "k", "--strict", via=asked), 3, "QUORUM")

    def test_with_no_home_left_a_sloppy_put_is_parked_and_handed_over(self):
        cluster = self.start_cluster(5, keyspaces={"default": {"replication": 3}})
        where = json.loads(self.done(cluster.covey("ring", "k", "--json")))
        asked = where["fallbacks"][0]
        for name in where["homes"]:
            cluster[name].kill()
        for name in where["homes"]:
            wait_until(
                lambda name=name: name not in (cluster.members_up(asked) or {name}),
                60,
                f"{asked} sees that {name} is dead",
            )
        self.refused(self.put(cluster, "k", "--strict", via=asked), 3)
        told = json.loads(self.done(self.put(cluster, "k", via=asked)))
        self.assertFalse(told["homes"])
        # A fallback without homes is no answer to a read.
        self.refused(cluster.covey("get", "k", via=asked), 3)
        for name in where["homes"]:
            cluster[name].start()
        cluster.wait_until_whole()
        for name in where["fallbacks"]:
            wait_until(
                lambda name=name: cluster.statistic(name, "hints.pending") == 0,
                REPLAY_SECONDS,
                f"{name} has handed over its hints",
            )
        got = cluster.covey("get", "k", "--consistency", "ALL", via=asked)
        self.assertEqual(self.done(got), b"v")


if __name__ == "__main__":
    unittest.main()
