"""Keyspaces added and altered while a real cluster runs."""

import json
import unittest

from cluster import ProcessTest, wait_until

NOTICE_SECONDS = 60


class EpochsTest(ProcessTest):
    def keyspaces(self, cluster, name):
        return {x["name"]: x for x in cluster.status(name)["keyspaces"]}

    def wait_for_keyspace(self, cluster, keyspace, nodes):
        for name in nodes:
            wait_until(
                lambda name=name: keyspace in self.keyspaces(cluster, name),
                NOTICE_SECONDS,
                f"{name} knows keyspace {keyspace}",
            )

    def add(self, cluster, name, *options, via="n1"):
        return cluster.covey("keyspace", "add", name, "--replication", "3", *options, via=via)

    def test_a_keyspace_is_added_used_altered_and_survives_kill_of_all(self):
        cluster = self.start_cluster(3)
        plan = json.loads(self.done(self.add(cluster, "photos", "--dry-run", "--json")))
        self.assertFalse(plan["decided"])
        self.assertNotIn("photos", self.keyspaces(cluster, "n1"))
        done = json.loads(self.done(self.add(cluster, "photos", "--json")))
        self.assertEqual((done["decided"], done["epoch"]), (True, plan["epoch"]))
        self.wait_for_keyspace(cluster, "photos", ["n1", "n2", "n3"])
        self.done(cluster.covey("--keyspace", "photos", "put", "k", "v", via="n3"))
        self.done(cluster.covey("keyspace", "alter", "photos", "--ttl-s", "86400", via="n2"))
        cluster.kill_all()
        cluster.start()
        cluster.wait_until_whole()
        for name in "n1", "n2", "n3":
            self.assertEqual(self.keyspaces(cluster, name)["photos"]["default_ttl_s"], 86400)
        text = self.done(cluster.covey("--keyspace", "photos", "get", "k", via="n2"))
        self.assertEqual(text.rstrip(), b"v")

    def test_changes_that_do_not_apply_are_refused(self):
        cluster = self.start_cluster(3)
        self.refused(self.add(cluster, "default"), 5, "exists already")
        self.refused(cluster.covey("keyspace", "alter", "no", "--ttl-s", "1"), 5, "no keyspace is called no")
        self.refused(cluster.covey("keyspace", "alter", "default", "--replication", "2"), 5, "cannot be altered")
        self.refused(cluster.covey("keyspace", "add", "big", "--replication", "4"), 5, "above the 3 members")
        self.refused(cluster.covey("keyspace", "add", "big", "--replication", "x"), 2, "--replication")

    def test_a_minority_decides_nothing_and_who_was_away_catches_up(self):
        cluster = self.start_cluster(3)
        cluster["n3"].kill()
        self.done(self.add(cluster, "photos"))
        cluster["n2"].kill()
        wait_until(
            lambda: cluster.members_up("n1") == {"n1"}, NOTICE_SECONDS, "n1 knows that it is alone"
        )
        self.refused(self.add(cluster, "films"), 3, "1 of 3 members that vote")
        cluster["n2"].start()
        cluster["n3"].start()
        self.wait_for_keyspace(cluster, "photos", ["n1", "n2", "n3"])
        self.assertNotIn("films", self.keyspaces(cluster, "n1"))


if __name__ == "__main__":
    unittest.main()
