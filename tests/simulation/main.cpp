// covey_simulate: runs seeded simulations of a whole cluster.

#include "tests/simulation/scenario.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>

using namespace covey;
using namespace covey::simulation;

namespace {

void print(const scenario_options& options, const scenario_result& r) {
  std::printf("seed %llu: digest %016llx, %llu steps, %.1f virtual s, %zu puts "
              "(%zu acknowledged), %zu gets, %u crashes\n",
              static_cast<unsigned long long>(options.seed),
              static_cast<unsigned long long>(r.digest),
              static_cast<unsigned long long>(r.steps),
              static_cast<double>(r.virtual_us) / 1e6, r.puts, r.acknowledged,
              r.gets, r.crashes);
  for (const auto& line : r.violations)
    std::printf("seed %llu VIOLATION: %s\n",
                static_cast<unsigned long long>(options.seed), line.c_str());
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{
    "Simulates a cluster on virtual time: crashes, loss, reordering. "
    "A failing seed replays exactly."};
  scenario_options options;
  uint64_t seeds = 0;
  uint64_t from = 1;
  uint32_t at_least = 0;
  auto stop_at_first = false;
  const std::map<std::string, planted_bug> bugs{
    {"none", planted_bug::none},
    {"ack-before-flush", planted_bug::ack_before_flush},
    {"send-before-commit", planted_bug::send_before_commit},
    {"drop-hint", planted_bug::drop_hint},
    {"read-unflushed", planted_bug::read_unflushed},
    {"join-sent-read", planted_bug::join_sent_read},
    {"older-sibling", planted_bug::older_sibling},
  };
  app.add_option("--seeds", seeds, "Run so many seeds");
  app.add_option("--from", from, "First of them")->capture_default_str();
  app.add_option("--seed", options.seed,
                 "Replay this seed, twice, and compare");
  app.add_flag("--trace", options.trace, "Print every event");
  app.add_option("--bug", options.planted, "Plant a defect")
    ->transform(CLI::CheckedTransformer(bugs));
  app.add_flag("--until-found", stop_at_first, "Stop at the first violation");
  app.add_option("--expect", at_least,
                 "Succeed only if at least so many seeds find something");
  CLI11_PARSE(app, argc, argv);
  if (seeds == 0) {
    auto first = run_scenario(options);
    print(options, first);
    options.trace = false;
    auto second = run_scenario(options);
    if (first.digest != second.digest) {
      std::printf("seed %llu does not replay\n",
                  static_cast<unsigned long long>(options.seed));
      return 1;
    }
    return first.violations.empty() ? 0 : 1;
  }
  auto began = std::chrono::steady_clock::now();
  uint32_t found = 0;
  uint64_t ran = 0;
  scenario_result sum;
  for (options.seed = from; options.seed < from + seeds; ++options.seed) {
    auto r = run_scenario(options);
    ++ran;
    sum.steps += r.steps;
    sum.virtual_us += r.virtual_us;
    sum.puts += r.puts;
    sum.acknowledged += r.acknowledged;
    sum.gets += r.gets;
    sum.crashes += r.crashes;
    if (!r.violations.empty()) {
      ++found;
      if (found <= 5)
        print(options, r);
      if (stop_at_first)
        break;
    }
  }
  auto seconds
    = std::chrono::duration<double>(std::chrono::steady_clock::now() - began)
        .count();
  std::printf("%llu seeds, %u with violations; %.0f virtual s, %llu steps, "
              "%zu puts (%zu acknowledged), %zu gets, %u crashes in %.1f s\n",
              static_cast<unsigned long long>(ran), found,
              static_cast<double>(sum.virtual_us) / 1e6,
              static_cast<unsigned long long>(sum.steps), sum.puts,
              sum.acknowledged, sum.gets, sum.crashes, seconds);
  if (at_least > 0)
    return found >= at_least ? 0 : 1;
  return found == 0 ? 0 : 1;
}
