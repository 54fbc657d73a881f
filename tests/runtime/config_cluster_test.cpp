// Members, keyspaces and what several knobs say together.

#define CAF_SUITE runtime.config_cluster

#include "runtime/config_cluster.hpp"
#include "tests/runtime/config_files.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey;
using namespace covey::runtime;
using namespace covey::test;

namespace {

std::string members(const std::string& list) {
  return "[cluster]\nmembers = [" + list + "]\n";
}

std::string parse_problem(std::string_view text) {
  core::member ignored;
  return parse_member(text, ignored);
}

} // namespace

CAF_TEST(members read what they print) {
  core::member m;
  for (std::string text : {"n1=127.0.0.1:7101 rack=r1 dc=dc1 weight=1",
                           "a.b=[fe80::1%eth0]:1 rack=x dc=y weight=64",
                           "n1=host.example:65535 rack=r1 dc=dc1 weight=7"}) {
    CAF_CHECK_EQUAL(parse_member(text, m), "");
    CAF_CHECK_EQUAL(member_text(m), text);
  }
  CAF_CHECK_EQUAL(parse_member("  n1=h:1  weight=3   rack=z ", m), "");
  CAF_CHECK_EQUAL(member_text(m), "n1=h:1 rack=z dc=dc1 weight=3");
}

CAF_TEST(malformed members are refused) {
  for (std::string text :
       {"", "n1", "n1=", "n1=127.0.0.1", "n1=:7101", "=127.0.0.1:7101",
        "n1=127.0.0.1:0", "n1=127.0.0.1:65536", "n1=127.0.0.1:7101x",
        "n1=::1:7101", "n 1=h:1", "n1=h/x:1", "n1 =h:1"})
    CAF_CHECK_EQUAL(parse_problem(text), "does not start with NAME=HOST:PORT, "
                                         "as in n1=127.0.0.1:7101");
  for (std::string word : {"rack", "rack=", "dc=a/b", "weight=0", "weight=65",
                           "weight=", "weight=1x", "colour=red"})
    CAF_CHECK(parse_problem("n1=h:1 " + word).find("none of rack=NAME")
              != std::string::npos);
  CAF_CHECK_EQUAL(parse_problem("n1=h:1 rack=a rack=b"), "says rack twice");
  CAF_CHECK_EQUAL(problems(members("\"n1=127.0.0.1:7101\", \"n2\"")),
                  "cluster.members: \"n2\" does not start with "
                  "NAME=HOST:PORT, as in n1=127.0.0.1:7101\n");
  CAF_CHECK_EQUAL(problems(members("1")),
                  "cluster.members is a list of something else than texts; "
                  "write a list of texts: [\"...\", \"...\"]\n");
}

CAF_TEST(members that collide are refused) {
  CAF_CHECK_EQUAL(
    problems(members("\"n1=127.0.0.1:7101\", \"n2=127.0.0.1:7101\"")),
    "member n2: address 127.0.0.1:7101 is that of member n1 too; give each "
    "its own\n");
  CAF_CHECK(problems(members("\"n1=127.0.0.1:7101\", \"n1=127.0.0.1:7102\""))
              .find("two members have this name")
            != std::string::npos);
}

CAF_TEST(required knobs and names are checked) {
  auto result = config_file{"[node]\nport = 7101\n"}.parse();
  CAF_REQUIRE_EQUAL(result.errors.size(), 2u);
  CAF_CHECK(result.errors[0].find("node.name is missing") != std::string::npos);
  CAF_CHECK(result.errors[1].find("node.data-directory is missing")
            != std::string::npos);
  CAF_CHECK_EQUAL(problems("", {"--node.data-directory="}),
                  "node.data-directory = \"\" is empty; name a directory\n");
  for (std::string knob :
       {"cluster.name", "node.name", "node.rack", "node.data-centre"})
    CAF_CHECK_EQUAL(problems("", {"--" + knob + "=a b"}),
                    knob
                      + " = \"a b\" is not a name; use 1 to 64 of A-Z a-z 0-9 "
                        ". _ -\n");
}

CAF_TEST(only loopback goes without TLS unless insecure says so) {
  for (std::string address : {"127.0.0.1", "127.9.9.9", "localhost", "::1"}) {
    CAF_CHECK(is_loopback(address));
    CAF_CHECK_EQUAL(problems("", {"--node.address=" + address}), "");
  }
  for (std::string address :
       {"10.0.0.1", "128.0.0.1", "fe80::1", "host.example", "127.0.0.1.x"}) {
    CAF_CHECK(!is_loopback(address));
    CAF_CHECK_EQUAL(problems("", {"--node.address=" + address}),
                    "node.address = \"" + address
                      + "\" is not a loopback address, and without TLS whoever "
                        "reaches the port owns the data; set "
                        "security.certificate, key and ca-file, or "
                        "security.insecure = true if you want that\n");
    CAF_CHECK_EQUAL(
      problems("", {"--node.address=" + address, "--security.insecure"}), "");
  }
  CAF_CHECK_EQUAL(
    problems("[security]\ncertificate = \"c\"\nkey = \"k\"\nca-file = "
             "\"a\"\n",
             {"--node.address=10.0.0.1"}),
    "");
  for (std::string address : {"0.0.0.0", "::"})
    CAF_CHECK_EQUAL(
      problems("", {"--node.address=" + address, "--security.insecure"}),
      "node.address = \"" + address
        + "\" is every address; name the one that peers and clients use\n");
  for (std::string address : {"", "a b", "h/x"})
    CAF_CHECK(problems("", {"--node.address=" + address, "--security.insecure"})
                .find("is not a host name or an IP address")
              != std::string::npos);
}

CAF_TEST(TLS takes all three files or none) {
  CAF_CHECK_EQUAL(problems("", {"--security.certificate=c"}),
                  "security.key is missing; TLS takes certificate, key and "
                  "ca-file\nsecurity.ca-file is missing; TLS takes "
                  "certificate, key and ca-file\n");
  CAF_CHECK_EQUAL(
    problems("", {"--security.key=k", "--security.ca-file=a"}),
    "security.certificate is missing; TLS takes certificate, key and "
    "ca-file\n");
}

CAF_TEST(keyspaces that cannot work are refused) {
  CAF_CHECK_EQUAL(problems("[keyspaces.k]\nreplication = 2\n"),
                  "keyspace k: replication 2 is above the 1 members; lower it "
                  "or add members\n");
  CAF_CHECK(problems("[keyspaces.k]\nreplication = \"dc9:1\"\n")
              .find("data centre dc9: it has no members")
            != std::string::npos);
  CAF_CHECK(problems("[keyspaces.k]\nwrite = \"TWO\"\n")
              .find("default write TWO is above the replication 1")
            != std::string::npos);
  for (std::string value : {"0", "17", "\"\"", "\"dc1:0\"", "\"dc1:3,dc1:1\""})
    CAF_CHECK_EQUAL(problems("[keyspaces.k]\nreplication = " + value + "\n"),
                    "keyspaces.k.replication = " + value
                      + " is not a replication; write 3, or \"dc1:3,dc2:2\", "
                        "with 1 to 16 replicas in all\n");
  for (std::string value : {"0", "17", "\"most\"", "\"default\""})
    for (std::string key : {"read", "write"})
      CAF_CHECK(problems("[keyspaces.k]\n" + key + " = " + value + "\n")
                  .find("keyspaces.k." + key + " = " + value
                        + " is not a consistency level")
                != std::string::npos);
}

CAF_TEST(knobs that contradict each other are refused) {
  CAF_CHECK_EQUAL(problems("[limits]\ndefault-timeout-ms = 11\n"
                           "max-timeout-ms = 10\n"),
                  "limits.default-timeout-ms = 11 is above "
                  "limits.max-timeout-ms = 10; it must not be\n");
  CAF_CHECK_EQUAL(problems("[limits]\ninflight-requests = 10\n"),
                  "limits.client-inflight-requests = 4096 is above "
                  "limits.inflight-requests = 10; it must not be\n");
  CAF_CHECK_EQUAL(problems("[limits]\nanswers-mb = 32\n"
                           "client-answer-mb = 33\n"),
                  "limits.client-answer-mb = 33 is above limits.answers-mb = "
                  "32; it must not be\n");
  CAF_CHECK_EQUAL(problems("[links]\nretry-min-ms = 2001\n"),
                  "links.retry-min-ms = 2001 is above links.retry-max-ms = "
                  "2000; it must not be\n");
  CAF_CHECK_EQUAL(problems("[links]\ntimeout-ms = 999\n"),
                  "links.timeout-ms = 999 is below twice links.heartbeat-ms = "
                  "500, so that healthy peers would count as down; raise it\n");
  CAF_CHECK_EQUAL(problems("[links]\ntimeout-ms = 1000\n"), "");
  CAF_CHECK_EQUAL(problems("[storage]\nleaf-page-kb = 5\n"),
                  "storage.leaf-page-kb = 5 is not a multiple of 4 "
                  "(kilobytes)\n");
}
