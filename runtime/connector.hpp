// Connects a peer link to its peer over the network.

#pragma once

#include "messages/handles.hpp"

#include <caf/actor_system.hpp>

namespace covey::runtime {

/// A connector with a middleman actor of its own: CAF's connect blocks, so an
/// address that swallows packets would delay all others in a shared one.
connector_actor spawn_connector(caf::actor_system& sys);

} // namespace covey::runtime
