// Who is being given what it missed: members say whether they keep hints.

#pragma once

#include "core/epoch.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace covey::core {

/// A node that was away catches up while a peer keeps hints for it. The peer
/// says so when their session begins, again at intervals, and once more when
/// nothing is left. Hints that come up later, of a node that is only slow, are
/// no reason to speak. Times are of a monotonic clock.
class owed_hints {
public:
  owed_hints(size_t members, uint64_t repeat_ms)
    : repeat_ms_(repeat_ms), rows_(members) {}

  /// `members`: more than before.
  void grow(size_t members) {
    rows_.resize(members);
  }

  /// A session with `m` has begun, for which `keeps` hints are here.
  void connected(member_index m, bool keeps);
  void disconnected(member_index m);
  /// What to tell `m` now, if anything: whether there are hints for it.
  std::optional<bool> word_for(member_index m, bool keeps, uint64_t now_ms);

  /// `m` has said whether it keeps hints for this node.
  void told(member_index m, bool keeps, uint64_t now_ms);
  /// True while some peer keeps hints for this node; a word that is not
  /// repeated counts no longer after three intervals.
  bool catching_up(uint64_t now_ms) const;

private:
  struct row {
    /// It was told that there are hints, and not yet that there are none.
    bool owed = false;
    std::optional<uint64_t> said_ms;
    /// When it said last that it keeps some for us.
    std::optional<uint64_t> heard_ms;
  };

  uint64_t repeat_ms_;
  std::vector<row> rows_;
};

} // namespace covey::core
