// Which messages between nodes the simulated network may deliver twice.

#pragma once

#include <caf/message.hpp>

namespace covey::simulation {

/// All but bursts that hand a put to its coordinator. A link is one TCP
/// connection and resends nothing, so that a home that refused a forward may
/// say that nothing was done; a second copy could be taken where the first was
/// refused. Everything else that a link carries must bear to come twice.
bool may_come_twice(const caf::message& content);

} // namespace covey::simulation
