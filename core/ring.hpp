// The consistent-hash ring: which nodes hold which slot.

#pragma once

#include "core/epoch.hpp"
#include "core/home_set.hpp"
#include "core/slot.hpp"

#include <cstdint>
#include <vector>

namespace covey::core {

/// A view of the nodes of one slot: first the homes, which answer reads; then,
/// while the slot moves, those that take its writes too; then the fallbacks.
/// Valid as long as its ring.
struct preference_list {
  const member_index* first = nullptr;
  uint32_t homes = 0;
  /// Homes and those after them that take writes; equal to `homes` unless the
  /// slot moves.
  uint32_t writers = 0;
  uint32_t size = 0;
  /// Places of the homes before and after the move: a write has to meet its
  /// level in both. Both are the homes unless the slot moves.
  home_set before = 0;
  home_set after = 0;

  const member_index* begin() const {
    return first;
  }
  const member_index* end() const {
    return first + size;
  }
  member_index operator[](size_t i) const {
    return first[i];
  }
  bool is_home(member_index m) const;
  bool takes_writes(member_index m) const;
  bool moves() const {
    return before != after;
  }
};

/// How far a change of the members has come (design.md 7). DO NOT REORDER:
/// stored with epochs.
enum class move_phase : uint8_t {
  /// Reads ask the homes of before, whose records are copied to those of after.
  copying = 1,
  /// The homes of after have all that was copied, and reads ask them.
  switching = 2,
};

/// The table of preference lists of one replication group in one epoch: a pure
/// function of the members and the spec. Immutable.
///
/// A member of weight w has w * 256 virtual nodes, at hash64("name/i"). Walking
/// clockwise from the slot's position, distinct members become homes. With
/// `per_data_centre`, each data centre takes its number; within a data centre
/// (or within the cluster, for `total`) a member of a rack not used yet is
/// taken before a second one of a rack, as long as such racks remain; for
/// `total`, data centres not used yet come before that in the same way. The
/// next distinct members clockwise are the fallbacks (up to `max_fallbacks`).
/// Joining and removed members are not there.
/// Sources: Karger et al. 1997; DeCandia et al. (Dynamo) 2007, section 6.2.
class ring {
public:
  static constexpr uint32_t virtual_nodes_per_weight = 256;
  static constexpr uint32_t max_fallbacks = 16;
  static constexpr uint32_t max_writers = 16;

  /// `members` as in an epoch that `validate` accepted.
  ring(const std::vector<member>& members, const replication_spec& spec);
  /// The ring on the way from one to another of the same members and group:
  /// every slot has the homes of both, those that answer reads first. Requires
  /// that they are at most `max_writers` for each slot.
  ring(const ring& before, const ring& after, move_phase phase);

  preference_list at(uint16_t slot) const;
  uint32_t replicas() const {
    return homes_;
  }
  /// Slots that `m` is a home of.
  uint32_t slots_of(member_index m) const;

private:
  /// Of a slot that may move; `size` is that of its list.
  struct shape {
    uint8_t writers;
    uint8_t size;
    home_set before;
    home_set after;
  };

  uint32_t homes_ = 0;
  uint32_t stride_ = 0;
  std::vector<member_index> table_;
  /// By slot, on the way from one ring to another only.
  std::vector<shape> shapes_;
};

/// The most writers that a slot has on the way from one ring to the other.
uint32_t most_writers(const ring& before, const ring& after);

} // namespace covey::core
