// Who watches whom: a pure function of the members.

#pragma once

#include "core/epoch.hpp"

#include <vector>

namespace covey::core {

inline constexpr size_t max_watchers = 6;

/// The members stand in a circle in the order of the hashes of their UUIDs;
/// each is watched by the `max_watchers` after it, or by all others where there
/// are no more. So each also watches as many.
class watch_circle {
public:
  explicit watch_circle(const std::vector<uuid>& members);

  /// Whom `m` watches, by index, ascending.
  std::vector<member_index> watched_by(member_index m) const;
  /// True if `watcher` watches `m`.
  bool watches(member_index watcher, member_index m) const;

private:
  std::vector<member_index> circle_;
  std::vector<uint32_t> place_;
};

} // namespace covey::core
