"""Who gets in where nodes and clients speak TLS, and who does not."""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
import unittest

from cluster import (
    COVEY,
    PORT_POOL,
    Certificates,
    Cluster,
    ProcessTest,
    run_program,
    wait_until,
)

PATIENCE = 30

CERTIFICATES = None


def setUpModule():
    global CERTIFICATES
    CERTIFICATES = Certificates()
    unittest.addModuleCleanup(CERTIFICATES.close)


# Name, certificate, key and CA of files that must be refused, with the file to
# blame and the reason; for a node, and with "n1" replaced for a client.
BAD_FILES = [
    ("none.crt", "n1.key", "ca.crt", "none.crt", "No such file"),
    ("n1.crt", "none.key", "ca.crt", "none.key", "No such file"),
    ("n1.crt", "n1.key", "none.crt", "none.crt", "No such file"),
    ("garbage", "n1.key", "ca.crt", "garbage", "no certificate"),
    ("expired.crt", "n1.key", "ca.crt", "expired.crt", "expired"),
    ("early.crt", "n1.key", "ca.crt", "early.crt", "not valid before"),
    ("self.crt", "n1.key", "ca.crt", "self.crt", "not one of the CA"),
    ("n1.crt", "n1.key", "foreign/ca.crt", "n1.crt", "not one of the CA"),
    ("n1.crt", "n2.key", "ca.crt", "n2.key", "not the key"),
    ("n1.crt", "open.key", "ca.crt", "open.key", "chmod 600"),
    ("n1.crt", "encrypted.key", "ca.crt", "encrypted.key", "passphrase"),
]


class FilesTest(ProcessTest):
    """Wrong files are found before anything is opened or sent."""

    def test_a_node_does_not_start_with_files_that_cannot_work(self):
        cluster = Cluster(1)
        self.own(cluster)
        node = cluster["n1"]
        client_only = ("client.crt", "client.key", "ca.crt", "client.crt", "server")
        for certificate, key, ca, blamed, reason in [*BAD_FILES, client_only]:
            with self.subTest(certificate=certificate, key=key, ca=ca):
                knobs = CERTIFICATES.knobs(certificate, key, ca)
                refused = node.start_refused(**knobs)
                self.refused(refused, 1, CERTIFICATES.path(blamed) + ": ", reason)
                self.assertFalse(node.data.exists())

    def test_a_client_does_not_start_with_files_that_cannot_work(self):
        for certificate, key, ca, blamed, reason in BAD_FILES:
            with self.subTest(certificate=certificate, key=key, ca=ca):
                options = CERTIFICATES.options(certificate, key, ca)
                refused = run_program([COVEY, *options, "get", "key"])
                self.refused(refused, 2, CERTIFICATES.path(blamed) + ": ", reason)

    def test_tls_takes_all_three_files(self):
        cluster = Cluster(1)
        self.own(cluster)
        whole = CERTIFICATES.knobs("n1.crt", "n1.key")
        for missing in whole:
            refused = cluster["n1"].start_refused(**whole | {missing: ""})
            self.refused(refused, 1, missing + " is missing")
        options = CERTIFICATES.options()
        for i in range(0, 6, 2):
            command = [COVEY, *options[:i], *options[i + 2 :], "get", "key"]
            self.refused(run_program(command), 2, "--tls-cert", "--tls-ca")

    def test_without_tls_a_node_is_for_this_machine_alone(self):
        cluster = Cluster(1)
        self.own(cluster)
        alone = {"cluster.members": "[]", "node.address": "192.0.2.1"}
        refused = cluster["n1"].start_refused(**alone)
        self.refused(refused, 1, "192.0.2.1", "TLS", "security.insecure")
        # With TLS it is let through, to fail at what is not our address.
        knobs = alone | CERTIFICATES.knobs("n1.crt", "n1.key")
        self.refused(cluster["n1"].start_refused(**knobs), 1, "cannot listen")


def stranger_context(certificate=None, key=None):
    """A TLS client that takes anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(CERTIFICATES.path(certificate), CERTIFICATES.path(key))
    return context


@contextlib.contextmanager
def tls_server(certificate, key):
    """A server that takes anybody, and says nothing after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES.path(certificate), CERTIFICATES.path(key))
    listener = socket.create_server(("127.0.0.1", PORT_POOL.take()))

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                with context.wrap_socket(peer, server_side=True) as session:
                    session.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield "127.0.0.1:%d" % listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


class TlsClusterTest(ProcessTest):
    """A cluster of three with certificates."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.share_cluster(3, certificates=CERTIFICATES)

    def connect(self):
        return socket.create_connection(
            ("127.0.0.1", self.cluster["n1"].port), PATIENCE
        )

    def greeting(self, *identity):
        """What n1 says first to a TLS client; fails if it refuses it."""
        with stranger_context(*identity).wrap_socket(self.connect()) as session:
            return session.recv(32)

    def test_every_node_serves_and_sees_the_others(self):
        for node in self.cluster.nodes:
            self.assertEqual(self.cluster.members_up(node), {"n1", "n2", "n3"})
            self.done(self.cluster.covey("put", f"from-{node}", node, via=node))
        got = self.cluster.covey("--consistency", "ALL", "get", "from-n2", via="n3")
        self.assertEqual(self.done(got), b"n2")

    def test_the_files_of_a_client_can_come_from_the_environment(self):
        names = "COVEY_TLS_CERT", "COVEY_TLS_KEY", "COVEY_TLS_CA"
        files = CERTIFICATES.options()[1::2]
        command = ["env", *(f"{n}={f}" for n, f in zip(names, files))]
        nodes = self.cluster.addresses("n1")
        self.done(run_program([*command, COVEY, "--node", nodes, "status"]))

    def test_a_client_without_tls_is_told_what_may_be_wrong(self):
        plain = run_program([COVEY, "--node", self.cluster.addresses(), "get", "k"])
        self.refused(plain, 3, "if it uses TLS, so must we")

    def test_a_client_of_another_ca_is_refused_by_either_side(self):
        def get(ca):
            files = "foreign/client.crt", "foreign/client.key", ca
            options = CERTIFICATES.options(*files)
            nodes = self.cluster.addresses("n1")
            return run_program([COVEY, "--node", nodes, *options, "get", "k"])

        self.refused(get("foreign/ca.crt"), 3, "TLS failed", "verify failed")
        self.refused(get("both.crt"), 3, "TLS failed", "unknown ca")

    def test_a_node_refuses_clients_that_do_not_belong_to_it(self):
        self.assertTrue(self.greeting("client.crt", "client.key"))
        for certificate, key in [
            (None, None),
            ("client-expired.crt", "client.key"),
            ("client-self.crt", "client.key"),
            ("foreign/client.crt", "foreign/client.key"),
        ]:
            with self.subTest(certificate=certificate):
                with self.assertRaisesRegex(OSError, "alert|reset"):
                    self.greeting(*filter(None, (certificate, key)))

    def test_old_versions_of_tls_are_refused(self):
        context = stranger_context("client.crt", "client.key")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaisesRegex(OSError, "alert|reset"):
            context.wrap_socket(self.connect()).recv(1)

    def test_a_client_refuses_nodes_that_do_not_belong_to_it(self):
        for certificate, key, reason in [
            ("expired.crt", "n1.key", "expired"),
            ("self.crt", "n1.key", "self-signed"),
            ("foreign/n1.crt", "foreign/n1.key", "verify failed"),
            # A client's certificate makes no node.
            ("client.crt", "client.key", "certificate purpose"),
        ]:
            with self.subTest(certificate=certificate):
                with tls_server(certificate, key) as address:
                    command = [COVEY, "--node", address, *CERTIFICATES.options()]
                    refused = run_program(
                        [*command, "--timeout-ms", "2000", "get", "k"]
                    )
                    self.refused(refused, 3, "TLS failed", reason)

    def test_large_values_go_both_ways_at_once(self):
        value = "v" * 500_000
        lines = [json.dumps({"key": f"big-{i}", "value": value}) for i in range(60)]
        records = self.cluster.home / "records.jsonl"
        records.write_text("\n".join(lines) + "\n")
        command = ["--keyspace", "lww", "--timeout-ms", "60000"]
        running = []
        for node in self.cluster.nodes:
            running.append(
                self.cluster.start_covey(*command, "import", records, via=node)
            )
            running.append(self.cluster.start_covey(*command, "export", via=node))
        for process in running:
            _, err = process.communicate(timeout=240)
            self.assertEqual(process.returncode, 0, err)
        got = self.cluster.covey(*command, "export", via="n3")
        keys = [json.loads(line)["key"] for line in self.done(got).splitlines()]
        self.assertEqual(len([k for k in keys if k.startswith("big-")]), 60)


def basp_headers():
    """Headers of CAF that announce a payload of almost four gigabytes."""
    for operation in range(8):
        yield struct.pack("!BHBIQQQ", operation, 0, 0, 0xF0000000, 0, 0, 0)
        yield struct.pack("!BHBIQQQ", operation, 0, 0, 0xF0000000, 1, 2, 3)


class HostileTest(ProcessTest):
    """What strangers, and even friends, throw at the port."""

    # A node with an empty store takes about 30 MB.
    MOST_GROWTH_KB = 48 << 10

    def memory_kb(self, node):
        """The most that the node ever had resident."""
        with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
            return next(int(x.split()[1]) for x in status if x.startswith("VmHWM"))

    def cpu_seconds(self, node):
        with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as stat:
            return sum(map(int, stat.read().split()[13:15])) / 100

    @contextlib.contextmanager
    def thrown_at(self, node, missiles, wrap=lambda x: x):
        """Throws each over a connection of its own, and leaves them open."""
        with contextlib.ExitStack() as connections:
            for missile in missiles:
                raw = socket.create_connection(("127.0.0.1", node.port), PATIENCE)
                connection = connections.enter_context(wrap(raw))
                with contextlib.suppress(OSError):
                    connection.sendall(missile)
            yield

    def within_bounds(self, cluster, missiles, **how):
        """Throws, and has the node serve meanwhile and afterwards."""
        node = cluster["n1"]
        before = self.memory_kb(node)
        lww = "--keyspace", "lww"
        with self.thrown_at(node, missiles, **how):
            self.done(cluster.covey(*lww, "put", "key", "value"))
            self.assertEqual(self.done(cluster.covey(*lww, "get", "key")), b"value")
        self.assertEqual(cluster.members_up("n1"), {"n1", "n2"})
        self.assertLess(self.memory_kb(node) - before, self.MOST_GROWTH_KB)

    def test_strangers_cost_a_tls_node_little(self):
        cluster = self.start_cluster(2, certificates=CERTIFICATES)
        hello = self.client_hello()
        missiles = [
            b"GET / HTTP/1.0\r\n\r\n",
            bytes(range(256)) * 64,
            *basp_headers(),
            # Half a record, half a hello, a hello of 16 MB.
            hello[:3],
            hello[: len(hello) // 2],
            hello[:5] + b"\x01\xff\xff\xff" + hello[9:],
            b"\x16\x03\x01\xff\xff" + b"x" * 65535,
            hello,
        ]
        self.within_bounds(cluster, missiles * 4)
        # More than may be half-open at once.
        self.within_bounds(cluster, [b""] * 400)
        # The link to the other node has lived through all that.
        self.assertNotIn("is down", cluster["n1"].log_text())

    def test_silent_strangers_keep_no_core_busy(self):
        cluster = self.start_cluster(2, certificates=CERTIFICATES)
        node = cluster["n1"]
        with self.thrown_at(node, [b""] * 50):
            started, used = time.monotonic(), self.cpu_seconds(node)
            for _ in range(60):
                self.done(cluster.covey("status"))
            elapsed = time.monotonic() - started
            self.assertLess(self.cpu_seconds(node) - used, elapsed / 4)

    def test_announced_lengths_cost_no_memory(self):
        # Where anybody gets in, and where a friend with a certificate does.
        plain = self.start_cluster(2)
        self.within_bounds(plain, basp_headers())
        secured = self.start_cluster(2, certificates=CERTIFICATES)
        context = stranger_context("client.crt", "client.key")
        self.within_bounds(secured, basp_headers(), wrap=context.wrap_socket)

    def client_hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = stranger_context().wrap_bio(incoming, outgoing)
        with contextlib.suppress(ssl.SSLWantReadError):
            session.do_handshake()
        return outgoing.read()


class MixedTest(ProcessTest):
    """Nodes that do not belong together."""

    def test_nodes_of_different_cas_and_without_tls_stay_apart(self):
        cluster = Cluster(3, certificates=CERTIFICATES)
        self.own(cluster)
        cluster["n2"].knobs |= CERTIFICATES.knobs(
            "foreign/n2.crt", "foreign/n2.key", "foreign/ca.crt"
        )
        for knob in CERTIFICATES.knobs("", ""):
            del cluster["n3"].knobs[knob]
        for node in cluster:
            node.start()
        ways = {
            "n1": CERTIFICATES.options(),
            "n2": CERTIFICATES.options(
                "foreign/client.crt", "foreign/client.key", "foreign/ca.crt"
            ),
            "n3": [],
        }
        for name, options in ways.items():
            cluster.options = options
            wait_until(lambda n=name: cluster.status(n), PATIENCE, f"{name} serves")
        # By now each has tried the others.
        for name, options in ways.items():
            cluster.options = options
            self.assertEqual(cluster.members_up(name), {name})
            # TLS is not wrong, but the others are not there.
            self.refused(cluster.covey("put", "k", "v", "--timeout-ms", "500", via=name), 3)

    def test_a_tls_client_is_told_that_a_node_speaks_plain_text(self):
        cluster = self.start_cluster(1)
        command = [COVEY, "--node", cluster.addresses(), *CERTIFICATES.options()]
        refused = run_program([*command, "--timeout-ms", "2000", "get", "k"])
        self.refused(refused, 3, "TLS failed")

    def test_certificates_are_replaced_while_a_node_runs(self):
        certificates = Certificates()
        self.addCleanup(certificates.close)
        cluster = self.start_cluster(1, certificates=certificates)
        home = certificates.home
        for name in ["n1.crt", "n1.key", "ca.crt"]:
            (home / "foreign" / name).rename(home / name)
        self.refused(
            cluster.covey("get", "k", "--timeout-ms", "2000"), 2, "not one of the CA"
        )
        cluster.options = certificates.options("foreign/client.crt", "foreign/client.key")
        self.done(cluster.covey("put", "k", "v"))
        # A node goes on with what it has when the new files are wrong.
        (home / "n1.crt").write_text("garbage")
        self.done(cluster.covey("put", "k", "v"))
        self.assertIn("no certificate in PEM", cluster["n1"].log_text())


if __name__ == "__main__":
    unittest.main()
