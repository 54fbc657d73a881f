"""The programs of examples/, as a reader would run them."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from cluster import BIN, ProcessTest, run_program, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = pathlib.Path(BIN) / "examples"
SECONDS = 120


class ExamplesTest(ProcessTest):
    def test_two_clients_fill_one_cart_and_nothing_is_lost(self):
        cluster = self.start_cluster(3)
        cart = run_program([EXAMPLES / "shopping_cart", cluster.addresses()])
        self.assertEqual(cart.code, 0, cart)
        self.assertIn(b"Items: 40 of 40", cart.out)
        self.assertIn(b"Alice's item 19", cart.out)
        self.assertIn(b"Bob's item 0", cart.out)

    def test_a_cart_without_a_cluster_says_so(self):
        self.assertEqual(run_program([EXAMPLES / "shopping_cart"]).code, 2)
        self.assertEqual(run_program([EXAMPLES / "shopping_cart", "nowhere"]).code, 2)

    def test_an_actor_puts_gets_and_sees_the_node_go_down(self):
        cluster = self.start_cluster(1)
        node = cluster["n1"]
        with tempfile.TemporaryFile() as said:
            watcher = subprocess.Popen(
                [EXAMPLES / "watching_actor", "127.0.0.1", str(node.port)], stdout=said
            )
            self.addCleanup(watcher.kill)

            def has_said(text):
                return text in os.pread(said.fileno(), 10_000, 0)

            wait_until(lambda: has_said(b"get: done, value hello"), SECONDS, "a get is answered")
            node.kill()
            wait_until(lambda: has_said(b"the node is down"), SECONDS, "the node is missed")
            self.assertEqual(watcher.wait(SECONDS), 0)


class PackageTest(ProcessTest):
    def test_another_project_finds_the_installed_library(self):
        build = pathlib.Path(BIN)
        with tempfile.TemporaryDirectory(prefix="covey-package-") as home:
            prefix, other = f"{home}/prefix", f"{home}/build"
            for command in (
                ["cmake", "--install", build, "--prefix", prefix],
                ["cmake", "-S", ROOT / "examples", "-B", other, "-G", "Ninja",
                 f"-DCMAKE_PREFIX_PATH={prefix}"],
                ["cmake", "--build", other, "--target", "shopping_cart"],
            ):  # fmt: skip
                done = run_program(command, seconds=280)
                self.assertEqual(done.code, 0, done)
            self.assertEqual(run_program([f"{other}/shopping_cart"]).code, 2)
            self.assertEqual(run_program([f"{prefix}/bin/covey", "--version"]).code, 0)


if __name__ == "__main__":
    unittest.main()
