// The consistent-hash ring: which nodes hold which slot.

#pragma once

#include "core/epoch.hpp"
#include "core/slot.hpp"

#include <cstdint>
#include <vector>

namespace covey::core {

/// A view of the nodes of one slot, first the homes, then the fallbacks. Valid
/// as long as its ring.
struct preference_list {
  const member_index* first = nullptr;
  uint32_t homes = 0;
  uint32_t size = 0;

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

  /// `members` as in an epoch that `validate` accepted.
  ring(const std::vector<member>& members, const replication_spec& spec);

  preference_list at(uint16_t slot) const;
  uint32_t replicas() const {
    return homes_;
  }
  /// Slots that `m` is a home of.
  uint32_t slots_of(member_index m) const;

private:
  uint32_t homes_ = 0;
  uint32_t stride_ = 0;
  std::vector<member_index> table_;
};

} // namespace covey::core
