// Gets that are sent to a second home when the first one is slow to answer.

#pragma once

#include "client/call.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace covey::client {

/// A get that was sent to more than one home: the first answer is its own.
/// Source: hedged requests in J. Dean and L. Barroso, "The Tail at Scale"
/// (CACM 56, 2013).
struct hedged_get {
  /// Nothing once it is answered.
  std::optional<call> what;
  /// Copies of it that are in flight or in a queue.
  uint32_t open = 0;
};

/// How long a node may take before a second one is asked: nearly always
/// (`usual_us`, if known) it answers sooner. At least `least`, so that the
/// common jitter costs nothing; at most a quarter of the time that the get was
/// given, what is later is late.
inline caf::actor_clock::duration_type
hedge_delay(std::optional<uint64_t> usual_us,
            caf::actor_clock::duration_type least,
            caf::actor_clock::duration_type given) {
  caf::actor_clock::duration_type usual
    = std::chrono::microseconds{usual_us.value_or(0)};
  return std::min(std::max(least, usual), given / 4);
}

} // namespace covey::client
