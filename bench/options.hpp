// What covey-bench was asked to do.

#pragma once

#include "bench/executor.hpp"
#include "bench/workload.hpp"
#include "client/cluster_options.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <variant>
#include <vector>

namespace covey::bench {

struct options : client::cluster_options {
  uint32_t retries = 2;
  workload load;
  uint64_t keys = 100'000;
  value_settings values;
  size_t clients = 64;
  size_t connections = 1;
  /// Requests a second of the open loop; zero for the closed loop.
  double rate = 0;
  size_t max_in_flight = 4096;
  std::chrono::seconds duration{10};
  std::chrono::seconds warm_up{1};
  /// Put all keys first.
  bool fill = false;
  std::vector<pid_t> servers;
  uint64_t seed = 1;
  bool json = false;
  /// Print the series, too.
  bool series = false;
};

/// Parses the command line. An exit code if there is nothing left to do: the
/// help or the version was printed (0), or what is wrong with it (2).
std::variant<options, int> parse_options(int argc, const char* const* argv);

} // namespace covey::bench
