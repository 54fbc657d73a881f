// Finds out whether a machine refuses connections to a port.

#pragma once

#include "messages/handles.hpp"

#include <caf/actor_system.hpp>

#include <chrono>

namespace covey::network {

/// Connects and closes at once. Blocks for up to `patience` a knock, hence a
/// thread of its own. It ends by an exit message.
knocker_actor spawn_knocker(caf::actor_system& sys,
                            std::chrono::milliseconds patience);

} // namespace covey::network
