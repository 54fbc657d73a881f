// Dials nodes for a client.

#pragma once

#include "messages/handles.hpp"
#include "messages/network/tls_files.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <string>

namespace covey::client {

/// Answers a dial within a second and a half, plain if there are no files. One
/// for each session: it has a thread of its own, and ends by an exit message.
connector_actor spawn_dialer(caf::actor_system& sys,
                             const network::tls_files& tls);

/// Dials through what `spawn` gives, and through another one once that has
/// crashed: nobody supervises the actors of a client. Ends it with itself.
connector_actor spawn_lasting_dialer(caf::actor_system& sys,
                                     std::function<connector_actor()> spawn);

/// Why a dial failed, in a few words; `err` is what the request for it gave.
std::string dial_failure(const caf::error& err);

} // namespace covey::client
