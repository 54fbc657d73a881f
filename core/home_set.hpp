// Sets of places in a preference list.

#pragma once

#include <cstdint>

namespace covey::core {

/// A set of homes, by their place in the preference list: bit i is home i.
using home_set = uint32_t;

inline uint32_t count(home_set x) {
  return static_cast<uint32_t>(__builtin_popcount(x));
}

} // namespace covey::core
