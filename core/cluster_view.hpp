// What follows from an epoch: where slots lie, and since when.

#pragma once

#include "core/epoch.hpp"
#include "core/ring.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey::core {

/// The slots of one replication group.
struct slot_group {
  ring homes;
  /// By slot: the epoch in which its homes changed last.
  std::vector<epoch_id> changed_in;
};

/// A keyspace and where its slots lie.
struct placed_keyspace : keyspace {
  uint32_t id = 0;
  uint32_t group = 0;
  /// The epoch in which it came, or last got other rules for where its records
  /// lie and how they meet.
  epoch_id since;
  std::shared_ptr<const slot_group> slots;

  const ring& homes() const {
    return slots->homes;
  }
  /// `slot` is below slot_count.
  preference_list at(uint16_t slot) const {
    return slots->homes.at(slot);
  }
  /// What was planned in an epoch before this one may be meant for others.
  epoch_id changed_in(uint16_t slot) const {
    return std::max(since, slots->changed_in[slot]);
  }
};

/// An epoch with its rings: what the actors of a node act by until the next one
/// comes. Immutable, shared. Takes as long to build as its rings do (ring.md).
class cluster_view {
public:
  /// `first` is sound. Whatever was planned before it is stale.
  explicit cluster_view(std::shared_ptr<const core::epoch> first);
  /// `next` is sound, and `why_not_follows` has nothing to say.
  cluster_view(const cluster_view& before,
               std::shared_ptr<const core::epoch> next);

  const core::epoch& epoch() const {
    return *epoch_;
  }
  const std::shared_ptr<const core::epoch>& epoch_handle() const {
    return epoch_;
  }
  const epoch_id& id() const {
    return epoch_->id;
  }
  size_t members() const {
    return epoch_->members.size();
  }
  const member& at(member_index m) const {
    return epoch_->members[m];
  }
  std::optional<member_index> member_of(const uuid& id) const;
  /// Null if there is none. Both are valid as long as the view.
  const placed_keyspace* find_keyspace(std::string_view name) const;
  const placed_keyspace* find_keyspace(uint32_t id) const;
  const std::vector<placed_keyspace>& keyspaces() const {
    return keyspaces_;
  }

private:
  void build(const cluster_view* before);

  std::shared_ptr<const core::epoch> epoch_;
  /// In the order of the epoch's.
  std::vector<placed_keyspace> keyspaces_;
};

/// Empty if a node may go on from `before` to `next`: it `continues`, and no
/// keyspace is gone. Else why not.
std::string why_not_follows(const epoch& before, const epoch& next);

} // namespace covey::core
