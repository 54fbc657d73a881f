"""A killed node of five: nobody who uses the client library sees a failed request."""

import unittest

from cluster import ProcessTest
from kill_run import KEYSPACES, run_through_kill

RATE = 500
SECONDS = 10


class KillTest(ProcessTest):
    def check_nothing_fails(self, *options, held=0):
        cluster = self.start_cluster(5, KEYSPACES)
        report, killed_at = run_through_kill(
            cluster, "n3", RATE, SECONDS, 4, *options, held=held
        )
        run = report["run"]
        told = f"killed after {killed_at:.1f} s; " + "; ".join(
            f"{x['second']} s: {x['operations']} done, {x['errors']} failed, p99 {x['p99_ms']:.0f} ms"
            for x in run["series"]
        )
        print(told)
        self.assertEqual(run["errors"], {}, told)
        self.assertEqual(run["unanswered"], 0, told)
        self.assertGreaterEqual(run["latency_ms"]["all"]["count"], RATE * SECONDS, told)
        # What was loaded is still there.
        self.assertEqual(run["not_found"], 0, told)
        self.assertEqual(run["siblings"], 0, told)

    def test_no_request_fails_when_one_of_five_nodes_is_killed(self):
        self.check_nothing_fails()

    def test_none_fails_of_those_that_are_under_way_at_the_node(self):
        self.check_nothing_fails("--connections", 8, held=50)


if __name__ == "__main__":
    unittest.main()
