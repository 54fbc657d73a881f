// Dials nodes: the connector of production, for nodes and clients alike.

#pragma once

#include "messages/handles.hpp"
#include "messages/network/tls_context.hpp"

#include <caf/actor_system.hpp>

#include <chrono>

namespace covey::network {

struct dialer_config {
  /// Null: plain connections.
  tls_context_ptr tls;
  /// For each address of a name.
  std::chrono::milliseconds connect_patience{2000};
  /// From there until the other end has proved to be a node.
  std::chrono::milliseconds greeting_patience{2000};
};

/// Answers every dial within the two patiences (looking up a name comes on top)
/// with a supervisor, or with `unavailable` and the reason in words. Has a
/// thread of its own: spawn one for each peer. It ends by an exit message.
connector_actor spawn_dialer(caf::actor_system& sys, dialer_config config);

} // namespace covey::network
