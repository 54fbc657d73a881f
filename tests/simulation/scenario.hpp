// One seeded run: a cluster, its clients, and what goes wrong.

#pragma once

#include "actors/planted_bug.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace covey::simulation {

struct scenario_options {
  uint64_t seed = 1;
  planted_bug planted = planted_bug::none;
  bool trace = false;
  uint32_t clients = 4;
  /// Virtual time under load and faults.
  std::chrono::milliseconds duration{4'000};
  /// No faults, five nodes: to measure the simulation itself.
  bool clement = false;
};

struct scenario_result {
  /// What must not be; empty if all is well.
  std::vector<std::string> violations;
  uint64_t digest = 0;
  uint64_t steps = 0;
  uint64_t virtual_us = 0;
  uint64_t puts = 0;
  uint64_t acknowledged = 0;
  uint64_t gets = 0;
  uint64_t crashes = 0;
  uint64_t restarts = 0;
  /// Requests planned anew since an epoch came.
  uint64_t replanned = 0;
};

/// Equal options give equal results, digest included.
scenario_result run_scenario(const scenario_options& options);

} // namespace covey::simulation
