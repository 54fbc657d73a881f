// The replica: the protocol of a home for the slots of one shard.

#pragma once

#include "actors/node_context.hpp"
#include "actors/waiting_room.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace covey {

struct replica_config {
  uint32_t shard = 0;
  size_t max_key_bytes = 1024;
};

struct replica_state {
  explicit replica_state(replica_actor::pointer ptr) : self(ptr) {}

  void take(replica_ops& ops);
  void adopt(view_ptr next);
  /// errc::none if this node may execute `op` now; errc::behind if it has to
  /// know the epoch of `op` first.
  errc check(const replica_op& op, uint64_t now_us) const;
  errc check_ownership(const replica_op& op,
                       const core::preference_list& list) const;

  /// True if the homes of a slot of `op` are others since its epoch.
  bool is_stale(const replica_op& op, const core::placed_keyspace& ks) const;

  replica_actor::pointer self;
  replica_config config;
  node_context_ptr node;
  view_ptr view;
  storage_shard_actor shard;

  /// Of epochs that are not known yet.
  waiting_room<replica_asker_actor, replica_op> early;

  static inline constexpr const char* name = "replica";
};

/// Refuses what does not belong here or came too late; hands the rest to the
/// shard, which answers whoever asked once it is durable. What is of an epoch
/// that the node has not learnt yet waits for it.
replica_actor::behavior_type
replica(loop_pointer<replica_actor, replica_state> self,
        const replica_config& config, const node_context_ptr& node,
        const storage_shard_actor& shard);

} // namespace covey
