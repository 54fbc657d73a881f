// When replicas were last found equal.

#pragma once

#include "core/epoch.hpp"
#include "core/slot.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace covey::core {

/// For each group, slot and peer: when the last comparison began that ended
/// with both replicas holding all that either had held when it began. Of this
/// process: nothing is known after a start. Times are seconds since 1970 on
/// this node's clock, rounded down, so that they never claim too much.
class comparisons {
public:
  void equal(uint32_t group, member_index peer, uint16_t slot,
             uint64_t began_us) {
    auto& row = rows_[{group, peer}];
    row.resize(slot_count);
    row[slot]
      = std::max(row[slot], static_cast<uint32_t>(began_us / 1'000'000));
  }

  /// Microseconds since 1970; zero: never.
  uint64_t began_us(uint32_t group, member_index peer, uint16_t slot) const {
    auto i = rows_.find({group, peer});
    return i == rows_.end() ? 0 : uint64_t{i->second[slot]} * 1'000'000;
  }

  /// The oldest of these slots; zero if one was never found equal.
  uint64_t oldest_us(uint32_t group, member_index peer,
                     const std::vector<uint16_t>& slots) const {
    auto result = UINT64_MAX;
    for (auto slot : slots)
      result = std::min(result, began_us(group, peer, slot));
    return slots.empty() ? 0 : result;
  }

  /// Members have other indexes, or other slots, in another epoch.
  void clear() {
    rows_.clear();
  }

private:
  std::map<std::pair<uint32_t, member_index>, std::vector<uint32_t>> rows_;
};

} // namespace covey::core
