// Which actors a node consists of, and who knows whom.

#pragma once

#include "actors/anti_entropy.hpp"
#include "actors/coordinator.hpp"
#include "actors/epoch_keeper.hpp"
#include "actors/flusher.hpp"
#include "actors/gateway.hpp"
#include "actors/gossiper.hpp"
#include "actors/hint_store.hpp"
#include "actors/peer_link.hpp"
#include "actors/replica.hpp"
#include "actors/storage_shard.hpp"
#include "actors/supervisor.hpp"
#include "actors/ticker.hpp"

#include <caf/actor_system.hpp>

#include <functional>

namespace covey::runtime {

/// Everything that differs between a process and a simulation.
struct wiring_options {
  flusher_config flusher;
  storage_shard_config shard;
  replica_config replica;
  coordinator_config coordinator;
  gateway_config gateway;
  gossiper_config gossip;
  hint_store_config hints;
  epoch_keeper_config keeper;
  anti_entropy_config repair;
  peer_link_config link;
  ticker_config ticker;
  uint32_t coordinators = 1;
  bool detached_flusher = true;
  bool detached_shards = false;
  /// Source of all seeds.
  uint64_t seed = 0;
  /// Makes the connector of a link to a member; it ends with the link.
  std::function<connector_actor(core::member_index)> connector;
  knocker_actor knocker;
};

/// The state that the actors of a node share, of which `view` is the first, of
/// the epoch that the configuration gives.
/// Nodes of one process may share what costs time to compute.
std::shared_ptr<node_context>
make_node_context(view_ptr view, core::member_index self, uint32_t shards);

/// The children of a node's supervisor, in order.
std::vector<child_spec> wire_node(caf::actor_system& sys,
                                  const node_context_ptr& node,
                                  const wiring_options& options);

/// Makes links to members that are added while the node runs; `options` as for
/// `wire_node`.
std::function<child_spec(core::member_index)>
link_maker(caf::actor_system& sys, const node_context_ptr& node,
           const wiring_options& options);

} // namespace covey::runtime
