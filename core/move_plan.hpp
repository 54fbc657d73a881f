// Which slots change hands, who copies them from whom, and when it may end.

#pragma once

#include "core/ring.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace covey::core {

/// A slot of a group that a member becomes a home of.
struct slot_move {
  uint16_t slot = 0;
  member_index to = 0;
  /// The home that it displaces, which has everything that its quorums count
  /// on: it is copied from there. Nothing if `to` displaces nobody, or somebody
  /// that can no longer be asked; then a majority of the homes of before has
  /// to be asked (traps.md 28a, 31).
  std::optional<member_index> displaced;
};

/// All moves from one ring to another of the same members and group, sorted by
/// slot. Homes that come and go in one slot are paired in the order of the
/// rings' lists.
std::vector<slot_move> plan_moves(const ring& before, const ring& after);

/// How many slots go from whom to whom; from nobody in particular: nothing.
using move_counts
  = std::map<std::pair<std::optional<member_index>, member_index>, uint32_t>;
move_counts count_moves(const std::vector<slot_move>& plan);

/// True once no quorum of the homes of before can be formed behind the back of
/// those of after: of each slot that changes hands a majority of the homes of
/// before has `adopted` the epoch in question on its disk, and refuses requests
/// of earlier ones (design.md 7).
bool is_fenced(const ring& before, const ring& after,
               const std::function<bool(member_index)>& adopted);

} // namespace covey::core
