// 128-bit identities of members.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace covey::core {

struct uuid {
  uint64_t high = 0;
  uint64_t low = 0;

  explicit operator bool() const {
    return high != 0 || low != 0;
  }
};

inline bool operator==(const uuid& x, const uuid& y) {
  return x.high == y.high && x.low == y.low;
}
inline bool operator!=(const uuid& x, const uuid& y) {
  return !(x == y);
}
inline bool operator<(const uuid& x, const uuid& y) {
  return std::tie(x.high, x.low) < std::tie(y.high, y.low);
}

/// The text form 8-4-4-4-12 in lower-case hexadecimal.
std::string to_string(const uuid& x);

std::optional<uuid> parse_uuid(std::string_view text);

/// The identity of a configured initial member: a hash of the cluster's name
/// and its own, so that every node derives the same.
uuid initial_member_id(std::string_view cluster, std::string_view name);

} // namespace covey::core
