"""Who is up, suspect or down: killed, frozen and paused nodes, seen by the others."""

import json
import time
import unittest

from cluster import Cluster, ProcessTest, wait_until

# Reaching it is a failure; the times that are measured are printed.
NOTICE_SECONDS = 60


class MembershipTest(ProcessTest):
    def members(self, cluster, observer):
        """What `covey members` tells, by name."""
        text = self.done(cluster.covey("members", "--json", via=observer))
        told = json.loads(text)
        self.assertEqual(told["node"], observer)
        return {x["name"]: x for x in told["members"]}

    def state(self, cluster, observer, name):
        return self.members(cluster, observer)[name]["state"]

    def wait_for_state(self, cluster, name, state):
        """Until all others that run see `name` so; returns the seconds it took."""
        began = time.monotonic()
        for node in cluster:
            if node.name != name and node.process:
                wait_until(
                    lambda node=node: self.state(cluster, node.name, name) == state,
                    NOTICE_SECONDS,
                    f"{node.name} sees {name} as {state}",
                )
        return time.monotonic() - began

    def sum_of(self, cluster, statistic):
        return sum(cluster.statistic(x.name, statistic) for x in cluster)

    def wait_until_known(self, cluster):
        """Until everybody has met everybody and hears heartbeats of all."""
        names = {x.name for x in cluster}

        def known(observer):
            members = self.members(cluster, observer)
            return set(members) == names and all(
                x["state"] == "up" and x["run"] > 0 and (x["name"] == observer or x["heartbeat"] > 0)
                for x in members.values()
            )

        for name in names:
            wait_until(lambda name=name: known(name), NOTICE_SECONDS, f"{name} knows all")

    def start_five(self):
        cluster = self.start_cluster(5)
        self.wait_until_known(cluster)
        return cluster

    def wait_for_heartbeats(self, cluster, count):
        """Until n2 has made so many more."""

        def heartbeat():
            return self.members(cluster, "n1")["n2"]["heartbeat"]

        before = heartbeat()
        wait_until(lambda: heartbeat() >= before + count, NOTICE_SECONDS, "heartbeats go on")

    def test_a_killed_node_is_down_everywhere_and_up_again_with_a_later_run(self):
        cluster = self.start_five()
        # n1 is dialled by nobody's peers but its own, n5 by all: both are noticed.
        for name in "n5", "n1":
            before = self.members(cluster, "n3")[name]["run"]
            cluster[name].kill()
            took = self.wait_for_state(cluster, name, "down")
            print(f"kill -9 of {name}: down everywhere after {took:.2f} s")
            seen = self.members(cluster, "n3")[name]
            self.assertGreaterEqual(len(seen["accusers"]), 2, seen)
            self.assertEqual(seen["run"], before)
            self.assertGreater(seen["since_us"], 0)
            text = self.done(cluster.covey("members", via="n3")).decode()
            line = next(x for x in text.splitlines() if x.startswith(name + " "))
            self.assertIn("down", line)
            self.assertIn(seen["accusers"][0], line)
            cluster[name].start()
            took = self.wait_for_state(cluster, name, "up")
            print(f"start of {name}: up everywhere after {took:.2f} s")
            self.assertGreater(self.members(cluster, "n3")[name]["run"], before)
            self.wait_until_known(cluster)

    def test_a_frozen_node_is_down_everywhere_and_up_again_when_it_thaws(self):
        cluster = self.start_five()
        cluster["n3"].freeze()
        began = time.monotonic()
        for observer in "n1", "n2", "n4", "n5":
            wait_until(
                lambda observer=observer: self.state(cluster, observer, "n3") == "down",
                NOTICE_SECONDS,
                f"{observer} sees n3 as down",
            )
        print(f"SIGSTOP of n3: down everywhere after {time.monotonic() - began:.2f} s")
        run = self.members(cluster, "n1")["n3"]["run"]
        cluster["n3"].thaw()
        took = self.wait_for_state(cluster, "n3", "up")
        print(f"SIGCONT of n3: up everywhere after {took:.2f} s")
        self.assertEqual(self.members(cluster, "n1")["n3"]["run"], run)
        self.assertGreaterEqual(cluster.statistic("n3", "members.pauses"), 1)
        self.assertEqual(cluster.statistic("n3", "members.accusations"), 0)
        self.assertEqual(cluster.statistic("n3", "members.downs"), 0)

    def test_a_freeze_of_three_seconds_makes_nobody_down(self):
        cluster = self.start_five()
        before = self.sum_of(cluster, "members.downs")
        cluster["n2"].freeze()
        # The length of the freeze is the test, not a wait for something.
        time.sleep(3)
        cluster["n2"].thaw()
        self.wait_for_heartbeats(cluster, 10)
        self.assertEqual(self.sum_of(cluster, "members.downs"), before)
        self.assertEqual(self.sum_of(cluster, "members.accusations"), 0)
        for node in cluster:
            for name, member in self.members(cluster, node.name).items():
                self.assertEqual(member["state"], "up", f"{name} as {node.name} sees it")

    def test_a_node_that_never_came_is_down_for_the_majority(self):
        cluster = Cluster(3)
        self.own(cluster)
        for name in "n1", "n2":
            cluster[name].start()
        cluster.wait_until_whole()
        for observer in "n1", "n2":
            wait_until(
                lambda observer=observer: self.state(cluster, observer, "n3") == "down",
                NOTICE_SECONDS,
                f"{observer} sees n3 as down",
            )
        self.assertEqual(self.members(cluster, "n1")["n3"]["run"], 0)
        cluster["n3"].start()
        self.wait_until_known(cluster)

    def test_the_last_of_three_accuses_nobody(self):
        cluster = self.start_cluster(3)
        self.wait_until_known(cluster)
        for name in "n2", "n3":
            cluster[name].signal(9)
        for name in "n2", "n3":
            cluster[name].wait()
        for name in "n2", "n3":
            wait_until(
                lambda name=name: self.state(cluster, "n1", name) != "up",
                NOTICE_SECONDS,
                f"n1 does not see {name} as up",
            )
        own = cluster.status("n1")["run"]
        self.assertEqual(self.members(cluster, "n1")["n1"]["run"], own)

        # It goes on to live without ever accusing both.
        def heartbeat():
            return self.members(cluster, "n1")["n1"]["heartbeat"]

        before = heartbeat()
        wait_until(lambda: heartbeat() >= before + 8, NOTICE_SECONDS, "heartbeats go on")
        states = {self.state(cluster, "n1", name) for name in ("n2", "n3")}
        self.assertNotIn("down", states)


if __name__ == "__main__":
    unittest.main()
