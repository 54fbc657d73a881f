// What a node believes of the members right now: which of them to route around.

#pragma once

#include "core/epoch.hpp"

#include <cstdint>
#include <vector>

namespace covey::core {

enum class health : uint8_t {
  up = 0,
  /// Suspected by this node itself, or by one watcher.
  suspect = 1,
  /// Suspected in one run by two watchers, or by the other node of two.
  down = 2,
};

struct member_liveness {
  health state = health::up;
  /// Its disk falls behind: it is not written to.
  bool stalled = false;
  /// It is being given what it missed: reads prefer other homes.
  bool catching_up = false;
  /// The run that this is said of; 0 before it was met.
  uint64_t run = 0;
  /// Since when, on this node's clock, microseconds since 1970.
  uint64_t since_us = 0;
  /// Who suspects it.
  std::vector<member_index> accusers;
};

/// By member index. A member beyond the end counts as up.
struct liveness_view {
  std::vector<member_liveness> members;

  health state_of(member_index m) const {
    return m < members.size() ? members[m].state : health::up;
  }
  bool stalled(member_index m) const {
    return m < members.size() && members[m].stalled;
  }
  bool catching_up(member_index m) const {
    return m < members.size() && members[m].catching_up;
  }
};

} // namespace covey::core
