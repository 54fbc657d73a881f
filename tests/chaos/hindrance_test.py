#!/usr/bin/env python3
"""What the chaos run does to its nodes has the effect that it should have."""

import random
import unittest

from faults import CutOff, Deaf, FullDisk, Mute, PowerCutOfAll, Slow, StalledDisk, ChaosCluster
from cluster import ProcessTest, wait_until

REACTION_SECONDS = 60
# No limit that a fault reaches by itself.
SHORT_TIMEOUT = ["--timeout-ms", "1000"]


class HindranceTest(ProcessTest):
    def setUp(self):
        self.cluster = ChaosCluster(3, {})
        self.own(self.cluster)
        self.addCleanup(self.cluster.end)
        self.cluster.start()

    def fault(self, kind):
        others = [x for x in self.cluster.nodes if x != "n3"]
        return kind(self.cluster, random.Random(1), others)

    def put_on_all(self, *options):
        return self.cluster.covey("put", "key", "v", "--consistency", "ALL", *options)

    def check_bites_and_heals(self, fault):
        self.done(self.put_on_all())
        fault.inject()
        self.refused(self.put_on_all(*SHORT_TIMEOUT), 3)
        fault.heal()
        wait_until(lambda: self.put_on_all().code == 0, REACTION_SECONDS, "all take writes")

    def check_is_missed(self, fault):
        fault.inject()
        for node in "n1", "n2":
            wait_until(
                lambda node=node: self.cluster.members_up(node) == {"n1", "n2"},
                REACTION_SECONDS,
                f"{node} misses n3",
            )
        fault.heal()
        self.cluster.wait_until_whole()

    def test_a_node_that_is_cut_off_is_missed_until_it_is_healed(self):
        self.check_is_missed(self.fault(CutOff))

    def test_a_node_that_nobody_hears_is_missed(self):
        self.check_is_missed(self.fault(Mute))

    def test_a_node_that_hears_nobody_does_not_take_writes(self):
        self.check_bites_and_heals(self.fault(Deaf))

    def test_links_slower_than_the_timeout_hold_up_writes(self):
        fault = self.fault(Slow)
        fault.delay_s = 5
        self.check_bites_and_heals(fault)

    def test_a_disk_whose_syncs_do_not_return_holds_up_writes(self):
        self.check_bites_and_heals(self.fault(StalledDisk))

    def test_a_full_disk_refuses_writes(self):
        fault = self.fault(FullDisk)
        fault.inject()
        log = self.cluster["n3"].log_text
        wait_until(lambda: "refuses writes" in log(), REACTION_SECONDS, "n3 refuses writes")
        self.refused(self.put_on_all(*SHORT_TIMEOUT), 3)
        fault.heal()
        wait_until(lambda: self.put_on_all().code == 0, REACTION_SECONDS, "all take writes")

    def test_a_power_cut_takes_what_was_not_synced_and_nothing_else(self):
        self.done(self.put_on_all())
        fault = PowerCutOfAll(self.cluster, random.Random(1))
        fault.inject()
        fault.heal()
        self.cluster.wait_until_whole()
        self.assertEqual(self.done(self.cluster.covey("get", "key")), b"v")


if __name__ == "__main__":
    unittest.main()
