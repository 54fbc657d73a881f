// How long to wait before the next attempt.

#pragma once

#include <algorithm>
#include <cstdint>

namespace covey::core {

/// Doubles from `min_ms` to `max_ms`; a caller adds jitter by passing a random
/// number, which picks from the upper half of the step.
class backoff {
public:
  backoff(uint64_t min_ms, uint64_t max_ms)
    : min_ms_(min_ms), max_ms_(max_ms), step_ms_(min_ms) {}

  /// Milliseconds to wait now; the next call waits longer.
  uint64_t next(uint64_t random) {
    auto step = step_ms_;
    step_ms_ = std::min(step_ms_ * 2, max_ms_);
    return step / 2 + random % (step / 2 + 1);
  }
  void reset() {
    step_ms_ = min_ms_;
  }

private:
  uint64_t min_ms_;
  uint64_t max_ms_;
  uint64_t step_ms_;
};

} // namespace covey::core
