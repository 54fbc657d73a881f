// Reading, merging and refusing configurations.

#define CAF_SUITE runtime.config

#include "runtime/config.hpp"
#include "tests/runtime/config_files.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey;
using namespace covey::runtime;
using namespace covey::test;

namespace {

const std::string three_members
  = "[cluster]\nmembers = [\"n1=127.0.0.1:7101 rack=r1\", "
    "\"n2=127.0.0.1:7102 rack=r2 dc=dc2 weight=4\",\n ; comment\n"
    "\"n3=[::1]:7103\"]\n";

/// By value: CAF's checks keep references.
std::string first_problem(const parse_result& x) {
  return x.errors.empty() ? "" : x.errors.front();
}

} // namespace

CAF_TEST(a minimal file gives a cluster of one node) {
  auto result = config_file{minimal}.parse();
  CAF_REQUIRE(result.errors.empty());
  CAF_REQUIRE(result.config);
  auto& epoch = result.config->epoch;
  CAF_CHECK_EQUAL(epoch.id.generation, 1u);
  CAF_CHECK_EQUAL(epoch.id.number, 1u);
  CAF_CHECK_EQUAL(epoch.cluster, "covey");
  CAF_REQUIRE_EQUAL(epoch.members.size(), 1u);
  CAF_CHECK_EQUAL(epoch.members[0].name, "n1");
  CAF_CHECK_EQUAL(epoch.members[0].port, 7101);
  CAF_CHECK(epoch.members[0].id == core::initial_member_id("covey", "n1"));
  CAF_REQUIRE_EQUAL(epoch.keyspaces.size(), 1u);
  CAF_CHECK_EQUAL(epoch.keyspaces[0].name, "default");
  CAF_CHECK_EQUAL(epoch.keyspaces[0].replication.total, 1u);
  CAF_CHECK(core::validate(epoch).empty());
}

CAF_TEST(what a node leaves out comes from its entry among the members) {
  auto result = config_file{three_members
                            + "[node]\nname = \"n2\"\n"
                              "data-directory = \"d\"\n"}
                  .parse();
  CAF_REQUIRE(result.config);
  auto& node = result.config->node;
  CAF_CHECK_EQUAL(node.port, 7102);
  CAF_CHECK_EQUAL(node.rack, "r2");
  CAF_CHECK_EQUAL(node.data_centre, "dc2");
  CAF_CHECK_EQUAL(node.weight, 4u);
  CAF_CHECK_EQUAL(result.config->self, 1u);
  CAF_CHECK_EQUAL(result.config->epoch.members[2].host, "::1");
  CAF_CHECK_EQUAL(result.config->epoch.keyspaces[0].replication.total, 3u);
}

CAF_TEST(a node that disagrees with its entry is refused by both names) {
  CAF_CHECK_EQUAL(problems("port = 7109\n" + three_members),
                  "node.port = 7109 disagrees with cluster.members, which says "
                  "7101 for n1; make them the same\n");
  CAF_CHECK_EQUAL(problems("rack = \"x\"\nweight = 2\n" + three_members),
                  "node.rack = \"x\" disagrees with cluster.members, which "
                  "says \"r1\" for n1; make them the same\n"
                  "node.weight = 2 disagrees with cluster.members, which says "
                  "1 for n1; make them the same\n");
  CAF_CHECK_EQUAL(problems(three_members, {"--node.name=n9"}),
                  "node.name = \"n9\" is not in cluster.members, which lists "
                  "n1, n2, n3\n");
}

CAF_TEST(the command line overrides the file) {
  config_file file{std::string{minimal} + "[storage]\ncache-mb = 32\n"};
  auto result = file.parse(
    {"--storage.cache-mb=64", "--node.data-directory=/x/y z",
     "--node.name=\"n7\"", "--storage.detached-shards",
     "--security.insecure=true", "--keyspaces.k.replication=1",
     "--keyspaces.k.policy=lww", "--cluster.members=[\"n7=127.0.0.1:7200\"]"});
  CAF_REQUIRE(result.errors.empty());
  auto& config = *result.config;
  CAF_CHECK_EQUAL(config.storage.cache_mb, 64u);
  CAF_CHECK_EQUAL(config.node.data_directory, "/x/y z");
  CAF_CHECK_EQUAL(config.node.name, "n7");
  CAF_CHECK_EQUAL(config.node.port, 7200);
  CAF_CHECK(config.storage.detached_shards);
  CAF_CHECK(config.security.insecure);
  CAF_REQUIRE_EQUAL(config.epoch.keyspaces.size(), 1u);
  CAF_CHECK(config.epoch.keyspaces[0].policy == core::conflict_policy::lww);
}

CAF_TEST(keyspaces take every knob) {
  auto result
    = config_file{three_members
                  + "[node]\nname = \"n1\"\ndata-directory = \"d\"\n"
                    "[keyspaces.b]\nreplication = \"dc1:2,dc2:1\"\n"
                    "read = \"one\"\nwrite = 2\nttl-s = 60\nhash-tags = true\n"
                    "[keyspaces.a]\n"}
        .parse();
  CAF_REQUIRE(result.config);
  auto& keyspaces = result.config->epoch.keyspaces;
  CAF_REQUIRE_EQUAL(keyspaces.size(), 2u);
  CAF_CHECK_EQUAL(keyspaces[0].name, "a");
  CAF_CHECK_EQUAL(core::to_string(keyspaces[1].replication), "dc1:2,dc2:1");
  CAF_CHECK_EQUAL(core::to_string(keyspaces[1].default_read), "ONE");
  CAF_CHECK_EQUAL(core::to_string(keyspaces[1].default_write), "2");
  CAF_CHECK_EQUAL(keyspaces[1].default_ttl_s, 60u);
  CAF_CHECK(keyspaces[1].hash_tags);
}

CAF_TEST(groups in braces mean the same as sections) {
  auto result = config_file{"node { name = \"n1\", data-directory = \"d\" }\n"
                            "storage {\n cache-mb = 99\n}\n"
                            "keyspaces { a { policy = \"lww\" } }\n"}
                  .parse();
  CAF_REQUIRE(result.errors.empty());
  CAF_CHECK_EQUAL(result.config->storage.cache_mb, 99u);
  CAF_CHECK_EQUAL(result.config->epoch.keyspaces[0].name, "a");
}

CAF_TEST(unknown names are refused with the nearest one) {
  CAF_CHECK_EQUAL(
    problems("[storage]\ncach-mb = 64\n"),
    "storage.cach-mb is unknown; did you mean storage.cache-mb?\n");
  CAF_CHECK_EQUAL(
    problems("[storage]\nkey-bytes = 64\n"),
    "storage.key-bytes is unknown; did you mean limits.key-bytes?\n");
  CAF_CHECK_EQUAL(problems("[storage]\nabracadabra = 64\n"),
                  "storage.abracadabra is unknown\n");
  CAF_CHECK_EQUAL(problems("[storag]\ncache-mb = 64\nx = 1\n"),
                  "section [storag] is unknown; did you mean [storage]?\n");
  CAF_CHECK_EQUAL(problems("[storag]\n"),
                  "section [storag] is unknown; did you mean [storage]?\n");
  CAF_CHECK_EQUAL(problems("[keyspaces.k]\nreplicaton = 1\n"),
                  "keyspaces.k.replicaton is unknown; did you mean "
                  "keyspaces.k.replication?\n");
  CAF_CHECK_EQUAL(problems("[keyspaces]\npolicy = \"lww\"\n"),
                  "keyspaces.policy is unknown; write [keyspaces.NAME] for "
                  "each keyspace\n");
  CAF_CHECK_EQUAL(problems("[keyspaces.a.b]\n"),
                  "section [keyspaces.a.b] is unknown; name a keyspace in a "
                  "file with A-Z a-z 0-9 _ - only\n");
  CAF_CHECK_EQUAL(problems("", {"--node.prot=7102"}),
                  "command line: node.prot is unknown; did you mean "
                  "node.port?\n");
  CAF_CHECK_EQUAL(problems("", {"--port=7102"}),
                  "command line: --port is unknown; did you mean "
                  "--node.port?\n");
  CAF_CHECK_EQUAL(problems("", {"--nod.port=7102"}),
                  "command line: section [nod] is unknown; did you mean "
                  "[node]?\n");
}

CAF_TEST(all problems are reported) {
  CAF_CHECK_EQUAL(
    problems("port = 0\n[storage]\ncache-mb = 5\ncache-mb = 64\n",
             {"--limits.siblings=x", "stray", "--node.port"}),
    "command line: \"stray\" is not understood; see coveyd --help\n");
  CAF_CHECK_EQUAL(
    problems("port = 0\n[storage]\ncache-mb = 5\ncache-mb = 64\n",
             {"--limits.siblings=x", "--node.port", "--log.level=info",
              "--log.level=warn"}),
    "node.port = 0 is out of range: 1 to 65535\n"
    "storage.cache-mb = 5 is out of range: 16 to 1048576 (megabytes)\n"
    "storage.cache-mb is defined twice, on lines 6 and 7; keep one\n"
    "command line: limits.siblings = \"x\" is text; write a plain whole "
    "number, 2 to 1024 (siblings)\n"
    "command line: --node.port needs a value: --node.port=VALUE\n"
    "command line: --log.level is given twice; keep one\n");
}

CAF_TEST(the file must be there and readable) {
  CAF_CHECK_EQUAL(first_problem(parse_node_config(std::vector<std::string>{})),
                  "command line: give a configuration file, as in coveyd "
                  "--config-file=configs/single.conf");
  auto open = [](const std::string& path) {
    return first_problem(parse_node_config({"--config-file=" + path}));
  };
  temporary_folder folder;
  auto path = folder.path().string();
  CAF_CHECK_EQUAL(open(path),
                  "config " + path + ": is a directory, not a file");
  CAF_CHECK_EQUAL(open(path + "/x"), "config " + path
                                       + "/x: cannot be opened: No such file "
                                         "or directory");
  std::ofstream{path + "/big"} << std::string(1048577, '\n');
  CAF_CHECK_EQUAL(open(path + "/big"),
                  "config " + path
                    + "/big: larger than a megabyte: not a configuration file");
}

CAF_TEST(a file that is not in the syntax is refused by line) {
  CAF_CHECK_EQUAL(problems("# x\n"),
                  "line 4: unexpected '#'; comments start with ';'\n");
  CAF_CHECK_EQUAL(problems("port =\nrack = \"x\"\n"),
                  "line 4: the line ends too early\n");
  CAF_CHECK_EQUAL(problems("rack = [\"x\"\n"),
                  "line 5: the file ends in the middle of something\n");
  CAF_CHECK_EQUAL(problems("port = 99999999999999999999\n"),
                  "line 4: the number is too large\n");
  CAF_CHECK_EQUAL(problems("port = 1\r\n"),
                  "line 4: a carriage return; save the file with Unix line "
                  "ends\n");
  CAF_CHECK_EQUAL(problems("rack = r1\n"),
                  "line 4: unexpected 'r' in column 8; write key = 1, key = "
                  "true, key = \"text\" or key = [\"text\"]\n");
  CAF_CHECK_EQUAL(problems(std::string(1, '\0')),
                  "contains a zero byte: not a configuration file\n");
  config_file early{"port = 1\n" + std::string{minimal}};
  CAF_CHECK_EQUAL(first_problem(early.parse()),
                  "config " + early.path()
                    + ": port on line 1 stands before any [section]");
}
