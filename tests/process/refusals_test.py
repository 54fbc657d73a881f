"""What a node refuses to start with or to take, and how it says so."""

import errno
import glob
import os
import shutil
import subprocess
import unittest

from cluster import KEYSPACES, PORT_POOL, Cluster, ProcessTest, wait_until

REACTION_SECONDS = 30


class StartTest(ProcessTest):
    """Reasons not to start: exit code 1 and one line that says why."""

    def refused_to_start(self, node, *words, **knobs):
        return self.refused(node.start_refused(**knobs), 1, *words)

    def one_node(self):
        cluster = self.start_cluster(1)
        self.done(cluster.covey("put", "key", "value"))
        return cluster

    def check_serves(self, cluster):
        self.assertEqual(self.done(cluster.covey("get", "key")), b"value")
        self.done(cluster.covey("put", "another", "value"))

    def test_a_second_process_on_a_data_directory_is_turned_away(self):
        cluster = self.one_node()
        pid = str(cluster["n1"].process.pid)
        with_other_port = {"node.port": PORT_POOL.take(), "cluster.members": "[]"}
        node = cluster["n1"]
        self.refused_to_start(node, str(node.data), "in use", pid, **with_other_port)
        self.check_serves(cluster)

    def test_a_second_process_on_a_port_is_turned_away(self):
        cluster = self.one_node()
        node = cluster["n1"]
        other = {"node.data-directory": cluster.home / "other"}
        self.refused_to_start(node, node.address, "in use", "node.port", **other)
        self.check_serves(cluster)

    def test_a_wrong_knob_is_named(self):
        cluster = Cluster(1)
        self.own(cluster)
        node = cluster["n1"]
        wrong = [
            ("storage.cash-mb", "64", "storage.cash-mb"),
            ("storge.cache-mb", "64", "storge"),
            ("storage.shards", "0", "storage.shards"),
            ("storage.shards", "65", "storage.shards"),
            ("storage.shards", "many", "storage.shards"),
            ("storage.table-type", "hash", "storage.table-type"),
            ("links.timeout-ms", "99", "links.timeout-ms"),
            ("node.port", "65536", "node.port"),
            ("keyspaces.default.replication", "4", "keyspace default: replication 4"),
            ("keyspaces.default.policy", "newest", "keyspaces.default.policy"),
            ("keyspaces.default.read", "MOST", "keyspaces.default.read"),
        ]
        for knob, value, name in wrong:
            with self.subTest(knob=knob, value=value, given_in="the command line"):
                self.refused_to_start(node, name, **{knob: value})
        right = node.config.read_text()
        for line, word in [("cash-mb = 64", "storage.cash-mb"), ("shards = 0", "storage.shards")]:
            with self.subTest(line=line, given_in="the file"):
                node.config.write_text(f"{right}[storage]\n{line}\n")
                self.refused_to_start(node, word)
        self.assertFalse(node.data.exists())

    def test_every_wrong_knob_is_named_at_once(self):
        cluster = Cluster(1)
        self.own(cluster)
        knobs = {"storage.cash-mb": 64, "storage.shards": 0, "limits.siblings": 1}
        outcome = cluster["n1"].start_refused(**knobs)
        self.assertEqual(outcome.code, 1)
        for knob in knobs:
            self.assertIn(knob, outcome.err)

    def test_an_address_that_others_can_reach_needs_a_clear_consent(self):
        cluster = Cluster(1)
        self.own(cluster)
        alone = {"cluster.members": "[]", "node.address": "192.0.2.1"}
        self.refused_to_start(cluster["n1"], "192.0.2.1", "security.insecure", **alone)

    def test_a_configuration_that_is_not_there_is_named(self):
        cluster = Cluster(1)
        self.own(cluster)
        cluster["n1"].config.unlink()
        self.refused_to_start(cluster["n1"], str(cluster["n1"].config))

    def test_a_data_directory_that_is_a_file_is_refused(self):
        cluster = Cluster(1)
        self.own(cluster)
        cluster["n1"].data.write_text("not a directory")
        self.refused_to_start(cluster["n1"], str(cluster["n1"].data), "directory")
        self.assertEqual(cluster["n1"].data.read_text(), "not a directory")

    def test_the_data_of_another_node_is_refused(self):
        cluster = self.start_cluster(3)
        self.done(cluster.covey("put", "key", "value", "--consistency", "ALL"))
        cluster.terminate_all()
        other = {"node.data-directory": cluster["n1"].data}
        self.refused_to_start(cluster["n2"], "belongs to member", **other)
        cluster.start()
        self.check_serves(cluster)

    def test_what_is_fixed_at_creation_cannot_be_changed(self):
        cluster = self.one_node()
        cluster["n1"].terminate()
        for knob, value in [
            ("storage.shards", 2),
            ("storage.table-type", "lsm"),
            ("storage.compression", "snappy"),
        ]:
            with self.subTest(knob=knob):
                self.refused_to_start(cluster["n1"], knob, **{knob: value})
        cluster.start()
        self.check_serves(cluster)

    def test_a_missing_file_of_the_store_is_missed(self):
        for name in [
            "WiredTiger.turtle",
            "WiredTiger.wt",
            "data.0.wt",
            "system.wt",
            "MARKERS",
            "LAYOUT",
        ]:
            for stop in ("kill", "terminate"):
                with self.subTest(name=name, after=stop):
                    cluster = self.one_node()
                    getattr(cluster["n1"], stop)()
                    (cluster["n1"].data / name).unlink()
                    self.refused_to_start(cluster["n1"], name, "missing")

    def test_a_missing_or_shortened_log_of_the_engine_is_missed(self):
        # What was acknowledged since the last checkpoint is in the log alone.
        damages = {"missing": os.unlink, "shortened": lambda path: os.truncate(path, 1024)}
        for kind, damage in damages.items():
            with self.subTest(log=kind):
                cluster = self.one_node()
                node = cluster["n1"]
                node.kill()
                for path in glob.glob(f"{node.data}/WiredTigerLog.*"):
                    damage(path)
                self.refused_to_start(node, str(node.data), "missing")

    def test_an_emptied_data_directory_starts_empty_and_the_others_have_the_data(self):
        cluster = self.start_cluster(3)
        self.done(cluster.covey("put", "key", "value", "--consistency", "ALL"))
        cluster["n1"].kill()
        shutil.rmtree(cluster["n1"].data)
        cluster["n1"].start()
        cluster.wait_until_whole()
        for node in cluster.nodes:
            self.assertEqual(self.done(cluster.covey("get", "key", via=node)), b"value")


class ForeignPeerTest(ProcessTest):
    """A node whose configuration differs is kept out, and both sides say so."""

    def check_kept_out(self, cluster, why):
        """n3 is configured otherwise than n1 and n2."""
        for node in cluster:
            node.start()
        for node, peers in [("n1", ["n3"]), ("n2", ["n3"]), ("n3", ["n1", "n2"])]:
            for peer in peers:
                wait_until(
                    lambda node=node, peer=peer: any(
                        "error" in line and peer in line and why in line
                        for line in cluster[node].log_text().splitlines()
                    ),
                    REACTION_SECONDS,
                    f"the log of {node} says why {peer} is refused",
                )
        wait_until(
            lambda: cluster.members_up("n1") == {"n1", "n2"}, REACTION_SECONDS, "n2 is up"
        )
        self.done(cluster.covey("put", "key", "value", via="n1"))
        self.assertEqual(self.done(cluster.covey("get", "key", via="n2")), b"value")
        self.refused(cluster.covey("put", "key", "other", via="n3"), 3, "QUORUM needs")
        one = ["--consistency", "ONE"]
        self.refused(cluster.covey("get", "key", *one, via="n3"), 1, "not found")
        self.assertEqual(cluster.members_up("n3"), {"n3"})

    def test_a_node_with_other_keyspaces_is_kept_out(self):
        cluster = Cluster(3)
        self.own(cluster)
        cluster.write_config(cluster["n3"], KEYSPACES | {"extra": {"policy": "lww"}})
        self.check_kept_out(cluster, "keyspaces differ")

    def test_a_node_with_other_members_is_kept_out(self):
        cluster = Cluster(3)
        self.own(cluster)
        text = cluster["n3"].config.read_text()
        cluster["n3"].config.write_text(text.replace("rack=n1", "rack=n2"))
        self.check_kept_out(cluster, "members or keyspaces differ")

    def test_a_node_of_another_cluster_is_kept_out(self):
        cluster = Cluster(3)
        self.own(cluster)
        cluster["n3"].knobs["cluster.name"] = "other"
        self.check_kept_out(cluster, "cluster")


class FullDiskTest(ProcessTest):
    """A node on a small disk of its own, which the test fills."""

    # What the engine lays out at the start takes about 200 MB.
    DISK_MB = 400
    LEAST_FREE_MB = 64

    def small_disk(self, node):
        node.data.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={self.DISK_MB}m", "none", str(node.data)]
        mount = subprocess.run(["mount", *options], capture_output=True, check=False)
        if mount.returncode != 0:
            self.skipTest(f"cannot mount a small disk: {mount.stderr.decode().strip()}")
        self.addCleanup(self.unmount, node)
        node.knobs["storage.min-free-mb"] = self.LEAST_FREE_MB

    def unmount(self, node):
        # The cluster is closed after this, and removes the directory.
        if node.process:
            node.kill()
        subprocess.run(["umount", str(node.data)], check=True)

    def cluster_with_small_disk(self, size):
        cluster = Cluster(size)
        self.own(cluster)
        self.small_disk(cluster["n1"])
        cluster.start()
        return cluster

    def fill(self, node):
        filler = node.data / "filler"
        leave = self.LEAST_FREE_MB // 2 << 20

        def filled():
            with open(filler, "wb") as out:
                disk = os.statvfs(node.data)
                try:
                    free = disk.f_bavail * disk.f_bsize
                    os.posix_fallocate(out.fileno(), 0, free - leave)
                except OSError as failure:
                    # The engine took some of it in the meantime.
                    if failure.errno != errno.ENOSPC:
                        raise
                    return False
            return True

        wait_until(filled, REACTION_SECONDS, "the disk is full")
        return filler

    def test_a_full_disk_stops_writes_and_not_reads_until_there_is_room(self):
        cluster = self.cluster_with_small_disk(1)
        self.done(cluster.covey("put", "key", "value"))
        filler = self.fill(cluster["n1"])
        refused = wait_until(
            lambda: self.failed_put(cluster), REACTION_SECONDS, "writes are refused"
        )
        self.refused(refused, 3, "disk_full", "nothing was written")
        self.refused(cluster.covey("delete", "key"), 3, "disk_full")
        self.assertEqual(self.done(cluster.covey("get", "key")), b"value")
        self.assertIn(b'"value"', self.done(cluster.covey("export")))
        self.assertIn("warning", cluster["n1"].log_text())
        filler.unlink()
        wait_until(
            lambda: self.failed_put(cluster) is None, REACTION_SECONDS, "writes are taken"
        )
        self.assertEqual(self.done(cluster.covey("get", "key")), b"value")

    def failed_put(self, cluster):
        outcome = cluster.covey("put", "probe", "v", "--keyspace", "lww")
        return outcome if outcome.code != 0 else None

    def test_a_node_with_a_full_disk_is_missed_by_no_quorum(self):
        cluster = self.cluster_with_small_disk(3)
        self.done(cluster.covey("put", "key", "value", "--consistency", "ALL"))
        filler = self.fill(cluster["n1"])
        wait_until(
            lambda: "refuses writes" in cluster["n1"].log_text(),
            REACTION_SECONDS,
            "n1 says that it refuses writes",
        )
        for node in cluster.nodes:
            self.done(cluster.covey("put", f"new-{node}", node, via=node))
        for node in cluster.nodes:
            for writer in cluster.nodes:
                got = self.done(cluster.covey("get", f"new-{writer}", via=node))
                self.assertEqual(got.decode(), writer)
        filler.unlink()
        wait_until(
            lambda: cluster.covey("put", "key", "v", "--consistency", "ALL").code == 0,
            REACTION_SECONDS,
            "n1 takes writes again",
        )

    def test_a_node_on_a_full_disk_starts_again_and_serves_reads(self):
        cluster = self.cluster_with_small_disk(1)
        self.done(cluster.covey("put", "key", "value"))
        self.fill(cluster["n1"])
        cluster["n1"].kill()
        cluster.start()
        self.assertEqual(self.done(cluster.covey("get", "key")), b"value")
        # Recovery may have removed log files: no room but what it has left.
        filler = self.fill(cluster["n1"])
        refused = wait_until(
            lambda: self.failed_put(cluster), REACTION_SECONDS, "writes are refused"
        )
        self.refused(refused, 3, "disk_full")
        self.assertEqual(self.done(cluster.covey("get", "key")), b"value")
        filler.unlink()


if __name__ == "__main__":
    unittest.main()
