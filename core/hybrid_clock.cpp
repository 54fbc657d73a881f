#include "core/hybrid_clock.hpp"

#include <algorithm>
#include <limits>

namespace covey::core {

std::optional<uint64_t> hybrid_clock::next(uint64_t now_us, uint64_t floor) {
  auto known = std::max(last_, floor);
  if (known == std::numeric_limits<uint64_t>::max())
    return std::nullopt;
  auto stamp = std::max(known + 1, now_us);
  if (stamp - now_us > max_drift_us_)
    return std::nullopt;
  last_ = stamp;
  return stamp;
}

std::optional<uint64_t> hybrid_clock::of(uint64_t asked_us, uint64_t now_us,
                                         uint64_t floor) const {
  if (floor == std::numeric_limits<uint64_t>::max())
    return std::nullopt;
  auto stamp = std::max(floor + 1, std::min(asked_us, now_us));
  if (stamp > now_us && stamp - now_us > max_drift_us_)
    return std::nullopt;
  return stamp;
}

} // namespace covey::core
