// What epoch keepers say to each other, between its form in core and on the
// wire; and clients' changes of keyspaces.

#pragma once

#include "core/epoch_change.hpp"
#include "core/paxos.hpp"
#include "messages/client.pb.h"
#include "messages/local.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace covey {

/// The newest decided epoch of a node, with its bytes or without.
struct epoch_word {
  core::epoch_id id;
  std::string epoch;
};

std::string serialize(const core::paxos_message& in);
std::string serialize(const epoch_word& in);

// Each gives nothing for bytes that no keeper sends. The epochs in them are not
// looked at.
std::optional<core::paxos_message> parse_paxos(std::string_view bytes);
std::optional<epoch_word> parse_epoch_word(std::string_view bytes);

/// The change that a client asks for; nothing, and `error` one line, if the
/// request is wrong.
std::optional<core::epoch_change> change_of(const wire::KeyspaceRequest& in,
                                            std::string& error);

void to_wire(const epoch_outcome& in, wire::KeyspaceReply& out);

} // namespace covey
