// covey_simulate: runs seeded simulations of a whole cluster.

#include "tests/simulation/campaign.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <thread>

using namespace covey;
using namespace covey::simulation;

namespace {

/// Of each, so that one bug in all seeds does not fill the screen.
constexpr size_t lines_per_seed = 10;
constexpr size_t seeds_shown = 20;

const std::map<std::string, planted_bug> bugs{
  {"none", planted_bug::none},
  {"ack-before-flush", planted_bug::ack_before_flush},
  {"send-before-commit", planted_bug::send_before_commit},
  {"lease-counters", planted_bug::lease_counters},
  {"reuse-incarnation", planted_bug::reuse_incarnation},
  {"forget-requests", planted_bug::forget_requests},
  {"ignore-deadline", planted_bug::ignore_deadline},
  {"error-is-absence", planted_bug::error_is_absence},
  {"read-unflushed", planted_bug::read_unflushed},
  {"join-sent-read", planted_bug::join_sent_read},
  {"older-sibling", planted_bug::older_sibling},
  {"drop-hint", planted_bug::drop_hint},
  {"repair-backwards", planted_bug::repair_backwards},
};

void print_violations(uint64_t seed, const std::vector<std::string>& lines) {
  for (size_t i = 0; i < lines.size() && i < lines_per_seed; ++i)
    std::printf("seed %" PRIu64 " VIOLATION: %s\n", seed, lines[i].c_str());
  if (lines.size() > lines_per_seed)
    std::printf("seed %" PRIu64 " and %zu more\n", seed,
                lines.size() - lines_per_seed);
}

/// Twice, so that what is found can be trusted to be found again.
int replay(scenario_options options) {
  auto first = run_scenario(options);
  std::printf("seed %" PRIu64 ": digest %016" PRIx64 ", %" PRIu64
              " steps, %.1f virtual s, %" PRIu64 " puts (%" PRIu64
              " acknowledged), %" PRIu64 " gets, %" PRIu64 " crashes, %" PRIu64
              " restarts of actors, %" PRIu64 " requests planned anew\n",
              options.seed, first.digest, first.steps,
              static_cast<double>(first.virtual_us) / 1e6, first.puts,
              first.acknowledged, first.gets, first.crashes, first.restarts,
              first.replanned);
  print_violations(options.seed, first.violations);
  options.trace = false;
  if (run_scenario(options).digest != first.digest) {
    std::printf("seed %" PRIu64 " does not replay\n", options.seed);
    return 1;
  }
  return first.violations.empty() ? 0 : 1;
}

void print(const campaign_result& r, double seconds) {
  for (size_t i = 0; i < r.failed.size() && i < seeds_shown; ++i)
    print_violations(r.failed[i].seed, r.failed[i].violations);
  if (!r.failed.empty()) {
    std::printf("failing seeds:");
    for (const auto& failed : r.failed)
      std::printf(" %" PRIu64, failed.seed);
    std::printf("\n");
  }
  auto virtual_s = static_cast<double>(r.sum.virtual_us) / 1e6;
  std::printf("%" PRIu64 " seeds, %zu with violations; %.0f virtual s, %" PRIu64
              " steps, %" PRIu64 " puts (%" PRIu64 " acknowledged), %" PRIu64
              " gets, %" PRIu64 " crashes, %" PRIu64
              " restarts of actors, %" PRIu64
              " requests planned anew in %.1f s (%.0f virtual s and %.0f "
              "operations a CPU second)\n",
              r.ran, r.failed.size(), virtual_s, r.sum.steps, r.sum.puts,
              r.sum.acknowledged, r.sum.gets, r.sum.crashes, r.sum.restarts,
              r.sum.replanned, seconds, virtual_s / r.cpu_seconds,
              static_cast<double>(r.sum.puts + r.sum.gets) / r.cpu_seconds);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{
    "Simulates a cluster on virtual time: crashes, loss, reordering, frozen "
    "nodes, failing disks. A failing seed replays exactly."};
  campaign_options options;
  options.jobs = std::max(1u, std::thread::hardware_concurrency());
  auto& scenario = options.scenario;
  uint32_t virtual_seconds = 4;
  uint32_t at_least = 0;
  app.add_option("--seeds", options.seeds, "Run so many seeds");
  app.add_option("--from", options.from, "First of them")
    ->capture_default_str();
  app.add_option("--jobs", options.jobs, "Processes that share them")
    ->check(CLI::Range(1, 64))
    ->capture_default_str();
  app.add_option("--seconds", options.seconds,
                 "Stop after so many seconds; 0: when all have run");
  app
    .add_option("--virtual-seconds", virtual_seconds,
                "Load and faults of one seed last so long")
    ->check(CLI::Range(1, 3600))
    ->capture_default_str();
  app.add_option("--seed", scenario.seed,
                 "Replay this seed, twice, and compare");
  app.add_flag("--trace", scenario.trace, "With --seed: print every event");
  app.add_flag("--no-faults", scenario.clement,
               "Five nodes, and nothing happens to them");
  app.add_option("--bug", scenario.planted, "Plant a defect")
    ->transform(CLI::CheckedTransformer(bugs));
  app.add_flag("--until-found", options.until_found,
               "Stop at the first violation");
  app.add_option("--expect", at_least,
                 "Succeed only if at least so many seeds find something");
  CLI11_PARSE(app, argc, argv);
  scenario.duration = std::chrono::seconds(virtual_seconds);
  if (options.seeds == 0 && options.seconds == 0)
    return replay(scenario);
  scenario.trace = false;
  if (options.seeds == 0)
    options.seeds = UINT64_MAX - options.from;
  auto began = std::chrono::steady_clock::now();
  auto result = run_campaign(options);
  print(result,
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began)
          .count());
  if (!result.complete) {
    std::printf("not all seeds were run: a process ended between them\n");
    return 1;
  }
  if (at_least > 0)
    return result.failed.size() >= at_least ? 0 : 1;
  return result.failed.empty() ? 0 : 1;
}
