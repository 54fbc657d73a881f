#define CAF_SUITE bench.options

#include "bench/options.hpp"
#include "tests/command_line.hpp"

using namespace covey;
using namespace covey::bench;

namespace {

using fixture = test::command_line<options, parse_options>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(options_tests, fixture)

CAF_TEST(defaults are those of the help) {
  auto o = parsed({});
  CAF_CHECK_EQUAL(o.nodes.size(), 1u);
  CAF_CHECK_EQUAL(o.nodes.front().port, 7101u);
  CAF_CHECK_EQUAL(o.request.keyspace, "default");
  CAF_CHECK(o.request.level.level == core::consistency_level::keyspace_default);
  CAF_CHECK(o.request.timeout == std::chrono::seconds{5});
  CAF_CHECK_EQUAL(o.retries, 2u);
  CAF_CHECK_EQUAL(o.load.name, "A");
  CAF_CHECK(o.load.keys == key_choice::zipfian);
  CAF_CHECK_EQUAL(o.keys, 100'000u);
  CAF_CHECK_EQUAL(o.values.size, 100u);
  CAF_CHECK(!o.values.compressible);
  CAF_CHECK_EQUAL(o.clients, 64u);
  CAF_CHECK_EQUAL(o.connections, 1u);
  CAF_CHECK_EQUAL(o.rate, 0.0);
  CAF_CHECK_EQUAL(o.max_in_flight, 4096u);
  CAF_CHECK(o.duration == std::chrono::seconds{10});
  CAF_CHECK(o.warm_up == std::chrono::seconds{1});
  CAF_CHECK(!o.fill && !o.json && !o.series);
  CAF_CHECK(o.servers.empty());
}

CAF_TEST(every option arrives) {
  auto o = parsed({"--node",         "a:1,b:2", "--keyspace",      "k",
                   "--consistency",  "ONE",     "--timeout-ms",    "7",
                   "--retries",      "0",       "--workload",      "E",
                   "--distribution", "uniform", "--keys",          "9",
                   "--value-size",   "0",       "--compressible",  "--load",
                   "--rate",         "1.5",     "--max-in-flight", "5",
                   "--connections",  "2",       "--duration-s",    "3",
                   "--warm-up-s",    "0",       "--seed",          "8",
                   "--pids",         "1,22",    "--series",        "--json"});
  CAF_CHECK_EQUAL(o.nodes.size(), 2u);
  CAF_CHECK_EQUAL(o.request.keyspace, "k");
  CAF_CHECK(o.request.level.level == core::consistency_level::one);
  CAF_CHECK(o.request.timeout == std::chrono::milliseconds{7});
  CAF_CHECK_EQUAL(o.retries, 0u);
  CAF_CHECK_EQUAL(o.load.name, "E");
  CAF_CHECK(o.load.keys == key_choice::uniform);
  CAF_CHECK_EQUAL(o.keys, 9u);
  CAF_CHECK_EQUAL(o.values.size, 0u);
  CAF_CHECK_EQUAL(o.values.seed, 8u);
  CAF_CHECK(o.values.compressible && o.fill && o.series && o.json);
  CAF_CHECK_EQUAL(o.rate, 1.5);
  CAF_CHECK_EQUAL(o.max_in_flight, 5u);
  CAF_CHECK_EQUAL(o.connections, 2u);
  CAF_CHECK(o.duration == std::chrono::seconds{3});
  CAF_CHECK(o.warm_up == std::chrono::seconds{0});
  CAF_CHECK(o.servers == (std::vector<pid_t>{1, 22}));
}

CAF_TEST(help and version are no errors) {
  CAF_CHECK_EQUAL(refused({"--help"}), 0);
  CAF_CHECK_EQUAL(refused({"--version"}), 0);
}

CAF_TEST(wrong usage exits with 2) {
  for (auto& arguments : std::vector<std::vector<const char*>>{
         {"run"},
         {"--fly"},
         {"--node", "a"},
         {"--node", "a:1,"},
         {"--consistency", "MOST"},
         {"--tls-cert", "/none"},
         {"--timeout-ms", "0"},
         {"--workload", "G"},
         {"--workload", "a"},
         {"--distribution", "random"},
         {"--keys", "0"},
         {"--keys", "many"},
         {"--value-size", "-1"},
         {"--clients", "0"},
         {"--clients", "16001"},
         {"--clients", "2", "--connections", "3"},
         {"--clients", "2", "--rate", "5"},
         {"--max-in-flight", "5"},
         {"--rate", "0"},
         {"--rate", "-1"},
         {"--rate", "nan"},
         {"--rate", "1", "--max-in-flight", "1", "--connections", "2"},
         {"--duration-s", "0"},
         {"--duration-s", "1.5"},
         {"--pids", "1,"},
         {"--pids", "0"},
         {"--pids", "n1"}})
    CAF_CHECK_EQUAL(refused(arguments), 2);
}

CAF_TEST_FIXTURE_SCOPE_END()
