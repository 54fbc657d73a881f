"""Clusters of real coveyd processes on 127.0.0.1, and the test case that owns them."""

import base64
import collections
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("COVEY_BIN", "build/release")).resolve()
COVEYD = str(BIN / "coveyd")
COVEY = str(BIN / "covey")

# Below the range from which the system gives ports to outgoing connections.
PORTS = range(20000, 30000)

KEYSPACES = {"default": {"policy": "siblings"}, "lww": {"policy": "lww"}}

# Long enough for a busy machine: reaching one of these is always a failure.
START_SECONDS = 60
STOP_SECONDS = 60
COMMAND_SECONDS = 60

# Whoever runs the tests may have set these for a cluster of theirs.
for name in "COVEY_TLS_CERT", "COVEY_TLS_KEY", "COVEY_TLS_CA":
    os.environ.pop(name, None)

TLS_OPTIONS = "--tls-cert", "--tls-key", "--tls-ca"

Outcome = collections.namedtuple("Outcome", "code out err")


def wait_until(condition, seconds, what):
    """Returns the first true value of `condition`; fails if there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def run_program(command, stdin=b"", seconds=COMMAND_SECONDS):
    """Runs `command` to its end; fails if it does not end in time."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise AssertionError(
            f"does not end within {seconds} s: {command}; stderr: {expired.stderr}"
        ) from None
    return Outcome(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def record_bytes(record):
    """Key and value of a line of `covey export` or `get --json`, as bytes."""

    def field(name):
        if name in record:
            return record[name].encode()
        return base64.b64decode(record[name + "64"])

    return field("key"), field("value")


def to_base64(data):
    return base64.b64encode(data).decode()


class Certificates:
    """What tests/certificates.sh makes, in a temporary directory."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="covey-certs-"))
        subprocess.run([TESTS / "certificates.sh", self.home], check=True)

    def path(self, name):
        return str(self.home / name)

    def knobs(self, certificate, key, ca="ca.crt"):
        """The section `security` of a node."""
        return {
            "security.certificate": self.path(certificate),
            "security.key": self.path(key),
            "security.ca-file": self.path(ca),
        }

    def options(self, certificate="client.crt", key="client.key", ca="ca.crt"):
        """The options of `covey`."""
        files = self.path(certificate), self.path(key), self.path(ca)
        return [x for o, f in zip(TLS_OPTIONS, files) for x in (o, f)]

    def close(self):
        shutil.rmtree(self.home)


class PortPool:
    """Ports that no other test takes while this process lives."""

    def __init__(self):
        self.claims = []
        self.candidates = iter(PORTS)

    def take(self):
        for port in self.candidates:
            # An abstract name: exclusive on this machine, gone with the process.
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                claim.bind(f"\0covey-test-port-{port}")
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
            self.claims.append(claim)
            return port
        raise AssertionError("no port is free")


PORT_POOL = PortPool()


class Node:
    """One coveyd, which may be started more than once."""

    def __init__(self, name, port, home):
        self.name = name
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.data = home / name
        self.config = home / f"{name}.conf"
        self.log = home / f"{name}.log"
        self.knobs = {}
        self.process = None

    def command(self, **replaced):
        knobs = self.knobs | replaced
        return [COVEYD, f"--config-file={self.config}"] + [
            f"--{knob}={value}" for knob, value in knobs.items()
        ]

    def start(self):
        assert self.process is None, f"{self.name} runs already"
        with open(self.log, "ab") as log:
            # The nodes go when the test is killed, too.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start_refused(self, **replaced):
        """Starts the node, which must end by itself, and returns how it did."""
        return run_program(self.command(**replaced), seconds=START_SECONDS)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def terminate(self):
        """Asks for a clean stop and returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        process, self.process = self.process, None
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(
                f"{self.name} does not stop within {STOP_SECONDS} s"
            ) from None

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def ended_by_itself(self):
        return self.process is not None and self.process.poll() is not None


class Cluster:
    """Nodes n1, n2, ... of one cluster, with what they need in a temporary directory."""

    node_type = Node

    def __init__(self, size=3, keyspaces=None, knobs=None, certificates=None):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="covey-process-"))
        self.nodes = {}
        # What every command is given: with certificates, how to be let in.
        self.options = certificates.options() if certificates else []
        for i in range(1, size + 1):
            node = self.node_type(f"n{i}", PORT_POOL.take(), self.home)
            # A node that comes back is met soon.
            node.knobs = {"links.retry-max-ms": 250} | (knobs or {})
            if certificates:
                node.knobs |= certificates.knobs(f"n{i}.crt", f"n{i}.key")
            self.nodes[node.name] = node
        for node in self.nodes.values():
            self.write_config(node, keyspaces or KEYSPACES)
        self.last_words = ""

    def __getitem__(self, name):
        return self.nodes[name]

    def __iter__(self):
        return iter(self.nodes.values())

    def write_config(self, node, keyspaces):
        members = ", ".join(f'"{x.name}={x.address} rack={x.name}"' for x in self)
        lines = [
            "[cluster]",
            'name = "process-test"',
            f"members = [{members}]",
            "[node]",
            f'name = "{node.name}"',
            f'data-directory = "{node.data}"',
            f"port = {node.port}",
            f'rack = "{node.name}"',
        ]
        for name, knobs in keyspaces.items():
            lines.append(f"[keyspaces.{name}]")
            lines += [f"{knob} = {json.dumps(value)}" for knob, value in knobs.items()]
        node.config.write_text("\n".join(lines) + "\n")

    def start(self):
        for node in self:
            node.start()
        self.wait_until_whole()

    def wait_until_whole(self):
        """Waits until every node that runs sees every node that runs."""
        for node in self:
            if node.process:
                wait_until(
                    lambda node=node: self.sees_all(node),
                    START_SECONDS,
                    f"{node.name} sees all nodes that run",
                )

    def sees_all(self, node):
        if node.ended_by_itself():
            raise AssertionError(f"{node.name} ended by itself: {node.log_text()}")
        up = self.members_up(node.name)
        return up is not None and all(x.name in up for x in self if x.process)

    def status(self, name):
        """What `covey status` of a node tells; nothing if it does not answer."""
        asked = self.covey("status", "--json", "--timeout-ms", "2000", via=name)
        return json.loads(asked.out) if asked.code == 0 else None

    def statistic(self, name, statistic):
        return self.status(name)["statistics"][statistic]

    def members_up(self, name):
        status = self.status(name)
        return status and {x["name"] for x in status["members"] if x["up"]}

    def addresses(self, *names):
        return ",".join(self[name].address for name in names or self.nodes)

    def covey(self, *arguments, via="n1", stdin=b""):
        """Runs the command line client against the nodes `via`: "n1" or "n1 n2"."""
        nodes = self.addresses(*via.split())
        return run_program(
            [COVEY, "--node", nodes, *self.options, *map(str, arguments)], stdin
        )

    def start_covey(self, *arguments, via="n1"):
        """Starts the client and leaves it running."""
        return subprocess.Popen(
            [
                COVEY,
                "--node",
                self.addresses(*via.split()),
                *self.options,
                *map(str, arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def kill_all(self):
        """All at once, as a power cut would."""
        for node in self:
            node.signal(signal.SIGKILL)
        for node in self:
            node.wait()

    def terminate_all(self):
        """Asks all for a clean stop side by side; returns their exit codes."""
        for node in self:
            node.signal(signal.SIGTERM)
        return [node.wait() for node in self]

    def tails(self):
        """The end of each node's log."""
        parts = []
        for node in self:
            lines = node.log_text().splitlines()[-25:]
            parts.append("\n".join([f"--- the log of {node.name} ends so:", *lines]))
        return "\n".join(parts)

    def close(self):
        """Kills what runs and removes everything; fails if a node had crashed."""
        crashed = [
            f"{node.name} with code {node.process.returncode}"
            for node in self
            if node.ended_by_itself()
        ]
        for node in self:
            if node.process:
                node.kill()
        self.last_words = self.tails()
        shutil.rmtree(self.home)
        if crashed:
            raise AssertionError("ended by itself: " + ", ".join(crashed))


def start_cluster(*args, **kwargs):
    cluster = Cluster(*args, **kwargs)
    try:
        cluster.start()
    except AssertionError as failure:
        words = cluster.tails()
        cluster.close()
        raise AssertionError(f"{failure}\n{words}") from None
    return cluster


class ProcessTest(unittest.TestCase):
    """A test of clusters: prints the end of their logs when it fails."""

    # Failures are read whole.
    maxDiff = None
    longMessage = True

    @classmethod
    def share_cluster(cls, *args, **kwargs):
        """Starts a cluster for all tests of the class; they use keys of their own."""
        cluster = start_cluster(*args, **kwargs)
        cls.addClassCleanup(cluster.close)
        cls.shared = [cluster]
        return cluster

    shared = []

    def run(self, result=None):
        self.clusters = list(self.shared)
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for cluster in self.clusters:
                print(f"=== {self.id()}", file=sys.stderr)
                print(cluster.last_words or cluster.tails(), file=sys.stderr)
        return result

    def start_cluster(self, *args, **kwargs):
        cluster = start_cluster(*args, **kwargs)
        self.own(cluster)
        return cluster

    def own(self, cluster):
        self.clusters.append(cluster)
        self.addCleanup(cluster.close)

    def done(self, outcome):
        """The stdout of a command that must have succeeded."""
        self.assertEqual(outcome.code, 0, outcome.err)
        return outcome.out

    def refused(self, outcome, code, *words):
        """A command that must have failed with `code`, saying `words` in one line."""
        self.assertEqual(outcome.code, code, outcome)
        for word in words:
            self.assertIn(word, outcome.err)
        self.assertEqual(outcome.err.count("\n"), 1, outcome.err)
        return outcome.err
