// The table of knobs, and the shipped files that document and use it.

#define CAF_SUITE runtime.config_schema

#include "runtime/config_file.hpp"
#include "runtime/config_help.hpp"
#include "runtime/config_schema.hpp"
#include "tests/runtime/config_files.hpp"

#include <caf/test/unit_test.hpp>

#include <limits>
#include <map>
#include <sstream>

using namespace covey;
using namespace covey::runtime;
using namespace covey::test;

namespace {

const std::string annotated
  = (source_folder() / "configs" / "annotated.conf").string();

std::string section_of(const knob& k) {
  return k.section == keyspace_section ? "keyspaces.default" : k.section;
}

std::string name_of(const knob& k) {
  return section_of(k) + "." + k.key;
}

std::string assign_fresh(const knob& k, const knob_value& x) {
  config_draft draft;
  return assign(draft, section_of(k), k, x);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The comments above each key of annotated.conf, on one line each.
std::map<std::string, std::string> annotations() {
  std::map<std::string, std::string> result;
  std::ifstream in{annotated};
  std::string section;
  std::string comment;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      comment.clear();
    } else if (line.front() == ';') {
      comment += line.substr(1);
    } else if (line.front() == '[') {
      section = line.substr(1, line.size() - 2);
      comment.clear();
    } else {
      auto key = line.substr(0, line.find(' '));
      result[section + "." + key] = comment;
    }
  }
  return result;
}

} // namespace

CAF_TEST(every number takes its edges and nothing beyond) {
  for (auto& k : schema()) {
    if (k.type != knob_type::number)
      continue;
    CAF_CHECK(k.min < k.max);
    for (knob_value x : {k.min, k.max}) {
      config_draft draft;
      CAF_CHECK_EQUAL(assign(draft, section_of(k), k, x), "");
      CAF_CHECK_EQUAL(to_string(k.load(draft, "default")), to_string(x));
    }
    for (auto x : {k.min - 1, k.max + 1, std::numeric_limits<int64_t>::min(),
                   std::numeric_limits<int64_t>::max()})
      CAF_CHECK_EQUAL(assign_fresh(k, x),
                      name_of(k) + " = " + std::to_string(x)
                        + " is out of range: " + range_text(k));
  }
}

CAF_TEST(every choice takes its choices and nothing else) {
  for (auto& k : schema()) {
    if (k.type != knob_type::choice)
      continue;
    for (knob_value x : k.choices) {
      config_draft draft;
      CAF_CHECK_EQUAL(assign(draft, section_of(k), k, x), "");
      CAF_CHECK_EQUAL(to_string(k.load(draft, "default")), to_string(x));
    }
    CAF_CHECK_EQUAL(assign_fresh(k, std::string{"any"}),
                    name_of(k)
                      + " = \"any\" is none of these: " + range_text(k));
  }
}

CAF_TEST(every knob refuses values of another type) {
  const std::vector<knob_value> values{int64_t{1}, true, std::string{"x"},
                                       text_list{},
                                       foreign_value{"a duration with a unit"}};
  for (auto& k : schema()) {
    auto own = k.type == knob_type::number ? 0u
               : k.type == knob_type::flag ? 1u
               : k.type == knob_type::list ? 3u
                                           : 2u;
    for (auto& x : values) {
      if (x.index() == own
          || (k.type == knob_type::number_or_text && x.index() == 0))
        continue;
      auto foreign = std::holds_alternative<foreign_value>(x);
      auto start = name_of(k)
                   + (foreign ? " is " : " = " + to_string(x) + " is ")
                   + kind_of(x) + "; write ";
      CAF_CHECK_EQUAL(assign_fresh(k, x).substr(0, start.size()), start);
    }
  }
}

CAF_TEST(types that no knob has are named) {
  CAF_CHECK_EQUAL(problems("[limits]\nmax-timeout-ms = 10s\n"),
                  "limits.max-timeout-ms is a duration with a unit; write a "
                  "plain whole number, 1 to 3600000 (milliseconds)\n");
  CAF_CHECK_EQUAL(problems("[storage]\nshards = 1.5\n"),
                  "storage.shards is a fraction; write a plain whole number, "
                  "1 to 64\n");
  CAF_CHECK_EQUAL(problems("[storage]\ntable-type = 'lsm'\n"),
                  "storage.table-type is a word in single quotes; write btree "
                  "or lsm, in double quotes\n");
  CAF_CHECK_EQUAL(problems("[log]\nfile = <file:/x>\n"),
                  "log.file is a URI; write text in double quotes\n");
  CAF_CHECK_EQUAL(problems("[cluster]\nmembers = [\"a\", [1], {x = 1}]\n"),
                  "cluster.members is a list of something else than texts; "
                  "write a list of texts: [\"...\", \"...\"]\n");
}

CAF_TEST(defaults are within their own limits) {
  for (auto& k : schema())
    if (k.default_note.empty())
      CAF_CHECK_EQUAL(assign_fresh(k, k.load(config_draft{}, "")), "");
}

CAF_TEST(annotated.conf lists every knob with its default and nothing else) {
  auto content = read_config_file(annotated);
  CAF_CHECK_EQUAL(content.error, "");
  CAF_REQUIRE_EQUAL(content.entries.size(), schema().size());
  for (size_t i = 0; i < schema().size(); ++i) {
    auto& k = schema()[i];
    auto& entry = content.entries[i];
    CAF_CHECK_EQUAL(entry.section + "." + entry.key, name_of(k));
    if (k.default_note.empty())
      CAF_CHECK_EQUAL(to_string(entry.value), default_text(k));
  }
}

CAF_TEST(annotated.conf gives every range and both directions) {
  auto comments = annotations();
  CAF_CHECK_EQUAL(comments.size(), schema().size());
  for (auto& k : schema()) {
    auto& comment = comments[name_of(k)];
    if (!contains(comment, "Takes " + range_text(k) + "."))
      CAF_ERROR(name_of(k) << " does not say: Takes " << range_text(k));
    CAF_CHECK_EQUAL(contains(comment, "Required:"), k.required);
    auto has_directions = k.type == knob_type::number && k.key != "port";
    if (has_directions
        && (!contains(comment, "Higher: ") || !contains(comment, "Lower: ")))
      CAF_ERROR(name_of(k) << " does not say what higher and lower do");
  }
}

CAF_TEST(the shipped files are valid) {
  auto parse = [](const std::string& file) {
    auto path = (source_folder() / "configs" / file).string();
    auto result = parse_node_config({"--config-file=" + path});
    for (auto& line : result.errors)
      CAF_ERROR(line);
    CAF_REQUIRE(result.config);
    return *result.config;
  };
  CAF_CHECK_EQUAL(parse("annotated.conf").epoch.members.size(), 1u);
  auto single = parse("single.conf");
  CAF_CHECK_EQUAL(single.node.port, 7101);
  CAF_CHECK_EQUAL(single.node.data_directory, "./data/single");
  uint64_t hash = 0;
  for (auto i = 1; i <= 3; ++i) {
    auto name = "n" + std::to_string(i);
    auto node = parse("three-nodes/" + name + ".conf");
    CAF_CHECK_EQUAL(node.node.name, name);
    CAF_CHECK_EQUAL(node.node.port, 7100 + i);
    CAF_CHECK_EQUAL(node.node.data_directory, "./data/" + name);
    CAF_CHECK_EQUAL(node.self, i - 1);
    CAF_REQUIRE_EQUAL(node.epoch.keyspaces.size(), 2u);
    for (auto& k : node.epoch.keyspaces)
      CAF_CHECK_EQUAL(k.replication.total, 3u);
    if (hash == 0)
      hash = core::epoch_hash(node.epoch);
    CAF_CHECK_EQUAL(core::epoch_hash(node.epoch), hash);
  }
}

CAF_TEST(what is dumped reads as the same configuration) {
  config_file first{std::string{minimal}
                    + "[cluster]\nmembers = [\"n1=[::1]:7102 rack=x\"]\n"
                      "[keyspaces.k]\npolicy = \"lww\"\n"
                      "[log]\nfile = \"a \\\"b\\\\\"\n"};
  auto dumped = first.parse({"--dump-config"});
  CAF_CHECK(dumped.errors.empty());
  CAF_CHECK(!dumped.config);
  config_file second{dumped.text};
  CAF_CHECK_EQUAL(second.parse({"--dump-config"}).text, dumped.text);
  CAF_CHECK(contains(dumped.text, "port = 7102\n"));
}

CAF_TEST(help names every knob with its default and range) {
  auto help = parse_node_config({"--help"});
  CAF_CHECK_EQUAL(help.text, help_text());
  for (auto& k : schema()) {
    CAF_CHECK(contains(help.text, "--" + k.section + "." + k.key + "\n"));
    CAF_CHECK(contains(help.text, "default: " + default_text(k)
                                    + "; takes: " + range_text(k) + "\n"));
  }
}

CAF_TEST(the version is that of the build) {
  auto text = parse_node_config({"--version"}).text;
  CAF_CHECK_EQUAL(text, "coveyd " + std::string{version} + "\n");
  std::ifstream in{source_folder() / "CMakeLists.txt"};
  std::stringstream build;
  build << in.rdbuf();
  CAF_CHECK(contains(build.str(), "VERSION " + std::string{version} + " "));
}
