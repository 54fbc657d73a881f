#include "client/options.hpp"

#include "client/base64.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

namespace covey::client {

namespace {

constexpr const char* description
  = "covey talks to a cluster of coveyd: put and get keys, import and export,\n"
    "look at the members and at the ring, and watch the nodes.";

constexpr const char* footer = R"(
Consistency levels: ONE, TWO, THREE, QUORUM, ALL, LOCAL_ONE, LOCAL_QUORUM,
EACH_QUORUM, or a number of replicas from 1 to 16. None: what the keyspace says.

A key or a value that starts with '-' goes after '--'.

Exit codes:
  0  done
  1  not found
  2  usage
  3  unavailable, timed out, overloaded, or not all that was asked for
  4  the key has siblings
  5  rejected: too large, unknown keyspace, bad value

Examples:
  covey --node n1:7101,n2:7101 put greeting hello
  covey get greeting
  covey put picture - < picture.png
  covey get cart --json               # siblings: one line each, exit code 4
  covey put cart merged --context TOKEN
  covey import records.jsonl --ack-log acked.log
  covey export > records.jsonl
  covey status
  covey members
  covey ring greeting
  covey keyspace add photos --replication 3
  covey watch                         # until interrupted
'covey COMMAND --help' tells the options of a command.)";

// What CLI11 fills, before it is checked.
struct raw_options {
  raw_cluster_options cluster;
  std::string context;
  std::string slots;
  uint64_t ttl_s = 0;
  std::string read_level;
  std::string write_level;
  std::string write_quorum;
  std::string hash_tags;
  bool key64 = false;
  bool strict = false;
  bool sloppy = false;
};

constexpr uint64_t max_ttl_s = 100ull * 366 * 24 * 3600;

void add_global_options(CLI::App& app, options& out, raw_options& raw) {
  add_cluster_options(app, out, raw.cluster,
                      "Nodes to begin with, tried in this order; import, "
                      "export\nand watch find the others",
                      "'covey status' lists them");
  app.add_flag("--json", out.json, "Write JSON, for programs");
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version", std::string{"covey "} + version,
                       "Print the version and exit");
  app.footer(footer);
}

void add_key(CLI::App& cmd, options& out, raw_options& raw, bool required) {
  cmd.add_option("KEY", out.key, "The key")
    ->required(required)
    ->option_text(" ");
  cmd.add_flag("--key64", raw.key64,
               "KEY is base64, for keys that are not text");
}

void add_quorum(CLI::App& cmd, raw_options& raw) {
  auto* strict = cmd.add_flag("--strict", raw.strict,
                              "Count homes only, whatever the keyspace says");
  cmd
    .add_flag("--sloppy", raw.sloppy,
              "Count fallbacks too, which keep the write for a home that\n"
              "cannot take it")
    ->excludes(strict);
}

void add_context(CLI::App& cmd, raw_options& raw) {
  cmd
    .add_option("--context", raw.context,
                "What 'get --json' printed: the write replaces what that get "
                "saw,\nand becomes a sibling of everything else")
    ->option_text("TOKEN");
}

CLI::App& add_command(CLI::App& app, const char* name, const char* help,
                      const char* examples) {
  auto& cmd = *app.add_subcommand(name, help);
  cmd.fallthrough();
  cmd.footer(std::string{"\n"} + examples
             + "\n'covey --help' tells the options of all commands, the "
               "consistency levels and the exit codes.");
  return cmd;
}

void add_keyspace_options(CLI::App& cmd, options& out, raw_options& raw) {
  // CLI11 fills plain strings only.
  auto text = [&](const char* name, std::string* to, const char* help) {
    return cmd.add_option(name, *to, help);
  };
  text("NAME", out.change.mutable_name(), "The keyspace")
    ->required()
    ->option_text(" ");
  text("--replication", out.change.mutable_replication(),
       "Replicas in all, or for each data centre")
    ->option_text("N or DC:N,...");
  text("--policy", out.change.mutable_policy(),
       "What becomes of concurrent writes")
    ->check(CLI::IsMember({"siblings", "lww"}))
    ->option_text("siblings|lww");
  text("--read", &raw.read_level, "Consistency of reads that state none")
    ->option_text("LEVEL");
  text("--write", &raw.write_level, "Consistency of writes that state none")
    ->option_text("LEVEL");
  text("--write-quorum", &raw.write_quorum,
       "Whether writes that say neither count fallbacks")
    ->check(CLI::IsMember({"sloppy", "strict"}))
    ->option_text("sloppy|strict");
  cmd
    .add_option_function<uint64_t>(
      "--ttl-s",
      [&out](uint64_t ttl) {
        out.change.set_has_ttl(true);
        out.change.set_default_ttl_s(ttl);
      },
      "Age at which values expire by themselves; 0: never")
    ->check(CLI::Range(uint64_t{0}, core::max_default_ttl_s))
    ->option_text("SECONDS");
  text("--hash-tags", &raw.hash_tags,
       "Whether keys are placed by their part in {braces}, if any")
    ->check(CLI::IsMember({"on", "off"}))
    ->option_text("on|off");
  cmd
    .add_flag_function(
      "--dry-run",
      [&out](int64_t) {
        out.change.set_dry_run(true);
      },
      "Only say what would be changed")
    ->option_text(" ");
}

void add_keyspace_command(CLI::App& app, options& out, raw_options& raw) {
  auto& cmd = add_command(
    app, "keyspace", "Add a keyspace, or alter the defaults of one",
    "A majority of the members decides; the command waits for that, at most\n"
    "--timeout-ms. Replication, policy and hash tags of a keyspace stay as "
    "they are.\n"
    "Examples:\n  covey keyspace add photos --replication 3 --dry-run\n"
    "  covey keyspace add photos --replication 3 --policy lww\n"
    "  covey keyspace alter photos --read ONE --ttl-s 86400");
  cmd.require_subcommand(1);
  auto& add = *cmd.add_subcommand("add", "Add a keyspace");
  add.fallthrough();
  add_keyspace_options(add, out, raw);
  add.get_option("--replication")->required();
  auto& alter = *cmd.add_subcommand("alter", "Alter what is given");
  alter.fallthrough();
  add_keyspace_options(alter, out, raw);
  alter.callback([&out] {
    out.change.set_alter(true);
  });
}

void add_watch(CLI::App& app, options& out) {
  auto& watch = add_command(
    app, "watch", "Report each node that goes up or down, and each crash in it",
    "Starts with the state of every node, then writes a line for each event:\n"
    "  node_up          met first, or again in the run that was known\n"
    "  node_restarted   met again, as a new process: its run has changed\n"
    "  node_silent      connected, but does not answer: frozen, or very busy\n"
    "  node_answers     was silent\n"
    "  node_down        its process ended, or it cannot be reached from here\n"
    "  child_restarted  an actor of the node crashed and was started anew\n"
    "  child_crashed    an actor crashed and the node ends because of it\n"
    "Nodes that are not there are tried again without end.\n"
    "Exit codes: 0 when interrupted or after --for-s, and for --once if all "
    "are up;\n3 if stdout cannot be written, and for --once if one is not "
    "up.\n"
    "Examples:\n  covey watch\n  covey --json watch --for-s 3600 > "
    "events.jsonl\n"
    "  covey watch --once   # for scripts: is every node up?");
  auto* once = watch
                 .add_flag("--once", out.watch_once,
                           "Write the state of every node once all are known "
                           "to be up or\ndown, at most after --timeout-ms, "
                           "and end")
                 ->option_text(" ");
  watch.add_flag("--only-given", out.only_given,
                 "Only the nodes of --node, not all members");
  watch.add_option("--for-s", out.for_s, "End after so long")
    ->check(CLI::Range(1u, 31'536'000u))
    ->excludes(once)
    ->option_text("SECONDS");
  watch
    .add_option("--silence-ms", out.silence_ms,
                "A node that leaves a question open for so long is silent")
    ->check(CLI::Range(100u, 2000u))
    ->option_text("100..2000 (default 1500)");
}

void add_repair(CLI::App& app, raw_options& raw) {
  auto& repair = add_command(
    app, "repair", "Make the replicas of a node and its peers equal, now",
    "Nodes compare their replicas by themselves, again and again; this does it "
    "at\nonce, between the node asked and every other that has slots of its "
    "own. Ends with\nthis command. With --json the last line counts slots once "
    "for each peer.\nExit codes: 0 all was compared, 3 something could not "
    "be.\nExamples:\n  covey --node n3:7101 repair\n"
    "  covey repair --slot 0-1023 --json");
  repair
    .add_option("--slot", raw.slots, "Only these slots; A alone is one slot")
    ->option_text("A-B");
}

void add_commands(CLI::App& app, options& out, raw_options& raw) {
  auto& put = add_command(app, "put", "Write a key",
                          "Examples:\n  covey put greeting hello\n"
                          "  covey put greeting - < file   # bytes of stdin\n"
                          "  covey put greeting hi --context TOKEN --ttl-s 60");
  add_key(put, out, raw, true);
  put.add_option("VALUE", out.value, "The value; '-' reads it from stdin")
    ->required()
    ->option_text(" ");
  add_context(put, raw);
  add_quorum(put, raw);
  put
    .add_option(
      "--ttl-s", raw.ttl_s,
      "Expire the value after so long; 0, the default: as the keyspace says")
    ->check(CLI::Range(uint64_t{0}, max_ttl_s))
    ->option_text("SECONDS");
  auto& get = add_command(app, "get", "Write the value of a key to stdout",
                          "Examples:\n  covey get greeting\n"
                          "  covey get cart --json   # with its context");
  add_key(get, out, raw, true);
  auto& remove = add_command(
    app, "delete", "Delete what a key has now",
    "Without --context the key is read first: values "
    "written meanwhile stay.\nExamples:\n  covey delete greeting\n"
    "  covey delete greeting --context TOKEN");
  add_key(remove, out, raw, true);
  add_context(remove, raw);
  add_quorum(remove, raw);
  auto& import = add_command(
    app, "import", "Put every line of a file of JSON lines",
    "A line is {\"key\":\"...\",\"value\":\"...\"}; key64 and value64 hold "
    "bytes\n"
    "that are not text, in base64.\n"
    "Examples:\n  covey import records.jsonl\n"
    "  covey import records.jsonl --ack-log acked.log --skip-acked acked.log");
  import.add_option("FILE", out.file, "The file; '-' is stdin")
    ->required()
    ->option_text(" ");
  import
    .add_option("--in-flight", out.in_flight,
                "Writes that may be on their way at once")
    ->check(CLI::Range(1u, 10'000u))
    ->option_text("1..10000 (default 512)");
  import
    .add_option("--ack-log", out.ack_log,
                "Append the key of each acknowledged write to this file,\n"
                "in base64, one a line")
    ->option_text("FILE");
  import
    .add_option("--skip-acked", out.skip_acked,
                "Skip the keys in this file, which --ack-log wrote, and what\n"
                "the interrupted import wrote without hearing of it")
    ->option_text("FILE");
  add_quorum(import, raw);
  import.add_flag(
    "--overwrite", out.overwrite,
    "Replace the values that keys have (reads them first); without\n"
    "it a record becomes their sibling");
  auto& dump = add_command(
    app, "export", "Write every key of the keyspace to stdout as JSON lines",
    "Example:\n  covey --keyspace users export > users.jsonl");
  dump.add_option("--prefix", out.prefix, "Only keys that begin with this")
    ->option_text("TEXT");
  add_command(app, "status", "Show members, keyspaces and statistics",
              "Example:\n  covey --node n2:7101 status");
  add_command(
    app, "members", "Show who is up, suspect or down",
    "FOR tells since when, ACCORDING TO who does not hear the member: "
    "one is\nenough for 'suspect', two of those who watch it for "
    "'down'. HEARTBEAT is the\nage of its newest one that the node "
    "knows.\nExamples:\n  covey members\n"
    "  covey --node n2:7101 members --json   # as n2 sees them");
  auto& ring
    = add_command(app, "ring", "Show who owns how much, or where a key lies",
                  "Examples:\n  covey ring\n  covey ring greeting");
  add_key(ring, out, raw, false);
  add_keyspace_command(app, out, raw);
  add_repair(app, raw);
  add_watch(app, out);
}

core::consistency parse_level(const char* option, const std::string& text) {
  if (text.empty())
    return {};
  auto result = core::parse_consistency(text);
  if (!result || result->level == core::consistency_level::keyspace_default)
    throw CLI::ValidationError(option, "'" + text
                                         + "' is no level; see 'covey --help'");
  return *result;
}

void check_keyspace(options& out, const raw_options& raw) {
  auto read = parse_level("--read", raw.read_level);
  auto write = parse_level("--write", raw.write_level);
  auto& change = out.change;
  change.set_read_level(static_cast<uint32_t>(read.level));
  change.set_read_count(read.count);
  change.set_write_level(static_cast<uint32_t>(write.level));
  change.set_write_count(write.count);
  auto quorum = core::quorum_kind::keyspace_default;
  if (!raw.write_quorum.empty())
    quorum = raw.write_quorum == "strict" ? core::quorum_kind::strict
                                          : core::quorum_kind::sloppy;
  change.set_quorum(static_cast<uint32_t>(quorum));
  if (!raw.hash_tags.empty())
    change.set_hash_tags(raw.hash_tags == "on" ? 2 : 1);
  if (!change.replication().empty()
      && !core::parse_replication(change.replication()))
    throw CLI::ValidationError(
      "--replication", "'" + change.replication()
                         + "' is neither a number from 1 to 16 nor one for "
                           "each data centre, as in dc1:3,dc2:2");
}

void check_slots(options& out, const std::string& text) {
  if (text.empty())
    return;
  auto dash = text.find('-');
  auto number = [](const std::string& digits) {
    auto sound = !digits.empty() && digits.size() <= 5
                 && digits.find_first_not_of("0123456789") == std::string::npos;
    return sound ? std::stoul(digits) : core::slot_count;
  };
  auto first = number(text.substr(0, dash));
  auto last = dash == std::string::npos ? first : number(text.substr(dash + 1));
  if (first > last || last >= core::slot_count)
    throw CLI::ValidationError("--slot",
                               "give a slot from 0 to 16383, or two with a "
                               "dash: 0-1023");
  out.first_slot = static_cast<uint16_t>(first);
  out.last_slot = static_cast<uint16_t>(last);
}

// Translates what CLI11 filled; throws CLI::ValidationError.
void check(options& out, const raw_options& raw) {
  check_cluster_options(out, raw.cluster);
  out.request.time_to_live = std::chrono::seconds{raw.ttl_s};
  if (raw.strict)
    out.request.quorum = core::quorum_kind::strict;
  else if (raw.sloppy)
    out.request.quorum = core::quorum_kind::sloppy;
  auto context = base64_decode(raw.context);
  if (!context)
    throw CLI::ValidationError("--context",
                               "not base64; give what 'get --json' "
                               "printed");
  out.request.context = std::move(*context);
  if (raw.key64) {
    auto key = base64_decode(out.key);
    if (!key)
      throw CLI::ValidationError("--key64", "KEY is not base64");
    out.key = std::move(*key);
  }
  check_keyspace(out, raw);
  check_slots(out, raw.slots);
  out.value_from_stdin = out.command == "put" && out.value == "-";
}

} // namespace

std::variant<options, int> parse_options(int argc, const char* const* argv) {
  options result;
  raw_options raw;
  CLI::App app{description, "covey"};
  app.require_subcommand(1);
  app.get_formatter()->column_width(32);
  add_global_options(app, result, raw);
  add_commands(app, result, raw);
  try {
    app.parse(argc, const_cast<char**>(argv));
    result.command = app.get_subcommands().front()->get_name();
    check(result, raw);
  } catch (const CLI::Success& request) {
    app.exit(request, std::cout, std::cerr);
    return 0;
  } catch (const CLI::ParseError& wrong) {
    std::cerr << "covey: usage: " << wrong.what()
              << ". Run 'covey --help' for how to use it.\n";
    return 2;
  }
  return result;
}

} // namespace covey::client
