"""What puts, gets and deletes mean, through three real nodes."""

import base64
import itertools
import json
import unittest

from cluster import (
    KEYSPACES,
    ProcessTest,
    json_lines,
    record_bytes,
    to_base64,
    wait_until,
)

NODES = ["n1", "n2", "n3"]
EVERY_BYTE = bytes(range(256))
MAX_KEY = 1024
MAX_VALUE = 1 << 20


class SemanticsTest(ProcessTest):
    @classmethod
    def setUpClass(cls):
        fleeting = {"fleeting": {"policy": "siblings", "ttl-s": 1}}
        cls.cluster = cls.share_cluster(3, KEYSPACES | fleeting)

    def setUp(self):
        # Every test has keys of its own.
        self.key = self.id().rsplit(".", 1)[1]

    def put(self, key, value, *options, via="n1"):
        """Puts and returns the answer."""
        return json.loads(
            self.done(self.cluster.covey("put", key, value, "--json", *options, via=via))
        )

    def get(self, key, *options, via="n1"):
        return self.done(self.cluster.covey("get", key, *options, via=via)).decode()

    def read(self, key, *options, via="n1"):
        """All values of a key, and their context."""
        outcome = self.cluster.covey("get", key, "--json", *options, via=via)
        lines = json_lines(outcome.out)
        self.assertEqual(outcome.code, 0 if len(lines) == 1 else 4, outcome.err)
        self.assertEqual(len({line["context"] for line in lines}), 1)
        return sorted(line["value"] for line in lines), lines[0]["context"]

    def values(self, key, via="n1"):
        return self.read(key, via=via)[0]

    def test_overlapping_quorums_read_the_last_write_through_any_node(self):
        levels = [
            ("ONE", "ALL"),
            ("ALL", "ONE"),
            ("TWO", "TWO"),
            ("THREE", "ONE"),
            ("ONE", "THREE"),
            ("QUORUM", "QUORUM"),
            ("LOCAL_QUORUM", "QUORUM"),
            ("EACH_QUORUM", "LOCAL_QUORUM"),
            ("ALL", "LOCAL_ONE"),
            ("1", "3"),
            ("2", "2"),
            ("3", "1"),
        ]
        for write, read in levels:
            for writer, reader in itertools.product(NODES, NODES):
                with self.subTest(write=write, read=read, writer=writer, reader=reader):
                    key = f"{self.key}-{write}-{read}-{writer}-{reader}"
                    self.put(key, "value", "--consistency", write, via=writer)
                    got = self.get(key, "--consistency", read, via=reader)
                    self.assertEqual(got, "value")

    def test_the_answer_to_a_put_says_that_its_level_was_met_by_homes(self):
        for level, needed in [("ONE", 1), ("QUORUM", 2), ("ALL", 3), ("2", 2)]:
            with self.subTest(level=level):
                answer = self.put(f"{self.key}-{level}", "v", "--consistency", level)
                self.assertEqual(answer["needed"], needed)
                self.assertGreaterEqual(answer["acked"], needed)
                self.assertTrue(answer["homes"])

    def test_any_node_coordinates(self):
        for writer in NODES:
            for i in range(5):
                self.put(f"{self.key}-{writer}-{i}", f"{writer} {i}", via=writer)
        for writer, reader in itertools.product(NODES, NODES):
            for i in range(5):
                with self.subTest(writer=writer, reader=reader, i=i):
                    got = self.get(f"{self.key}-{writer}-{i}", via=reader)
                    self.assertEqual(got, f"{writer} {i}")

    def test_writes_that_do_not_know_each_other_stay_until_one_knows_both(self):
        self.put(self.key, "apples", via="n1")
        self.put(self.key, "pears", via="n2")
        for node in NODES:
            self.assertEqual(self.values(self.key, via=node), ["apples", "pears"])
        plain = self.cluster.covey("get", self.key, via="n3")
        self.refused(plain, 4, "2 siblings")
        self.assertEqual(plain.out, b"")
        context = self.read(self.key, via="n3")[1]
        self.put(self.key, "both", "--context", context, via="n3")
        for node in NODES:
            self.assertEqual(self.get(self.key, via=node), "both")

    def test_interleaved_clients_do_not_multiply_siblings(self):
        contexts = {"a": None, "b": None}
        for i in range(10):
            for client, node in [("a", "n1"), ("b", "n2")]:
                known = contexts[client]
                options = ["--context", known] if known else []
                answer = self.put(self.key, f"{client}{i}", *options, via=node)
                contexts[client] = answer["context"]
        # Each client replaced what it had written itself, and nothing else.
        self.assertEqual(self.values(self.key), ["a9", "b9"])

    def test_a_client_that_builds_on_its_own_writes_carries_no_growing_context(self):
        answer = self.put(self.key, "value 0")
        sizes = []
        for i in range(1, 30):
            answer = self.put(self.key, f"value {i}", "--context", answer["context"])
            sizes.append(len(answer["context"]))
        self.assertEqual(self.values(self.key), ["value 29"])
        self.assertLess(sizes[-1], 2 * sizes[0])

    def test_the_worked_example_of_the_field_holds(self):
        d1 = self.put(self.key, "D1", via="n1")["context"]
        d2 = self.put(self.key, "D2", "--context", d1, via="n1")["context"]
        self.assertEqual(self.values(self.key), ["D2"])
        self.put(self.key, "D3", "--context", d2, via="n2")
        self.assertEqual(self.values(self.key), ["D3"])
        self.put(self.key, "D4", "--context", d2, via="n3")
        values, merged = self.read(self.key, via="n2")
        self.assertEqual(values, ["D3", "D4"])
        self.put(self.key, "D5", "--context", merged, via="n1")
        for node in NODES:
            self.assertEqual(self.values(self.key, via=node), ["D5"])

    def test_a_context_covers_what_its_reader_saw_and_no_more(self):
        self.put(self.key, "seen")
        context = self.read(self.key)[1]
        self.put(self.key, "unseen", via="n2")
        self.put(self.key, "new", "--context", context, via="n3")
        self.assertEqual(self.values(self.key), ["new", "unseen"])

    def test_a_deleted_key_is_not_found_through_any_node(self):
        context = self.put(self.key, "value")["context"]
        self.done(self.cluster.covey("delete", self.key, "--context", context))
        for node in NODES:
            self.refused(self.cluster.covey("get", self.key, via=node), 1, "not found")
        self.put(self.key, "again", via="n2")
        self.assertEqual(self.values(self.key, via="n3"), ["again"])

    def test_a_delete_without_a_context_deletes_what_the_key_has_now(self):
        self.put(self.key, "apples", via="n1")
        self.put(self.key, "pears", via="n2")
        self.done(self.cluster.covey("delete", self.key, via="n3"))
        for node in NODES:
            self.refused(self.cluster.covey("get", self.key, via=node), 1, "not found")

    def test_deleting_what_is_not_there_is_no_error(self):
        self.done(self.cluster.covey("delete", self.key))
        self.refused(self.cluster.covey("get", self.key), 1, "not found")

    def test_an_update_that_a_delete_did_not_know_survives_it(self):
        for first, second in [("update", "delete"), ("delete", "update")]:
            with self.subTest(first=first):
                key = f"{self.key}-{first}"
                known = ["--context", self.put(key, "old")["context"]]
                for verb, node in [(first, "n2"), (second, "n3")]:
                    arguments = [verb, key]
                    if verb == "update":
                        arguments = ["put", key, "update"]
                    self.done(self.cluster.covey(*arguments, *known, via=node))
                for node in NODES:
                    self.assertEqual(self.values(key, via=node), ["update"])

    def test_a_foreign_or_damaged_context_is_rejected_and_changes_nothing(self):
        self.put(self.key, "value")
        other_key = self.put(f"{self.key}-other", "other")["context"]
        other_keyspace = self.put(self.key, "lww", "--keyspace", "lww")["context"]
        own = bytearray(base64.b64decode(self.read(self.key)[1]))
        own[-1] ^= 1
        contexts = {
            "of another key": other_key,
            "of another keyspace": other_keyspace,
            "damaged": to_base64(own),
            "cut off": to_base64(own[:-1]),
            "noise": to_base64(b"noise"),
        }
        for kind, context in contexts.items():
            for verb in (["put", self.key, "new"], ["delete", self.key]):
                with self.subTest(context=kind, verb=verb[0]):
                    outcome = self.cluster.covey(*verb, "--context", context, via="n2")
                    self.refused(outcome, 5, "bad_context", "nothing was written")
        self.assertEqual(self.values(self.key), ["value"])

    def test_siblings_have_a_limit_that_resolving_them_lifts(self):
        outcomes = [self.cluster.covey("put", self.key, i) for i in range(65)]
        for outcome in outcomes[:64]:
            self.done(outcome)
        self.refused(outcomes[64], 5, "too_many_siblings", "nothing was written")
        values, context = self.read(self.key)
        self.assertEqual(values, sorted(map(str, range(64))))
        self.put(self.key, "one", "--context", context)
        self.assertEqual(self.values(self.key), ["one"])

    def test_the_last_write_wins_where_the_keyspace_asks_for_it(self):
        for i, node in enumerate(NODES * 3):
            self.put(self.key, f"write {i}", "--keyspace", "lww", via=node)
        for node in NODES:
            got = self.read(self.key, "--keyspace", "lww", via=node)[0]
            self.assertEqual(got, ["write 8"])
        self.done(self.cluster.covey("delete", self.key, "--keyspace", "lww", via="n2"))
        gone = self.cluster.covey("get", self.key, "--keyspace", "lww", via="n3")
        self.refused(gone, 1, "not found")

    def test_keyspaces_do_not_see_each_other(self):
        self.put(self.key, "one")
        self.put(self.key, "two", "--keyspace", "lww")
        self.assertEqual(self.get(self.key), "one")
        self.assertEqual(self.get(self.key, "--keyspace", "lww"), "two")

    def test_a_value_expires_at_every_node_and_a_longer_lived_one_stays(self):
        self.put(self.key, "short", "--ttl-s", "1")
        self.put(f"{self.key}-long", "long", "--ttl-s", "3600")
        for node in NODES:
            wait_until(
                lambda node=node: self.cluster.covey("get", self.key, via=node).code == 1,
                30,
                f"the value has expired at {node}",
            )
            self.assertEqual(self.get(f"{self.key}-long", via=node), "long")
        # What has expired does not stand beside what comes after it.
        self.put(self.key, "new", via="n2")
        self.assertEqual(self.values(self.key, via="n3"), ["new"])

    def test_the_keyspace_gives_values_their_lifetime_unless_the_write_does(self):
        own = ["--keyspace", "fleeting"]
        self.put(self.key, "short", *own)
        self.put(f"{self.key}-long", "long", "--ttl-s", "3600", *own)
        wait_until(
            lambda: self.cluster.covey("get", self.key, *own).code == 1,
            30,
            "the value has expired",
        )
        self.assertEqual(self.get(f"{self.key}-long", *own), "long")

    def test_what_breaks_a_limit_is_named_and_disturbs_nothing(self):
        self.put(self.key, "value")
        long_key = "k" * (MAX_KEY + 1)
        covey = self.cluster.covey
        cases = [
            (5, "empty_key", covey("put", "", "v")),
            (5, "empty_key", covey("get", "")),
            (5, "empty_key", covey("delete", "")),
            (5, "key_too_large", covey("put", long_key, "v")),
            (5, "key_too_large", covey("get", long_key)),
            (5, "key_too_large", covey("delete", long_key)),
            (
                5,
                "value_too_large",
                covey("put", self.key, "-", stdin=b"v" * (MAX_VALUE + 1)),
            ),
            (5, "unknown_keyspace", covey("put", self.key, "v", "--keyspace", "none")),
            (5, "unknown_keyspace", covey("get", self.key, "--keyspace", "none")),
            (5, "unknown_keyspace", covey("export", "--keyspace", "none")),
            (5, "unknown_keyspace", covey("ring", self.key, "--keyspace", "none")),
            (5, "unknown_level", covey("put", self.key, "v", "--consistency", "4")),
            (5, "unknown_level", covey("get", self.key, "--consistency", "4")),
        ]
        for code, word, outcome in cases:
            with self.subTest(word=word, outcome=outcome):
                self.refused(outcome, code, word)
        self.assertEqual(self.values(self.key), ["value"])

    def test_what_just_keeps_the_limits_is_taken(self):
        key, value = "k" * MAX_KEY, b"v" * MAX_VALUE
        self.done(self.cluster.covey("put", key, "-", stdin=value))
        for node in NODES:
            self.assertEqual(self.done(self.cluster.covey("get", key, via=node)), value)

    def test_an_empty_value_is_a_value(self):
        self.put(self.key, "")
        for node in NODES:
            self.assertEqual(self.get(self.key, via=node), "")

    def test_every_byte_survives_in_keys_and_values(self):
        key, value = EVERY_BYTE, EVERY_BYTE[::-1] * 3
        key64 = to_base64(key)
        self.done(
            self.cluster.covey(
                "put", "--key64", key64, "-", "--keyspace", "lww", stdin=value
            )
        )
        for node in NODES:
            got = self.cluster.covey(
                "get", "--key64", key64, "--keyspace", "lww", via=node
            )
            self.assertEqual(self.done(got), value)
        line = json.loads(
            self.done(
                self.cluster.covey("get", "--key64", key64, "--json", "--keyspace", "lww")
            )
        )
        self.assertEqual(record_bytes(line), (key, value))
        exported = self.done(self.cluster.covey("export", "--keyspace", "lww", via="n2"))
        self.assertIn((key, value), map(record_bytes, json_lines(exported)))
        # Each byte alone is a key of its own, and a value.
        lines = "".join(
            json.dumps({"key64": to_base64(b"x" + bytes([i])), "value64": to_base64(bytes([i]))})
            + "\n"
            for i in EVERY_BYTE
        )
        self.done(
            self.cluster.covey("import", "-", "--keyspace", "lww", stdin=lines.encode())
        )
        exported = self.done(self.cluster.covey("export", "--keyspace", "lww", via="n3"))
        records = dict(map(record_bytes, json_lines(exported)))
        for i in EVERY_BYTE:
            self.assertEqual(records[b"x" + bytes([i])], bytes([i]))


if __name__ == "__main__":
    unittest.main()
