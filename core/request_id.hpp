// Request ids: what makes a retried write idempotent.

#pragma once

#include <cstdint>
#include <tuple>

namespace covey::core {

/// Random and unique per logical write, chosen by the client. All zero means
/// that the client gave none.
struct request_id {
  uint64_t high = 0;
  uint64_t low = 0;

  explicit operator bool() const {
    return high != 0 || low != 0;
  }
};

inline bool operator==(const request_id& x, const request_id& y) {
  return x.high == y.high && x.low == y.low;
}
inline bool operator!=(const request_id& x, const request_id& y) {
  return !(x == y);
}
inline bool operator<(const request_id& x, const request_id& y) {
  return std::tie(x.high, x.low) < std::tie(y.high, y.low);
}

} // namespace covey::core
