"""The commands covey and coveyd as people and scripts meet them."""

import json
import pathlib
import re
import unittest

from cluster import (
    COVEY,
    COVEYD,
    ProcessTest,
    json_lines,
    record_bytes,
    run_program,
    to_base64,
    wait_until,
)

ANNOTATED = pathlib.Path(__file__).resolve().parents[2] / "configs" / "annotated.conf"
SLOTS = 16384

GLOBAL_OPTIONS = ["--node", "--keyspace", "--consistency", "--timeout-ms", "--json", "--version"]
LEVELS = "ONE TWO THREE QUORUM ALL LOCAL_ONE LOCAL_QUORUM EACH_QUORUM".split()
COMMANDS = {
    "put": ["KEY", "VALUE", "--key64", "--context", "--ttl-s"],
    "get": ["KEY", "--key64"],
    "delete": ["KEY", "--key64", "--context"],
    "import": ["FILE", "--in-flight", "--ack-log", "--skip-acked", "--overwrite"],
    "export": [],
    "status": [],
    "members": [],
    "repair": ["--slot"],
    "ring": ["KEY", "--key64"],
    "keyspace": ["add", "alter"],
    "watch": ["--once", "--only-given", "--for-s", "--silence-ms", "node_restarted"],
}


def annotated_knobs():
    """Every knob of configs/annotated.conf, as --SECTION.KEY."""
    section, knobs = "", []
    for line in ANNOTATED.read_text().splitlines():
        if found := re.fullmatch(r"\[(.+)\]", line):
            section = found[1].replace("keyspaces.default", "keyspaces.NAME")
        elif found := re.match(r"([a-z0-9-]+) = ", line):
            knobs.append(f"--{section}.{found[1]}")
    return knobs


class HelpTest(ProcessTest):
    def text(self, *command):
        outcome = run_program(command)
        self.assertEqual(outcome.err, "")
        return self.done(outcome).decode()

    def test_covey_help_names_every_option_command_level_and_exit_code(self):
        text = self.text(COVEY, "--help")
        for word in GLOBAL_OPTIONS + list(COMMANDS) + LEVELS:
            self.assertIn(word, text)
        for code in range(6):
            self.assertRegex(text, rf"(?m)^  {code}  \w")
        self.assertEqual(self.text(COVEY, "-h"), text)

    def test_the_help_of_a_command_names_every_option_of_it_and_an_example(self):
        for command, words in COMMANDS.items():
            with self.subTest(command=command):
                text = self.text(COVEY, command, "--help")
                for word in [*words, "covey --help"]:
                    self.assertIn(word, text)
                self.assertRegex(text, rf"(?m)^  covey .*\b{command}\b")

    def test_coveyd_help_names_every_knob_of_the_annotated_configuration(self):
        text = self.text(COVEYD, "--help")
        knobs = annotated_knobs()
        self.assertGreater(len(knobs), 40)
        for word in ["--config-file", "--dump-config", "--version", *knobs]:
            self.assertRegex(text, rf"(?m)^  {re.escape(word)}\b")

    def test_both_programs_tell_one_version(self):
        covey, coveyd = self.text(COVEY, "--version"), self.text(COVEYD, "--version")
        self.assertRegex(covey, r"^covey \d+\.\d+\.\d+\n$")
        self.assertEqual(covey.split()[1], coveyd.split()[1])


class UsageTest(ProcessTest):
    def test_wrong_usage_is_one_line_and_exit_code_2(self):
        cases = [
            [],
            ["fetch", "key"],
            ["get"],
            ["get", "one", "two"],
            ["put", "key"],
            ["get", "key", "--fast"],
            ["get", "key", "--consistency", "MOST"],
            ["get", "key", "--consistency", "0"],
            ["get", "key", "--consistency", "17"],
            ["get", "key", "--timeout-ms", "0"],
            ["get", "key", "--timeout-ms", "soon"],
            ["get", "key", "--node", "nowhere"],
            ["get", "key", "--node", "127.0.0.1:99999"],
            ["get", "--key64", "no base64!"],
            ["put", "key", "value", "--context", "no base64!"],
            ["put", "key", "value", "--ttl-s", "-1"],
            ["import", "file", "--in-flight", "0"],
            ["import", "/nonexistent/records.jsonl"],
            ["import", "/"],
        ]
        for arguments in cases:
            with self.subTest(arguments=arguments):
                outcome = run_program([COVEY, *arguments])
                self.refused(outcome, 2, "covey: ")
                self.assertEqual(outcome.out, b"")

    def test_a_node_that_is_not_there_is_named(self):
        # Port 1 belongs to no test.
        node = "127.0.0.1:1"
        for command in (["get", "key"], ["put", "key", "v"], ["status"], ["ring"], ["export"]):
            with self.subTest(command=command[0]):
                limits = ["--node", node, "--timeout-ms", "300"]
                outcome = run_program([COVEY, *limits, *command])
                self.refused(outcome, 3, f"covey: {command[0]}: unavailable", node)
                self.assertEqual(outcome.out, b"")


class CommandTest(ProcessTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.share_cluster(3)

    def covey(self, *arguments, **how):
        return self.cluster.covey(*arguments, **how)

    def test_what_begins_with_a_dash_goes_after_two(self):
        self.done(self.covey("put", "--", "-key", "-value"))
        self.assertEqual(self.done(self.covey("get", "--", "-key")), b"-value")

    def test_options_for_all_commands_stand_before_or_after_the_command(self):
        self.done(self.covey("--keyspace", "lww", "put", "place", "v"))
        self.assertEqual(self.done(self.covey("get", "place", "--keyspace", "lww")), b"v")

    def test_a_stdout_that_takes_nothing_is_an_error(self):
        self.done(self.covey("put", "key", "value"))
        node = self.cluster["n1"].address
        for command in ("get key", "get key --json", "export"):
            with self.subTest(command=command):
                full = ["sh", "-c", f"exec {COVEY} --node {node} {command} > /dev/full"]
                self.refused(run_program(full), 3, "cannot write to stdout")

    def test_an_import_counts_and_names_bad_lines_and_takes_the_others(self):
        lines = [
            '{"key": "good 1", "value": "1"}',
            "no json",
            "",
            '{"key": "no value"}',
            '{"value": "no key"}',
            '{"key64": "!", "value": "no base64"}',
            '["key", "value"]',
            '{"key": "", "value": "empty key"}',
            '{"key": 1, "value": "number"}',
            '{"key64": "' + to_base64(b"good 2") + '", "value64": "' + to_base64(b"2") + '"}',
        ]
        stdin = "\n".join(lines).encode()
        outcome = self.covey("import", "-", "--json", stdin=stdin)
        self.refused(outcome, 5, "2 acknowledged", "7 bad lines", "first 2 4 5 6 7")
        counts = json.loads(outcome.out)
        self.assertEqual(counts["acknowledged"], 2)
        self.assertEqual(counts["rejected_lines"], 7)
        self.assertEqual(counts["first_rejected_lines"], [2, 4, 5, 6, 7])
        self.assertEqual(self.done(self.covey("get", "good 1")), b"1")
        self.assertEqual(self.done(self.covey("get", "good 2")), b"2")

    def test_an_import_counts_what_the_nodes_reject(self):
        lines = [
            {"key": "fits", "value": "v"},
            {"key": "k" * 1025, "value": "v"},
            {"key": "large", "value": "v" * ((1 << 20) + 1)},
        ]
        stdin = "\n".join(map(json.dumps, lines)).encode()
        outcome = self.covey("import", "-", "--json", stdin=stdin)
        self.assertEqual(outcome.code, 5, outcome.err)
        counts = json.loads(outcome.out)
        self.assertEqual(counts["acknowledged"], 1)
        self.assertEqual(counts["failed"], {"key_too_large": 1, "value_too_large": 1})

    def test_an_import_notes_what_was_acknowledged_and_skips_it_next_time(self):
        records = [{"key": f"noted {i}", "value": str(i)} for i in range(100)]
        stdin = "\n".join(map(json.dumps, records)).encode()
        log = self.cluster.home / "noted"
        notes = ["--ack-log", log, "--skip-acked", log, "--json"]
        log.touch()
        first = json.loads(self.done(self.covey("import", "-", *notes, stdin=stdin)))
        self.assertEqual((first["acknowledged"], first["skipped"]), (100, 0))
        noted = sorted(log.read_text().split())
        self.assertEqual(noted, sorted(to_base64(x["key"].encode()) for x in records))
        second = json.loads(self.done(self.covey("import", "-", *notes, stdin=stdin)))
        self.assertEqual((second["acknowledged"], second["skipped"]), (0, 100))

    def test_a_resumed_import_writes_nothing_twice(self):
        records = [{"key": f"resumed {i}", "value": str(i)} for i in range(50)]
        stdin = "\n".join(map(json.dumps, records)).encode()
        self.done(self.covey("import", "-", stdin=stdin))
        # Nothing was noted as acknowledged: all of it is looked at again.
        nothing = self.cluster.home / "noted-nothing"
        nothing.touch()
        self.done(self.covey("import", "-", "--skip-acked", nothing, stdin=stdin))
        for record in records:
            self.assertEqual(self.done(self.covey("get", record["key"])).decode(), record["value"])

    def test_an_import_replaces_what_is_there_only_when_told_to(self):
        self.done(self.covey("put", "replaced", "old"))
        record = b'{"key":"replaced","value":"new"}\n'
        self.done(self.covey("import", "-", "--overwrite", stdin=record))
        self.assertEqual(self.done(self.covey("get", "replaced")), b"new")
        self.done(self.covey("import", "-", stdin=record.replace(b"new", b"newer")))
        self.assertEqual(self.covey("get", "replaced").code, 4)

    def test_what_one_cluster_exports_another_imports_and_exports_again(self):
        keys = [b"text", "täxt ☂".encode(), b"line\nbreak", b'"quoted"\\', bytes(range(256))]
        records = {key: key[::-1] * 2 for key in keys} | {b"empty": b""}
        records |= {f"key {i}".encode(): b"v" * i for i in range(500)}
        lines = "".join(
            json.dumps({"key64": to_base64(key), "value64": to_base64(value)}) + "\n"
            for key, value in records.items()
        )
        one, other = self.start_cluster(1), self.start_cluster(3)
        self.done(one.covey("import", "-", stdin=lines.encode()))
        exported = self.done(one.covey("export"))
        self.assertEqual(dict(map(record_bytes, json_lines(exported))), records)
        self.done(other.covey("import", "-", stdin=exported))
        some = self.done(one.covey("export", "--prefix", "key 1"))
        self.assertEqual(
            dict(map(record_bytes, json_lines(some))),
            {k: v for k, v in records.items() if k.startswith(b"key 1")},
        )
        again = self.done(other.covey("export", via="n2"))
        self.assertEqual(sorted(again.splitlines()), sorted(exported.splitlines()))

    def test_every_node_tells_the_same_homes_of_a_key(self):
        for key in ["a", "b", "c"]:
            answers = [
                json.loads(self.done(self.covey("ring", key, "--json", via=node)))
                for node in self.cluster.nodes
            ]
            self.assertEqual(answers, answers[:1] * 3)
            self.assertEqual(sorted(answers[0]["homes"]), ["n1", "n2", "n3"])
            self.assertEqual(answers[0]["fallbacks"], [])
        text = self.done(self.covey("ring", "a")).decode()
        self.assertRegex(text, r"^slot +15495\nhomes +n\d n\d n\d\nfallbacks +none\n$")

    def test_the_slot_is_the_one_that_the_published_vector_gives(self):
        ring = json.loads(self.done(self.covey("ring", "123456789", "--json")))
        self.assertEqual(ring["slot"], 0x31C3)

    def test_the_ring_accounts_for_every_slot_of_every_replica(self):
        members = json.loads(self.done(self.covey("ring", "--json")))["members"]
        self.assertEqual([x["name"] for x in members], ["n1", "n2", "n3"])
        self.assertEqual(sum(x["slots"] for x in members), 3 * SLOTS)
        self.assertIn("OF IDEAL", self.done(self.covey("ring")).decode())

    def test_members_tells_who_is_up_since_when_and_with_which_run(self):
        def told(node):
            text = self.done(self.covey("members", "--json", via=node))
            return json.loads(text)

        for node in ("n1", "n3"):
            # Runs are learnt by the first gossip.
            wait_until(
                lambda node=node: all(x["run"] for x in told(node)["members"]),
                30,
                f"{node} has met all",
            )
            answer = told(node)
            self.assertEqual(answer["node"], node)
            self.assertEqual([x["name"] for x in answer["members"]], ["n1", "n2", "n3"])
            for member in answer["members"]:
                self.assertEqual(member["state"], "up")
                self.assertEqual(member["accusers"], [])
                self.assertRegex(member["id"], r"^[0-9a-f-]{36}$")
                self.assertTrue(member["rack"])
                self.assertEqual(member["data_centre"], "dc1")
                self.assertGreater(member["since_us"], 0)
                self.assertIn("round_trip_us", member)
                self.assertIn("heartbeat_age_ms", member)
                self.assertFalse(member["stalled"])
        text = self.done(self.covey("members")).decode()
        for word in ["MEMBER", "STATE", "ACCORDING TO", "RUN", "HEARTBEAT", "n2", "up"]:
            self.assertIn(word, text)

    def test_the_status_tells_members_keyspaces_and_statistics(self):
        for node in self.cluster.nodes:
            status = json.loads(self.done(self.covey("status", "--json", via=node)))
            self.assertEqual(status["node"], node)
            self.assertEqual(status["cluster"], "process-test")
            members = {x["name"]: x["address"] for x in status["members"]}
            self.assertEqual(members, {x.name: x.address for x in self.cluster})
            self.assertTrue(all(x["up"] for x in status["members"]))
            policies = {x["name"]: x["policy"] for x in status["keyspaces"]}
            self.assertEqual(policies, {"default": "siblings", "lww": "lww"})
            self.assertIn("requests.puts", status["statistics"])
        text = self.done(self.covey("status")).decode()
        for word in ["cluster process-test, seen from n1", "MEMBER", "KEYSPACE", "STATISTIC"]:
            self.assertIn(word, text)

    def test_the_environment_names_the_nodes_where_the_command_does_not(self):
        self.done(self.covey("put", "environment", "value"))
        variable = f"COVEY_NODES={self.cluster['n2'].address}"
        asked = run_program(["env", variable, COVEY, "get", "environment"])
        self.assertEqual(self.done(asked), b"value")


if __name__ == "__main__":
    unittest.main()
