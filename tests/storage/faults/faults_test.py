#!/usr/bin/env python3
"""Disks that fail, files that are damaged: the store refuses with one line,
or ends at once, and never loses in silence what it acknowledged.

usage: faults_test.py STORE_PROGRAM FAULT_LIBRARY [unittest arguments]
"""

import errno
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

STORE = ""
FAULT = ""
ANSWER_S = 60  # no answer takes longer, or it is a hang
ROWS = 4000  # in shard 0 of the store that is damaged
NOBODY = 65534


class Store:
    """The store in a process of its own, spoken to line by line."""

    def __init__(self, directory, *options, fault=None, user=None):
        env = dict(os.environ)
        if fault:
            env["LD_PRELOAD"] = FAULT
            env["COVEY_FAULT"] = fault

        def become():
            os.setgid(user)
            os.setuid(user)

        self.process = subprocess.Popen(
            [STORE, directory, *options], env=env, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=become if user else None)
        self.answers = queue.Queue()
        self.lines = []
        self.readers = [threading.Thread(target=self.read_answers),
                        threading.Thread(target=self.read_lines)]
        for reader in self.readers:
            reader.start()
        self.greeting = self.answer()

    def read_answers(self):
        for line in self.process.stdout:
            self.answers.put(line.rstrip("\n"))
        self.answers.put(None)

    def read_lines(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def answer(self):
        """The next answer, None if the process ended instead."""
        try:
            return self.answers.get(timeout=ANSWER_S)
        except queue.Empty:
            self.kill()
            raise AssertionError("the store hangs") from None

    def ask(self, command):
        try:
            self.process.stdin.write(command + "\n")
        except BrokenPipeError:
            pass
        return self.answer()

    def wait(self):
        """Exit code, when all it said has been read."""
        try:
            code = self.process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the store does not end") from None
        for reader in self.readers:
            reader.join()
        for pipe in (self.process.stdin, self.process.stdout,
                     self.process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        return code

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.wait()

    def finish(self):
        if self.process.poll() is None:
            self.ask("close")
            self.process.stdin.close()
        self.wait()


class FaultCase(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="covey-faults-")
        self.addCleanup(shutil.rmtree, self.place, True)
        self.directory = os.path.join(self.place, "data")
        self.fault_file = os.path.join(self.place, "fault")

    def mount(self, *arguments):
        """True if mounted; unmounted at the end of the test."""
        done = subprocess.run(["mount", *arguments], capture_output=True,
                              text=True, check=False)
        if done.returncode == 0:
            self.addCleanup(subprocess.run, ["umount", "-l", arguments[-1]],
                            check=False, stderr=subprocess.DEVNULL)
        else:
            print(f"\nmounting is not possible here: {done.stderr.strip()}",
                  file=sys.stderr)
        return done.returncode == 0

    def inject(self, call, code, part):
        # Renamed into place, so that no call sees half of it.
        with open(self.fault_file + ".new", "w") as out:
            out.write(f"{call} {code} {part}")
        os.rename(self.fault_file + ".new", self.fault_file)

    def clear(self):
        os.unlink(self.fault_file)

    def open(self, *options, **more):
        store = Store(self.directory, *options, **more)
        self.assertEqual(store.greeting, "opened", store.lines)
        return store

    def refused(self, pattern, *options, **more):
        """Opens a store that must be refused with one line."""
        store = Store(self.directory, *options, **more)
        self.addCleanup(lambda: store.process.poll() is None and store.kill())
        self.assertRegex(store.greeting or "", "^error: .")
        self.assertEqual(store.wait(), 1)
        self.assertIsNone(store.answer())
        self.assertRegex(store.greeting, pattern)
        if os.environ.get("COVEY_SHOW_LINES"):
            print("", store.greeting, *store.lines, sep="\n  ")

    def panics(self, store, pattern):
        """The process ends at once with a line that says why."""
        began = time.monotonic()
        self.assertEqual(store.wait(), 70, store.lines)
        self.assertLess(time.monotonic() - began, 10)
        last = [line for line in store.lines if "this process ends" in line]
        self.assertEqual(len(last), 1, store.lines)
        self.assertRegex(last[0], pattern)


class Refusals(FaultCase):
    def test_a_second_process_is_told_who_has_the_directory(self):
        store = self.open()
        self.refused(f"in use by process {store.process.pid}")
        self.assertEqual(store.ask("put 0 1 10"), "ok")
        store.finish()
        self.open().finish()

    def test_what_was_fixed_at_creation_is_named(self):
        self.open().finish()
        self.refused("storage.shards is 4, but .* created with 2", "shards=4")
        self.refused("storage.table-type is lsm", "table_type=lsm")
        self.refused("storage.compression is snappy", "compression=snappy")
        self.refused("it belongs to member", "member=9")
        self.open().finish()

    def test_a_file_in_the_place_of_the_directory(self):
        with open(self.directory, "w") as out:
            out.write("x")
        self.refused("is not a directory")

    def test_a_directory_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        os.chmod(self.place, 0o755)
        self.open().finish()
        self.refused("Permission denied", user=NOBODY)
        # The directory itself may be given away and its files forgotten.
        os.chown(self.directory, NOBODY, NOBODY)
        self.refused("Permission denied", user=NOBODY)
        for name in ("LOCK", "LAYOUT", "MARKERS"):
            os.chown(os.path.join(self.directory, name), NOBODY, NOBODY)
        self.refused("Permission denied.*give them to the user", user=NOBODY)
        self.open().finish()

    def test_a_read_only_file_system(self):
        self.open().finish()
        if not (self.mount("--bind", self.directory, self.directory)
                and self.mount("-o", "remount,bind,ro", self.directory)):
            self.skipTest("no read-only mount")
        self.refused("Read-only file system")


class FailingDisks(FaultCase):
    def faulty(self, *options):
        return self.open(*options, fault=self.fault_file)

    def test_a_failed_sync_of_the_log_ends_the_process(self):
        store = self.faulty()
        self.assertEqual(store.ask("put 0 10 100"), "ok")
        self.inject("sync", errno.EIO, "WiredTigerLog")
        self.assertIsNone(store.ask("flush"))
        self.panics(store, "Input/output error")

    def test_a_failed_write_of_the_log_ends_the_process(self):
        for code in (errno.EIO, errno.ENOSPC):
            store = self.faulty()
            self.inject("write", code, "WiredTigerLog")
            answer = store.ask("put 0 10 100")
            if answer is not None:
                self.assertIsNone(store.ask("flush"))
            self.panics(store, "Input/output error|No space left")
            self.clear()

    def test_a_failed_sync_of_the_marks_is_reported_and_survived(self):
        store = self.faulty()
        self.inject("sync", errno.EIO, "MARKERS")
        self.assertEqual(store.ask("put 0 10 100"), "ok")
        self.assertEqual(store.ask("flush"), "flushed")
        self.clear()
        self.assertEqual(store.ask("flush"), "flushed")
        store.finish()
        self.assertIn("MARKERS cannot be written", "".join(store.lines))
        self.open().finish()

    def test_an_unreadable_page_is_a_failure_and_not_an_absent_key(self):
        store = self.open()
        self.assertEqual(store.ask(f"put 0 {ROWS} 1000"), "ok")
        store.finish()
        store = self.faulty()
        self.inject("read", errno.EIO, "data.0.wt")
        self.assertEqual(store.ask(f"get 0 {ROWS // 2}"), "failed")
        # Nor may a transaction that could not read be committed.
        self.assertEqual(store.ask(f"copy 0 {ROWS // 2}"), "failed")
        self.clear()
        self.assertEqual(store.ask(f"copy 0 {ROWS // 2}"), "ok")
        self.assertEqual(store.ask(f"get 0 {ROWS // 2}"), "ok")
        store.finish()

    def test_a_damaged_page_ends_the_process(self):
        store = self.open()
        self.assertEqual(store.ask(f"put 0 {ROWS} 1000"), "ok")
        store.finish()
        with open(os.path.join(self.directory, "data.0.wt"), "r+b") as table:
            size = table.seek(0, os.SEEK_END)
            for offset in range(8192, size, 4096):
                table.seek(offset + 100)
                table.write(b"garbage")
        store = Store(self.directory)
        # Its root page may be read by the opening itself.
        if store.greeting == "opened":
            self.assertIsNone(store.ask("count 0"))
            self.panics(store, "data.0.wt|checksum")
        else:
            self.assertEqual(store.wait(), 1)
            self.assertRegex(store.greeting, "data.0")


class FullDisks(FaultCase):
    def fill_until_refused(self, store):
        """Puts in batches, looking at the disk as a node does."""
        for _ in range(3000):
            store.ask("full")
            if store.ask("put 0 20 10000") == "disk_full":
                return True
        return False

    def test_writes_are_refused_before_the_engine_notices(self):
        os.mkdir(self.directory)
        if not self.mount("-t", "tmpfs", "-o", "size=160m", "tmpfs",
                          self.directory):
            self.skipTest("only the injected full disk is tested")
        ballast = os.path.join(self.directory, "ballast")
        with open(ballast, "wb") as out:
            out.write(bytes(60 << 20))
        store = self.open("min_free_mb=32")
        self.assertTrue(self.fill_until_refused(store))
        self.assertEqual(store.ask("flush"), "flushed")
        self.assertEqual(store.ask("get 0 1"), "ok")
        store.ask("checkpoint")
        self.assertEqual(store.ask("put 1 1 10"), "disk_full")
        # A restart on the full disk serves reads.
        store.finish()
        more_ballast = os.path.join(self.directory, "more")
        left = os.statvfs(self.directory)
        with open(more_ballast, "wb") as out:
            out.write(bytes(left.f_bavail * left.f_frsize - (20 << 20)))
        store = self.open("min_free_mb=32")
        self.assertEqual(store.ask("put 1 1 10"), "disk_full")
        self.assertEqual(store.ask("get 0 1"), "ok")
        os.unlink(more_ballast)
        os.unlink(ballast)
        self.assertEqual(store.ask("full"), "no")
        self.assertEqual(store.ask("put 1 1 10"), "ok")
        store.finish()
        # Others may use up the reserve too.
        with open(ballast, "wb") as out:
            try:
                out.write(bytes(200 << 20))
            except OSError:
                pass
        self.refused("too full to start: 0 MB are free, 4 MB are needed",
                     "min_free_mb=32")
        os.unlink(ballast)
        store = self.open("min_free_mb=32")
        self.assertEqual(store.ask("count 1"), "1")
        store.finish()

    def test_an_engine_out_of_space_is_refused_or_ends(self):
        """The floor switched off: the engine meets the full disk itself."""
        os.mkdir(self.directory)
        if not self.mount("-t", "tmpfs", "-o", "size=40m", "tmpfs",
                          self.directory):
            self.skipTest("only the injected full disk is tested")
        store = self.open()
        answer = ""
        flushed = 0
        for batch in range(1, 3000):
            answer = store.ask("put 0 20 10000")
            if answer != "ok" or store.ask("flush") is None:
                break
            flushed = batch * 20
        if answer == "disk_full":
            store.kill()
        else:
            self.panics(store, "No space left")
        store = Store(self.directory)
        if store.greeting == "opened":
            self.assertGreaterEqual(int(store.ask("count 0")), flushed)
            store.kill()
        else:
            self.assertIn(store.wait(), (1, 70))
        # With room again everything that was flushed is there.
        subprocess.run(["mount", "-o", "remount,size=200m", self.directory],
                       check=True)
        store = self.open()
        self.assertGreaterEqual(int(store.ask("count 0")), flushed)
        self.assertEqual(store.ask("put 0 1 10"), "ok")
        store.finish()

    def test_an_injected_full_disk(self):
        store = self.open("min_free_mb=32", fault=self.fault_file)
        self.assertEqual(store.ask("put 0 1 10"), "ok")
        self.inject("space", 20, self.place)
        self.assertEqual(store.ask("full"), "yes")
        self.assertEqual(store.ask("put 0 1 10"), "disk_full")
        self.assertEqual(store.ask("get 0 1"), "ok")
        self.clear()
        self.assertEqual(store.ask("full"), "no")
        self.assertEqual(store.ask("put 0 1 10"), "ok")
        store.finish()
        self.inject("space", 1, self.place)
        self.refused("too full to start", "min_free_mb=32",
                     fault=self.fault_file)


class DamagedFiles(FaultCase):
    """A store killed after flushes, then damaged."""

    def setUp(self):
        super().setUp()
        # The checkpoints that come by themselves stay out of the way.
        store = self.open("checkpoint_interval_s=3600")
        self.assertEqual(store.ask(f"put 0 {ROWS // 2} 300"), "ok")
        self.assertEqual(store.ask("put 1 100 300"), "ok")
        store.ask("checkpoint")
        self.assertEqual(store.ask("flush"), "flushed")
        # Several log files that only recovery can bring back.
        self.assertEqual(store.ask(f"put 0 {ROWS // 2} 1000"), "ok")
        self.assertEqual(store.ask("flush"), "flushed")
        store.kill()

    def path(self, name):
        return os.path.join(self.directory, name)

    def logs(self):
        names = [x for x in os.listdir(self.directory)
                 if re.match(r"WiredTigerLog\.\d+$", x)]
        return sorted(self.path(x) for x in names)

    def write(self, path, offset, data):
        with open(path, "r+b") as out:
            out.seek(offset)
            out.write(data)

    def used_bytes(self, path):
        """Where the log's records end and its preallocated zeros begin."""
        with open(path, "rb") as log:
            return len(log.read().rstrip(b"\0"))

    def flip(self, path, offset):
        with open(path, "rb") as log:
            log.seek(offset)
            old = log.read(1)
        self.write(path, offset, bytes([old[0] ^ 0x55]))

    def test_without_damage_everything_is_there(self):
        store = self.open()
        self.assertEqual(store.ask("count 0"), str(ROWS))
        self.assertEqual(store.ask("count 1"), "100")
        store.finish()

    def check_missing(self, name):
        os.unlink(self.path(name))
        for _ in range(2):
            self.refused(re.escape(name) + " is missing.*: restore")

    def test_missing_turtle(self):
        self.check_missing("WiredTiger.turtle")

    def test_missing_metadata(self):
        self.check_missing("WiredTiger.wt")

    def test_missing_version_file(self):
        self.check_missing("WiredTiger")

    def test_missing_table(self):
        self.check_missing("data.1.wt")

    def test_missing_system_table(self):
        self.check_missing("system.wt")

    def test_missing_layout(self):
        self.check_missing("LAYOUT")

    def test_missing_marks(self):
        self.check_missing("MARKERS")

    def test_missing_logs(self):
        for log in self.logs():
            os.unlink(log)
        self.refused("WiredTigerLog.* is missing")

    def test_missing_base_configuration_is_harmless(self):
        os.unlink(self.path("WiredTiger.basecfg"))
        store = self.open()
        self.assertEqual(store.ask("count 0"), str(ROWS))
        store.finish()

    def test_garbage_in_turtle(self):
        self.write(self.path("WiredTiger.turtle"), 0, b"garbage\n" * 200)
        self.refused("restore the directory")

    def test_empty_turtle(self):
        os.truncate(self.path("WiredTiger.turtle"), 0)
        self.refused("restore the directory")

    def test_garbage_in_metadata(self):
        size = os.path.getsize(self.path("WiredTiger.wt"))
        self.write(self.path("WiredTiger.wt"), 0, b"garbage!" * (size // 8))
        self.refused("restore the directory")

    def test_truncated_metadata(self):
        os.truncate(self.path("WiredTiger.wt"), 4096)
        self.refused("restore the directory")

    def test_garbage_in_layout(self):
        self.write(self.path("LAYOUT"), 0, b"garbage")
        self.refused("LAYOUT is damaged")

    def test_garbage_in_marks(self):
        self.write(self.path("MARKERS"), 0, b"garbage!" * 1024)
        self.refused("MARKERS is damaged in both copies.*restore")

    def test_one_damaged_copy_of_the_marks_is_harmless(self):
        for offset in (0, 4096):
            self.write(self.path("MARKERS"), offset, b"garbage")
            self.open().finish()

    def test_garbage_in_a_table_header(self):
        self.write(self.path("data.1.wt"), 0, b"garbage!" * 512)
        self.refused("restore the directory")

    def test_truncated_table(self):
        os.truncate(self.path("data.0.wt"), 4096)
        self.refused("restore the directory")

    def test_missing_chunk_of_an_lsm_tree(self):
        shutil.rmtree(self.directory)
        store = self.open("table_type=lsm")
        self.assertEqual(store.ask("put 0 100 300"), "ok")
        store.finish()
        chunks = [x for x in os.listdir(self.directory)
                  if x.startswith("data.0") and x.endswith(".lsm")]
        for chunk in chunks:
            os.unlink(self.path(chunk))
        self.refused("restore the directory", "table_type=lsm")

    def check_lost(self):
        # Recovery drops what it cannot read: the marks must tell, each time.
        for _ in range(2):
            self.refused("acknowledged writes are missing|restore")

    def test_log_truncated_in_the_middle(self):
        log = self.logs()[-1]
        os.truncate(log, self.used_bytes(log) // 2)
        self.check_lost()

    def test_newest_log_deleted(self):
        os.unlink(self.logs()[-1])
        self.check_lost()

    def test_flipped_byte_in_the_newest_log(self):
        log = self.logs()[-1]
        self.flip(log, self.used_bytes(log) // 2)
        self.check_lost()

    def test_flipped_byte_in_an_earlier_log(self):
        log = self.logs()[-2]
        self.flip(log, self.used_bytes(log) // 2)
        self.check_lost()

    def test_earlier_log_deleted(self):
        self.assertGreater(len(self.logs()), 2)
        os.unlink(self.logs()[-2])
        self.check_lost()

    def test_directory_emptied_is_a_new_store(self):
        shutil.rmtree(self.directory)
        store = self.open()
        self.assertEqual(store.ask("count 0"), "0")
        store.finish()


if __name__ == "__main__":
    STORE, FAULT = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
