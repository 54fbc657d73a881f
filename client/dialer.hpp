// Dials nodes through CAF's middleman: the connector of production.

#pragma once

#include "messages/handles.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace covey::client {

/// Answers a dial within a second and a half. Looks names up and probes the
/// address first, which blocks: spawn it detached, one per session. The probe
/// bounds what an address that swallows packets costs, and tells why an address
/// refuses, which CAF does not.
connector_actor::behavior_type dialer(connector_actor::pointer self);

} // namespace covey::client
