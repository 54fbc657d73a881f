#define CAF_SUITE bench.report

#include "bench/report.hpp"

#include <caf/test/unit_test.hpp>

#include <nlohmann/json.hpp>

using namespace covey;
using namespace covey::bench;

namespace {

/// Two seconds of 1,500 reads of 1 ms, 499 updates of 2 ms and one of 9 ms,
/// 100 of which were answered after the end.
phase_result two_seconds() {
  phase_result result;
  for (int i = 0; i < 1500; ++i)
    result.total.latency[0].record(1'000'000);
  for (int i = 0; i < 499; ++i)
    result.total.latency[1].record(2'000'000);
  result.total.latency[1].record(9'000'000);
  result.seconds = 2;
  result.in_time = 1900;
  result.series = {{1000, 0, 1'000'000, 2'000'000, 2'000'000},
                   {900, 0, 1'000'000, 2'000'000, 9'000'000}};
  result.cpu.servers = {{11, 1.9, 3000, false}, {12, 0.95, 800, false}};
  result.cpu.own = {10, 0.19, 0, false};
  result.cpu.machine = {4.04, 0.5};
  return result;
}

report with(const phase_result& run) {
  report result;
  result.asked.load = *parse_workload("A");
  result.run = run;
  return result;
}

nlohmann::json json_of(const report& x) {
  return nlohmann::json::parse(to_json(x));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST(throughput counts what succeeded in time and latency everything) {
  auto run = json_of(with(two_seconds()))["run"];
  CAF_CHECK_EQUAL(run["throughput"].get<double>(), 950.0);
  CAF_CHECK_EQUAL(run["operations"].get<uint64_t>(), 1900u);
  auto all = run["latency_ms"]["all"];
  CAF_CHECK_EQUAL(all["count"].get<uint64_t>(), 2000u);
  CAF_CHECK_EQUAL(all["max"].get<double>(), 9.0);
  CAF_CHECK_EQUAL(run["latency_ms"]["read"]["count"].get<uint64_t>(), 1500u);
  CAF_CHECK_EQUAL(run["latency_ms"]["update"]["count"].get<uint64_t>(), 500u);
  CAF_CHECK(!run["latency_ms"].contains("scan"));
  CAF_CHECK(!run["latency_ms"].contains("failed"));
  for (const auto* name : {"p50", "p95", "p99", "p99.9", "mean"})
    CAF_CHECK(all[name].get<double>() >= 1 && all[name].get<double>() <= 9);
  CAF_CHECK_EQUAL(run["series"].size(), 2u);
  CAF_CHECK_EQUAL(run["series"][1]["operations"].get<uint64_t>(), 900u);
  CAF_CHECK_EQUAL(run["series"][1]["max_ms"].get<double>(), 9.0);
}

CAF_TEST(cpu is that of the servers per thousand operations) {
  auto cpu = json_of(with(two_seconds()))["run"]["cpu"];
  auto near = [&](const char* name, double value) {
    return std::abs(cpu[name].get<double>() - value) < 1e-9;
  };
  CAF_CHECK(near("servers_s_per_1000_operations", 1.5));
  CAF_CHECK(near("own_s_per_1000_operations", 0.1));
  CAF_CHECK(near("context_switches_per_operation", 2));
  // 4.04 seconds of the machine are not all ours.
  CAF_CHECK(near("other_cores", 0.5));
  CAF_CHECK(near("steal_cores", 0.25));
}

CAF_TEST(a phase without successes has no figures per operation) {
  auto x = two_seconds();
  x.in_time = 0;
  auto cpu = json_of(with(x))["run"]["cpu"];
  CAF_CHECK(cpu["servers_s_per_1000_operations"].is_null());
  CAF_CHECK(cpu["context_switches_per_operation"].is_null());
  CAF_CHECK(!to_text(with(x)).empty());
  CAF_CHECK(!to_text(with(phase_result{})).empty());
}

CAF_TEST(no error is hidden) {
  auto x = two_seconds();
  x.total.errors = {{errc::timed_out, 3}, {errc::overloaded, 2}};
  x.total.not_sent = 4;
  for (int i = 0; i < 9; ++i)
    x.total.failed.record(5'000'000'000);
  x.total.not_found = 6;
  x.total.siblings = 7;
  auto r = with(x);
  auto run = json_of(r)["run"];
  CAF_CHECK_EQUAL(run["error_count"].get<uint64_t>(), 9u);
  CAF_CHECK_EQUAL(run["errors"]["timed_out"].get<uint64_t>(), 3u);
  CAF_CHECK_EQUAL(run["errors"]["overloaded"].get<uint64_t>(), 2u);
  CAF_CHECK_EQUAL(run["errors"]["not_sent"].get<uint64_t>(), 4u);
  CAF_CHECK_EQUAL(run["not_found"].get<uint64_t>(), 6u);
  CAF_CHECK_EQUAL(run["siblings"].get<uint64_t>(), 7u);
  CAF_CHECK_EQUAL(run["latency_ms"]["failed"]["count"].get<uint64_t>(), 9u);
  // A failed request is no part of what succeeded.
  CAF_CHECK_EQUAL(run["latency_ms"]["all"]["max"].get<double>(), 9.0);
  auto text = to_text(r);
  CAF_CHECK(contains(text, "9: not_sent 4, overloaded 2, timed_out 3\n"));
  CAF_CHECK(contains(text, "failed "));
}

CAF_TEST(measurements add up) {
  auto x = two_seconds().total;
  x.errors = {{errc::timed_out, 3}};
  x.not_sent = 1;
  auto sum = x;
  sum.add(x);
  CAF_CHECK_EQUAL(sum.succeeded(), 4000u);
  CAF_CHECK_EQUAL(sum.all().count(), 4000u);
  CAF_CHECK_EQUAL(sum.errors[errc::timed_out], 6u);
  CAF_CHECK_EQUAL(sum.not_sent, 2u);
}

CAF_TEST(the text names the workload and every second if asked) {
  auto r = with(two_seconds());
  auto text = to_text(r);
  CAF_CHECK(contains(text, "workload A, zipfian keys"));
  CAF_CHECK(contains(text, "closed loop of 64"));
  CAF_CHECK(contains(text, "950 operations/s"));
  CAF_CHECK(contains(text, "servers        1.5000 CPU s"));
  CAF_CHECK(!contains(text, "second"));
  r.asked.series = true;
  r.asked.rate = 2000;
  text = to_text(r);
  CAF_CHECK(contains(text, "second"));
  CAF_CHECK(contains(text, "open loop at 2000/s"));
}

CAF_TEST(the exit code is that of the most frequent error) {
  auto x = two_seconds();
  CAF_CHECK_EQUAL(exit_code(with(x)), 0);
  x.interrupted = true;
  CAF_CHECK_EQUAL(exit_code(with(x)), 3);
  x = two_seconds();
  x.total.not_sent = 1;
  CAF_CHECK_EQUAL(exit_code(with(x)), 3);
  x = two_seconds();
  x.unanswered = 1;
  CAF_CHECK_EQUAL(exit_code(with(x)), 3);
  x.total.errors = {{errc::timed_out, 3}, {errc::unknown_keyspace, 5}};
  CAF_CHECK_EQUAL(exit_code(with(x)), 5);
  x.total.errors[errc::timed_out] = 6;
  CAF_CHECK_EQUAL(exit_code(with(x)), 3);
  auto failed_load = with(two_seconds());
  failed_load.fill = x;
  CAF_CHECK_EQUAL(exit_code(failed_load), 3);
}
