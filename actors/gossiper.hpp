// The gossiper: membership and failure detection of a node.

#pragma once

#include "actors/node_context.hpp"
#include "core/membership.hpp"
#include "core/owed_hints.hpp"
#include "messages/handles.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <string>
#include <vector>

namespace covey {

struct gossiper_config {
  core::membership_config membership;
  /// Source of the choice of peers.
  uint64_t seed = 0;
};

/// Tells `core::membership` of time and of what links bring, sends what it
/// says, and gives each new view to those who route and to the gateway.
struct gossiper_state {
  explicit gossiper_state(gossiper_actor::pointer ptr) : self(ptr) {}

  void start(const gossiper_config& config, const node_context_ptr& ctx);
  void tick();
  /// Members join and leave by epochs only.
  void adopt(view_ptr next);
  void take(const gossip_frame& in);
  void connected(core::member_index m, const gossip_link_actor& link,
                 uint64_t run);
  void disconnected(core::member_index m);
  /// Publishes the view if it has changed.
  void publish();

  gossiper_actor::pointer self;
  node_context_ptr node;
  view_ptr view;
  std::vector<coordinator_actor> coordinators;
  local_gateway_actor gateway;
  hint_store_actor hints;
  anti_entropy_actor repairs;
  std::optional<core::membership> membership;
  std::optional<core::owed_hints> owed;
  /// Links by member; null while down.
  std::vector<gossip_link_actor> links;
  core::liveness_view published;
  /// What the node's counters have of those of `membership`: another gossiper
  /// may have counted before.
  core::membership_counters counted;

  static inline constexpr const char* name = "gossiper";

  uint64_t now_ms() const;

private:
  void send(core::member_index to, frame_kind kind, std::string message);
  /// Tells `to` whether hints are kept for it, if it should hear that now.
  void tell_owed(core::member_index to);
  core::own_state own() const;
  void log_changes() const;
  void count();
};

/// Spawn with `sys.spawn(gossiper, config, node, coordinators, gateway,
/// hints, repairs)`; links announce themselves with `peer_up`.
gossiper_actor::behavior_type
gossiper(gossiper_actor::stateful_pointer<gossiper_state> self,
         const gossiper_config& config, const node_context_ptr& node,
         const std::vector<coordinator_actor>& coordinators,
         const local_gateway_actor& gateway, const hint_store_actor& hints,
         const anti_entropy_actor& repairs);

} // namespace covey
