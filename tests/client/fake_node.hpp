// A node of one map in memory, which the client library talks to over TCP.

#pragma once

#include "messages/handles.hpp"
#include "messages/registration.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <string>
#include <vector>

namespace covey::test {

struct fake_node_config : system_config {
  fake_node_config();
};

enum class manner {
  normal,
  /// Answers no bursts.
  mute,
  /// Every other put is overloaded.
  busy,
  /// The first put is overloaded and may be written, the others are refused.
  doubtful,
  /// Every page of a scan leads to where it began.
  circling,
};

struct fake_node_state {
  manner how = manner::normal;
  std::map<std::string, std::vector<std::string>> values;
  uint64_t puts = 0;
};

using fake_node_actor
  = gateway_actor::extend<caf::replies_to<gateway_atom>::with<gateway_actor>,
                          caf::replies_to<children_atom>::with<wire::Children>,
                          caf::reacts_to<wire::PeerHello>,
                          caf::reacts_to<wire::WatchRequest>>;

/// Supervisor and gateway in one. Knows the keyspace "default"; values of more
/// than a megabyte are too large.
fake_node_actor::behavior_type
fake_node(fake_node_actor::stateful_pointer<fake_node_state> self, manner how);

} // namespace covey::test
