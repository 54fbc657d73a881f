// Waiting times between attempts: exponential, with jitter.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace covey::client {

/// Waiting time before attempt `attempt` (0 is the first repetition): doubles
/// from `least` up to `most`, and the upper half of it is random, so that
/// clients that failed together do not come back together.
inline std::chrono::milliseconds back_off(uint32_t attempt,
                                          std::chrono::milliseconds least,
                                          std::chrono::milliseconds most,
                                          std::mt19937_64& rng) {
  auto factor = int64_t{1} << std::min<uint32_t>(attempt, 20);
  auto whole = std::max<int64_t>(
    2, std::min<int64_t>(least.count() * factor, most.count()));
  std::uniform_int_distribution<int64_t> dist{whole / 2, whole};
  return std::chrono::milliseconds{dist(rng)};
}

} // namespace covey::client
