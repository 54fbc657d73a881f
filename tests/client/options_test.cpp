#define CAF_SUITE client.options

#include "client/options.hpp"
#include "tests/command_line.hpp"

using namespace covey;
using namespace covey::client;

namespace {

using fixture = test::command_line<options, parse_options>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(options_tests, fixture)

CAF_TEST(defaults are those of the help) {
  auto o = parsed({"get", "k"});
  CAF_CHECK_EQUAL(o.command, "get");
  CAF_CHECK_EQUAL(o.key, "k");
  CAF_CHECK(o.nodes == (std::vector<node_address>{{"127.0.0.1", 7101}}));
  CAF_CHECK_EQUAL(o.request.keyspace, "default");
  CAF_CHECK(o.request.level.level == core::consistency_level::keyspace_default);
  CAF_CHECK(o.request.timeout == std::chrono::seconds{5});
  CAF_CHECK(!o.json);
}

CAF_TEST(TLS takes all three files or none) {
  CAF_CHECK(!parsed({"get", "k"}).tls.any());
  CAF_CHECK_EQUAL(refused({"get", "k", "--tls-cert", "c"}), 2);
  CAF_CHECK_EQUAL(refused({"get", "k", "--tls-key", "k", "--tls-ca", "a"}), 2);
  // They are read before anything is sent.
  CAF_CHECK_EQUAL(refused({"get", "k", "--tls-cert", "/none", "--tls-key",
                           "/none", "--tls-ca", "/none"}),
                  2);
  ::setenv("COVEY_TLS_CERT", "/none", 1);
  CAF_CHECK_EQUAL(refused({"get", "k"}), 2);
}

CAF_TEST(common options stand before or after the command) {
  for (auto& o : {parsed({"--json", "--node", "a:1,[::1]:2", "--consistency",
                          "quorum", "--timeout-ms", "7", "get", "k"}),
                  parsed({"get", "k", "--json", "--node=a:1,[::1]:2",
                          "--consistency", "quorum", "--timeout-ms", "7"})}) {
    CAF_CHECK(o.json);
    CAF_CHECK(o.nodes == (std::vector<node_address>{{"a", 1}, {"::1", 2}}));
    CAF_CHECK(o.request.level.level == core::consistency_level::quorum);
    CAF_CHECK(o.request.timeout == std::chrono::milliseconds{7});
  }
}

CAF_TEST(the environment names nodes and the option wins) {
  ::setenv("COVEY_NODES", "e:3", 1);
  auto from_environment = parsed({"get", "k"});
  CAF_CHECK_EQUAL(from_environment.nodes[0].host, "e");
  auto from_option = parsed({"--node", "a:1", "get", "k"});
  CAF_CHECK_EQUAL(from_option.nodes[0].host, "a");
}

CAF_TEST(keys and values may look like anything) {
  for (auto text :
       {"put", "get", "[1,2]", "a,b", "", " ", "a=b", "{\"a\":1}"}) {
    auto o = parsed({"put", text, text});
    CAF_CHECK_EQUAL(o.key, text);
    CAF_CHECK_EQUAL(o.value, text);
  }
  for (auto text : {"-k", "--json", "--", "++"}) {
    auto o = parsed({"put", "--", text, text});
    CAF_CHECK_EQUAL(o.key, text);
    CAF_CHECK_EQUAL(o.value, text);
    CAF_CHECK(!o.json);
  }
}

CAF_TEST(put takes a context and a time to live and stdin) {
  auto o = parsed({"put", "k", "-", "--context", "AP8=", "--ttl-s", "60"});
  CAF_CHECK(o.value_from_stdin);
  CAF_CHECK(o.request.context == std::string("\0\xff", 2));
  CAF_CHECK(o.request.time_to_live == std::chrono::minutes{1});
}

CAF_TEST(a key of any bytes can be given) {
  CAF_CHECK(parsed({"get", "--key64", "AP8="}).key == std::string("\0\xff", 2));
  CAF_CHECK_EQUAL(refused({"get", "--key64", "k"}), 2);
}

CAF_TEST(help and version are no errors) {
  CAF_CHECK_EQUAL(refused({"--help"}), 0);
  CAF_CHECK_EQUAL(refused({"put", "--help"}), 0);
  CAF_CHECK_EQUAL(refused({"--version"}), 0);
}

CAF_TEST(wrong usage exits with 2) {
  for (auto& arguments : std::vector<std::vector<const char*>>{
         {},
         {"fly"},
         {"put", "k"},
         {"put", "k", "v", "w"},
         {"get"},
         {"get", "k", "--context", "x"},
         {"put", "k", "v", "--context", "x"},
         {"put", "k", "v", "--ttl-s", "-1"},
         {"--node", "a", "get", "k"},
         {"--node", "a:1,", "get", "k"},
         {"--consistency", "MOST", "get", "k"},
         {"--consistency", "17", "get", "k"},
         {"--timeout-ms", "0", "get", "k"},
         {"--timeout-ms", "600001", "get", "k"},
         {"--timeout-ms", "soon", "get", "k"},
         {"import"},
         {"import", "f", "--in-flight", "0"},
         {"export", "f"},
         {"status", "now"},
         {"watch", "n1"},
         {"watch", "--for-s", "0"},
         {"watch", "--silence-ms", "2001"},
         {"watch", "--once", "--for-s", "5"}})
    CAF_CHECK_EQUAL(refused(arguments), 2);
}

CAF_TEST(a watch is of all members until it is interrupted unless bounded) {
  auto o = parsed({"watch"});
  CAF_CHECK(!o.watch_once);
  CAF_CHECK(!o.only_given);
  CAF_CHECK_EQUAL(o.for_s, 0u);
  CAF_CHECK_EQUAL(o.silence_ms, 1500u);
  o = parsed({"watch", "--only-given", "--for-s", "7", "--silence-ms", "100"});
  CAF_CHECK(o.only_given);
  CAF_CHECK_EQUAL(o.for_s, 7u);
  CAF_CHECK_EQUAL(o.silence_ms, 100u);
  CAF_CHECK(parsed({"watch", "--once"}).watch_once);
}

CAF_TEST_FIXTURE_SCOPE_END()
