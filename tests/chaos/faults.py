"""The nodes of a chaos run, and everything that can be done to them."""

import errno
import itertools
import os
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "process"))

from cluster import BIN, PORT_POOL, Cluster, Node, run_program, wait_until  # noqa: E402
from links import Links  # noqa: E402

LOAD = str(BIN / "tests/chaos/covey_chaos_load")
HINDRANCE = BIN / "tests/chaos/libcovey_hindrance.so"
POWER_LOSS = BIN / "tests/storage/crash/libcovey_power_loss.so"

# What the engine lays out at the start takes about 200 MB.
SMALL_DISK_MB = 400
LEAST_FREE_MB = 64
REACTION_SECONDS = 60


class ChaosNode(Node):
    """A node whose network and disk are in the hands of the test."""

    def __init__(self, name, port, home):
        super().__init__(name, port, home)
        self.stall = home / f"{name}.stall"
        self.full = home / f"{name}.full"
        self.journal = home / f"{name}.journal"
        self.redirections = ""
        # On a disk of its own.
        self.small_disk = False

    def command(self, **replaced):
        environment = {
            # Stalled first, then noted as synced.
            "LD_PRELOAD": f"{HINDRANCE}:{POWER_LOSS}",
            "COVEY_CHAOS_LINKS": self.redirections,
            "COVEY_CHAOS_STALL": self.stall,
            "COVEY_CHAOS_FULL": self.full,
            "COVEY_POWER_LOSS_JOURNAL": self.journal,
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
        }
        settings = [f"{name}={value}" for name, value in environment.items()]
        return ["env", *settings, *super().command(**replaced)]


class ChaosCluster(Cluster):
    """Its nodes reach each other through links that can be cut."""

    node_type = ChaosNode

    def __init__(self, size, knobs):
        super().__init__(size, knobs={"storage.min-free-mb": LEAST_FREE_MB} | knobs)
        self.links = Links({x.name: x.port for x in self}, PORT_POOL.take)
        for node in self:
            node.redirections = self.links.redirections(node.name)

    def mount_small_disk(self, node):
        """Returns why not, if so. Goes with the mount namespace, see chaos.py."""
        node.data.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "none", str(node.data)]
        mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
        node.small_disk = mounted.returncode == 0
        return mounted.stderr.decode().strip()

    def start_node(self, node):
        self.links.listen(node.name, True)
        node.start()

    def start(self):
        for node in self:
            self.start_node(node)
        self.wait_until_whole()

    def kill_nodes(self, nodes):
        """All at once; then their ports refuse."""
        for node in nodes:
            node.signal(signal.SIGKILL)
        for node in nodes:
            node.wait()
            self.links.listen(node.name, False)

    def check_running(self):
        for node in self:
            if node.ended_by_itself():
                raise AssertionError(
                    f"{node.name} ended by itself with code {node.process.returncode}"
                )

    def pairs_of(self, node):
        """Of every link of a node, both directions."""
        return [x for x in itertools.permutations(self.nodes, 2) if node.name in x]

    def end(self):
        """Ends everything and removes the data; the logs stay."""
        for node in self:
            if node.process:
                node.kill()
            if node.small_disk:
                subprocess.run(["umount", str(node.data)], check=False)
        self.links.close()


class Fault:
    """Does something to some nodes, and takes it back."""

    hold_s = 5
    # No other one at the same time.
    alone = False

    def __init__(self, cluster, random, taken=()):
        self.cluster = cluster
        self.free = [x for x in cluster if x.name not in taken]
        self.nodes = []
        self.choose(random)

    def choose(self, random):
        self.nodes = [random.choice(self.free)]

    @property
    def node(self):
        return self.nodes[0]

    @property
    def text(self):
        return self.words.format(*(x.name for x in self.nodes))


class Kill(Fault):
    words = "{} is killed (kill -9)"

    def inject(self):
        self.cluster.kill_nodes(self.nodes)

    def heal(self):
        for node in self.nodes:
            self.cluster.start_node(node)


class PowerCut(Kill):
    """The machine dies with the process: what was not synced is gone."""

    words = "{} loses power"

    def inject(self):
        super().inject()
        for node in self.nodes:
            undone = run_program([LOAD, "--undo", str(node.journal)])
            if undone.code != 0:
                raise AssertionError(f"unsynced writes stay: {undone.err}")


class PowerCutOfAll(PowerCut):
    words = "all nodes lose power at once"
    hold_s = 0.2
    alone = True

    def choose(self, random):
        self.nodes = self.free


class Freeze(Fault):
    words = "{} is frozen (SIGSTOP)"
    hold_s = 10

    def inject(self):
        self.node.freeze()

    def heal(self):
        self.node.thaw()


class LinkFault(Fault):
    def inject(self):
        self.cluster.links.cut(*self.pairs)

    def heal(self):
        self.cluster.links.heal(*self.pairs)


class CutOff(LinkFault):
    words = "{} is cut off from all others"

    @property
    def pairs(self):
        return self.cluster.pairs_of(self.node)


class Deaf(CutOff):
    words = "{} hears nobody, the others hear it"

    @property
    def pairs(self):
        return [x for x in super().pairs if x[1] == self.node.name]


class Mute(CutOff):
    words = "nobody hears {}, it hears the others"

    @property
    def pairs(self):
        return [x for x in super().pairs if x[0] == self.node.name]


class CutLink(LinkFault):
    words = "the link between {} and {} is cut"

    def choose(self, random):
        self.nodes = random.sample(self.free, 2)

    @property
    def pairs(self):
        there = tuple(x.name for x in self.nodes)
        return [there, there[::-1]]


class CutOneWay(CutLink):
    words = "the link from {} to {} is cut, not back"

    @property
    def pairs(self):
        return super().pairs[:1]


class Slow(CutOff):
    words = "{} has slow links (200 ms each way)"
    delay_s = 0.2

    def inject(self):
        self.cluster.links.slow(self.delay_s, *self.pairs)


class FullDisk(Fault):
    words = "{} has a full disk"

    def choose(self, random):
        small = [x for x in self.free if x.small_disk]
        self.nodes = small or [random.choice(self.free)]

    def inject(self):
        if self.node.small_disk:
            wait_until(self.fill, REACTION_SECONDS, f"the disk of {self.node.name} is full")
        else:
            self.node.full.touch()

    def fill(self):
        with open(self.node.data / "filler", "wb") as out:
            disk = os.statvfs(self.node.data)
            free = disk.f_bavail * disk.f_bsize - (LEAST_FREE_MB // 2 << 20)
            try:
                os.posix_fallocate(out.fileno(), 0, free)
            except OSError as failure:
                # The engine took some of it in the meantime.
                if failure.errno != errno.ENOSPC:
                    raise
                return False
        return True

    def heal(self):
        for place in self.node.data / "filler", self.node.full:
            place.unlink(missing_ok=True)


class StalledDisk(Fault):
    words = "{} has a disk whose syncs do not return"

    def inject(self):
        self.node.stall.touch()

    def heal(self):
        self.node.stall.unlink()


KINDS = {
    "kill": Kill,
    "power": PowerCutOfAll,
    "power-one": PowerCut,
    "freeze": Freeze,
    "cut-off": CutOff,
    "cut-link": CutLink,
    "one-way": CutOneWay,
    "deaf": Deaf,
    "mute": Mute,
    "slow": Slow,
    "full-disk": FullDisk,
    "stalled-disk": StalledDisk,
}
# Each once, in the short run.
SHORT = "kill", "freeze", "cut-off", "mute", "slow", "full-disk", "stalled-disk", "power"
