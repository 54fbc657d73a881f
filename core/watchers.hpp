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
  /// `removed`: members that have no place in it; may be shorter.
  explicit watch_circle(const std::vector<uuid>& members,
                        const std::vector<bool>& removed = {});

  /// Members in it.
  size_t size() const {
    return circle_.size();
  }
  /// Whom `m` watches, by index, ascending.
  std::vector<member_index> watched_by(member_index m) const;
  /// True if `watcher` watches `m`.
  bool watches(member_index watcher, member_index m) const;

private:
  std::vector<member_index> circle_;
  static constexpr uint32_t nowhere = UINT32_MAX;
  /// By member.
  std::vector<uint32_t> place_;
};

} // namespace covey::core
