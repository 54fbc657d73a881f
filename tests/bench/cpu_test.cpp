#define CAF_SUITE bench.cpu

#include "bench/cpu.hpp"

#include <caf/test/unit_test.hpp>

#include <chrono>
#include <unistd.h>

using namespace covey::bench;

CAF_TEST(user and system time are found behind any name) {
  for (const auto* name : {"coveyd", "a b", "a) R 1 2 (b", ")"}) {
    auto text = "4711 (" + std::string{name}
                + ") S 1 2 3 4 5 6 7 8 9 10 1200 34 99 98 20 0\n";
    CAF_CHECK(parse_process_stat(text) == uint64_t{1234});
  }
  CAF_CHECK(!parse_process_stat(""));
  CAF_CHECK(!parse_process_stat("4711 (coveyd"));
  CAF_CHECK(!parse_process_stat("4711 (coveyd) S 1 2 3"));
}

CAF_TEST(both kinds of context switches count) {
  CAF_CHECK_EQUAL(parse_switches("Name:\tx\nvoluntary_ctxt_switches:\t40\n"
                                 "nonvoluntary_ctxt_switches:\t2\n"),
                  42u);
  CAF_CHECK_EQUAL(parse_switches(""), 0u);
}

CAF_TEST(the machine is busy with everything but waiting) {
  auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  auto x = parse_machine_stat("cpu  1 2 4 1000 1000 8 16 32 0 0\ncpu0 7\n");
  CAF_CHECK_EQUAL(x.busy, 31 / ticks);
  CAF_CHECK_EQUAL(x.steal, 32 / ticks);
}

CAF_TEST(this process uses time and one that is gone is told) {
  auto before = read_cpu_usage({::getpid()});
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  auto used = before - before;
  while (used.own.seconds < 0.05 && std::chrono::steady_clock::now() < until)
    used = read_cpu_usage({::getpid()}) - before;
  CAF_CHECK(used.own.seconds >= 0.05);
  CAF_CHECK(!used.servers.front().gone);
  CAF_CHECK(used.server_seconds() > 0);
  // No process has the largest id.
  auto gone = read_process_cpu(4'194'304);
  CAF_CHECK(gone.gone);
}

CAF_TEST(a process that ended between two readings has no figures) {
  cpu_usage before;
  before.servers.push_back({1, 2.0, 10, false});
  before.servers.push_back({2, 2.0, 10, false});
  auto after = before;
  after.servers[0] = {1, 3.5, 25, false};
  after.servers[1].gone = true;
  auto used = after - before;
  CAF_CHECK_EQUAL(used.server_seconds(), 1.5);
  CAF_CHECK_EQUAL(used.switches(), 15u);
  CAF_CHECK(used.servers[1].gone);
}
