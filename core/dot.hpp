// Dots: the identity of one write.

#pragma once

#include <cstdint>
#include <tuple>

namespace covey::core {

/// A random 64-bit id of one shard of one node, replaced whenever that shard
/// may have forgotten what it wrote. Zero is never used.
using incarnation = uint64_t;

/// The `counter`-th write coordinated under incarnation `inc`. The counter
/// rises over the whole shard and starts at 1.
struct dot {
  incarnation inc = 0;
  uint64_t counter = 0;
};

inline bool operator==(const dot& x, const dot& y) {
  return x.inc == y.inc && x.counter == y.counter;
}
inline bool operator!=(const dot& x, const dot& y) {
  return !(x == y);
}
inline bool operator<(const dot& x, const dot& y) {
  return std::tie(x.inc, x.counter) < std::tie(y.inc, y.counter);
}

} // namespace covey::core
