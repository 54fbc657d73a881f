// Many seeds, on several processors.

#pragma once

#include "tests/simulation/scenario.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace covey::simulation {

struct campaign_options {
  scenario_options scenario;
  uint64_t from = 1;
  uint64_t seeds = 0;
  /// Stops after so many seconds of real time; zero: when all have run.
  uint32_t seconds = 0;
  uint32_t jobs = 1;
  /// Stops at the first seed that fails.
  bool until_found = false;
};

struct failed_seed {
  uint64_t seed = 0;
  uint64_t digest = 0;
  std::vector<std::string> violations;
};

struct campaign_result {
  uint64_t ran = 0;
  /// False if a process ended between its seeds, so that some have not run.
  bool complete = true;
  /// Sums of all seeds.
  scenario_result sum;
  /// In the order of their seeds.
  std::vector<failed_seed> failed;
  double cpu_seconds = 0;
};

/// Each job is a process of its own, as CAF's actors of one seed are enough for
/// one; a seed that ends its process is a failed one. Shows its progress on a
/// terminal.
campaign_result run_campaign(const campaign_options& options);

} // namespace covey::simulation
