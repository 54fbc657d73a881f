#!/usr/bin/env python3
"""Five real nodes under a load and faults; a checker judges what the clients saw.

Prints what is injected and when, the requests of each second, what failed, how long
recovery took, and the verdict. Exit code 1 if something must not be: an acknowledged
write lost, a read that goes backwards, a false sibling, a node that ends by itself or
does not recover. Then the nodes' logs are kept. See docs/chaos.md.
"""

import argparse
import collections
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from faults import KINDS, LOAD, SHORT, ChaosCluster, wait_until

NODES = 5
RECOVERY_SECONDS = 60
# Beside the patience of the reads at the end.
END_SECONDS = 180
SHORT_HOLD_SECONDS = 5
# Times the least of the kind, in the long run.
MOST_HOLD = 2.5
CALM_SECONDS = 2


class Load:
    """The clients, and what they tell."""

    def __init__(self, cluster, options):
        self.patience_s = options.patience_s
        self.errors = open(cluster.home / "load.log", "wb")
        self.process = subprocess.Popen(
            [
                *["setpriv", "--pdeathsig", "KILL", LOAD],
                *["--nodes", cluster.addresses(), "--seed", str(options.seed)],
                *["--rate", str(options.rate), "--patience-s", str(options.patience_s)],
                *(["--all-retry"] if options.all_retry else []),
                *["--history", str(cluster.home / "history.txt")],
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.seconds = []
        self.answers = collections.deque()
        self.label = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            if "second" in told:
                self.seconds.append(told)
                print_second(told, self.label)
            else:
                self.answers.append(told)

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def mark(self, command):
        """Says whether there are faults; returns the load's time."""
        self.say(command)
        wait_until(lambda: self.answers or self.ended(), 30, "the load answers")
        if not self.answers:
            raise AssertionError(f"the load ended with code {self.process.returncode}")
        return self.answers.popleft()["at_s"]

    def ended(self):
        return self.process.poll() is not None

    def finish(self):
        self.say("finish")
        wait_until(self.ended, END_SECONDS + self.patience_s, "the load ends")
        self.reader.join()
        if not self.answers:
            raise AssertionError(f"the load ended with code {self.process.returncode}")
        return self.answers.popleft()

    def close(self):
        if not self.ended():
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


def print_second(told, label):
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(told["failed"].items()))
    print(
        f"{told['second']:5} s {told['ok']:5} ok {sum(told['failed'].values()):4} failed"
        f"  p99 {told['p99_ms']:7.1f} ms  {label}{' (' + kinds + ')' if kinds else ''}",
        flush=True,
    )


def tell(at_s, text):
    print(f"----- {at_s:7.1f} s  {text}", flush=True)


class Run:
    def __init__(self, cluster, options):
        self.cluster = cluster
        self.options = options
        self.random = random.Random(options.seed)
        self.load = None
        self.windows = []  # (text, injected, healed, recovered), in seconds of the load

    def plan(self):
        """The faults of each step, one or two."""
        kinds = self.options.only or (list(SHORT) if self.options.short else list(KINDS))
        if self.options.short:
            self.random.shuffle(kinds)
            for kind in kinds:
                yield [KINDS[kind](self.cluster, self.random)]
            return
        until = time.monotonic() + self.options.seconds
        while time.monotonic() < until:
            first = KINDS[self.random.choice(kinds)](self.cluster, self.random)
            faults = [first]
            others = [x for x in kinds if not KINDS[x].alone]
            if not first.alone and others and self.random.random() < 0.3:
                taken = [x.name for x in first.nodes]
                second = KINDS[self.random.choice(others)]
                faults.append(second(self.cluster, self.random, taken))
            yield faults

    def run(self):
        self.load = Load(self.cluster, self.options)
        self.recover(self.load.mark("disturb"))
        self.rest()
        for faults in self.plan():
            self.step(faults)
            self.rest()
        self.load.label = ""
        return self.load.finish()

    def step(self, faults):
        injected = self.load.mark("disturb")
        text = "; ".join(x.text for x in faults)
        self.load.label = text
        tell(injected, text)
        for fault in faults:
            fault.inject()
        hold_s = max(x.hold_s for x in faults)
        if self.options.short:
            self.hold(min(hold_s, SHORT_HOLD_SECONDS))
        else:
            self.hold(hold_s * self.random.uniform(1, MOST_HOLD))
        for fault in faults:
            fault.heal()
        healed = self.load.mark("disturb")
        tell(healed, "healed")
        self.load.label = "after: " + text
        recovered = self.recover(healed)
        tell(recovered, f"recovered, {recovered - healed:.1f} s later")
        self.windows.append((text, injected, healed, recovered))

    def hold(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.cluster.check_running()
            time.sleep(0.05)

    def recover(self, since):
        """All nodes see each other, and a whole second without a failure has passed."""
        self.cluster.wait_until_whole()

        def whole_second():
            self.cluster.check_running()
            after = [x for x in self.load.seconds if x["second"] >= math.ceil(since)]
            good = [x["second"] for x in after if x["ok"] and not x["failed"]]
            return good and [good[0]]

        first = wait_until(whole_second, RECOVERY_SECONDS, "a second without a failure")[0]
        return max(float(first), since)

    def rest(self):
        self.load.mark("calm")
        self.load.label = ""
        self.hold(CALM_SECONDS)

    def report(self, verdict):
        print("\nfaults: injected at, for how long, until recovered; requests meanwhile")
        for text, injected, healed, recovered in self.windows:
            inside = [
                x for x in self.load.seconds if int(injected) <= x["second"] <= int(recovered)
            ]
            total, failed = count(inside)
            print(
                f"{injected:7.1f} s {healed - injected:5.1f} s {recovered - healed:5.1f} s"
                f"  {total:6} requests, {describe(failed, total)}  {text}"
            )
        total, failed = count(self.load.seconds)
        bad = sum(1 for x in self.load.seconds if x["failed"])
        print(f"\nrequests: {total}, {describe(failed, total)}")
        print(f"seconds: {len(self.load.seconds)}, {bad} with a failure")
        print(
            "writes: {puts}, {acknowledged} acknowledged, {refused} refused, {unknown} of "
            "unknown outcome; {gets} gets of {keys} keys; {once} writes also checked for "
            "false siblings".format(**verdict)
        )


def count(seconds):
    failed = collections.Counter()
    for x in seconds:
        failed.update(x["failed"])
    return sum(x["ok"] for x in seconds) + sum(failed.values()), failed


def describe(failed, total):
    kinds = ", ".join(f"{n} {kind}" for kind, n in failed.most_common())
    share = 100 * sum(failed.values()) / max(total, 1)
    return f"{sum(failed.values())} failed ({share:.2f} %{': ' + kinds if kinds else ''})"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seconds", type=int, default=600, help="how long faults go on")
    parser.add_argument("--short", action="store_true", help="each kind of fault once")
    parser.add_argument("--rate", type=int, default=300, help="requests a second")
    parser.add_argument(
        "--only", type=lambda x: x.split(","), help=f"kinds of faults, of {','.join(KINDS)}"
    )
    parser.add_argument(
        "--all-retry", action="store_true", help="all clients repeat what is safe, not only half"
    )
    parser.add_argument(
        "--patience-s",
        type=int,
        default=60,
        help="how long values may take to show up when the faults are over",
    )
    parser.add_argument(
        "--durability", default="fsync", help="of the nodes; periodic must lose writes"
    )
    parser.add_argument(
        "--expect-lost", action="store_true", help="fails unless lost writes are found"
    )
    options = parser.parse_args()
    unknown = set(options.only or []) - set(KINDS)
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}")
    return options


def own_mounts():
    """Starts over in a mount namespace of our own, which takes its mounts along."""
    if os.geteuid() != 0 or os.environ.get("COVEY_CHAOS_MOUNTS"):
        return
    enter = ["unshare", "--mount", "--propagation", "private"]
    if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode == 0:
        os.environ["COVEY_CHAOS_MOUNTS"] = "own"
        os.execvp(enter[0], [*enter, sys.executable, "-B", *sys.argv])


def end(cluster, kept):
    cluster.end()
    for node in cluster:
        shutil.rmtree(node.data, ignore_errors=True)
        node.journal.unlink(missing_ok=True)
    if kept:
        print(f"logs, configurations and history are in {cluster.home}")
    else:
        shutil.rmtree(cluster.home)


def chaos(options):
    """True if nothing was violated."""
    cluster = ChaosCluster(NODES, {"storage.durability": options.durability})
    run = Run(cluster, options)
    sound = False
    try:
        disk = "a small tmpfs"
        if os.environ.get("COVEY_CHAOS_MOUNTS"):
            refused = cluster.mount_small_disk(cluster[f"n{NODES}"])
        else:
            refused = "no mount namespace of our own"
        if refused:
            disk = f"pretended (statvfs), since there is {refused}"
        print(f"chaos: {NODES} nodes, seed {options.seed}; the full disk is {disk}", flush=True)
        cluster.start()
        verdict = run.run()
        run.report(verdict)
        for line in verdict["violations"][:50]:
            print(f"VIOLATION: {line}")
        sound = not verdict["violations"]
        lost = any("misses" in x for x in verdict["violations"])
        print(f"verdict: {verdict['verdict']}, {len(verdict['violations'])} violations")
        if options.expect_lost:
            sound = lost
            print("lost writes were " + ("found, as they must" if lost else "NOT FOUND"))
    except AssertionError as failure:
        print(f"VIOLATION: {failure}\n{cluster.tails()}")
    finally:
        if run.load:
            run.load.close()
        end(cluster, not sound)
    return sound


def main():
    options = parse()
    own_mounts()
    # Ends as after Ctrl-C, with all that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sound = chaos(options)
    if not sound:
        print(f"repeat with: tests/chaos/chaos.py {' '.join(sys.argv[1:])} (seed {options.seed})")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
