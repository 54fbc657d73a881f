// Gossip between its form in core and on the wire.

#pragma once

#include "core/gossip.hpp"
#include "messages/peer.pb.h"

#include <optional>
#include <string>
#include <string_view>

namespace covey {

void to_wire(const core::gossip_message& in, wire::Gossip& out);
/// Nothing if it holds more than a gossiper ever sends.
std::optional<core::gossip_message> from_wire(const wire::Gossip& in);

std::string serialize(const core::gossip_message& in);
std::string serialize(const core::probe& in);
std::string serialize(const core::probe_answer& in);

// Each gives nothing for bytes that no gossiper sends.
std::optional<core::gossip_message> parse_gossip(std::string_view bytes);
std::optional<core::probe> parse_probe(std::string_view bytes);
std::optional<core::probe_answer> parse_probe_answer(std::string_view bytes);

} // namespace covey
