// A phase of a run: warm-up, measuring second by second, and the end.

#pragma once

#include "bench/cpu.hpp"
#include "bench/loop.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

namespace covey::bench {

/// What was answered within one second.
struct second {
  uint64_t succeeded = 0;
  uint64_t errors = 0;
  /// Latencies of what succeeded, nanoseconds.
  uint64_t p50 = 0;
  uint64_t p99 = 0;
  uint64_t max = 0;
};

struct phase_plan {
  /// Measures nothing.
  std::chrono::seconds warm_up{0};
  /// The phase ends after it, or when the loop is exhausted. None: only then.
  std::chrono::seconds duration{0};
  /// How long what is in flight at the end may take.
  std::chrono::milliseconds patience{0};
  std::vector<pid_t> servers;
  /// Told after each second; may be empty.
  std::function<void(const second&)> progress;
  /// Ends the phase early once true; outlives it.
  const std::atomic<bool>* interrupted = nullptr;
};

struct phase_result {
  /// Of everything answered from the end of the warm-up on, including what was
  /// in flight at the end: a stall there must show.
  measurements total;
  /// From the end of the warm-up until nothing was started any more.
  double seconds = 0;
  /// Successes within `seconds`: what throughput counts.
  uint64_t in_time = 0;
  /// Whole seconds; a shorter rest at the end is left out.
  std::vector<second> series;
  cpu_usage cpu;
  /// Never answered, although their deadline had passed: a fault of the client
  /// library.
  uint64_t unanswered = 0;
  bool interrupted = false;

  double throughput() const {
    return seconds > 0 ? static_cast<double>(in_time) / seconds : 0;
  }
};

/// Blocks until the phase is over.
phase_result run_phase(loop& load, const phase_plan& plan);

} // namespace covey::bench
