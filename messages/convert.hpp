// Between what travels and what actors of one node say to each other.

#pragma once

#include "messages/client.pb.h"
#include "messages/local.hpp"
#include "messages/peer.pb.h"

#include <optional>

namespace covey {

/// A put as it is forwarded to a home; `id` is left to the link.
wire::PutRequest to_wire(const client_op& op, const core::keyspace& ks);

client_answer from_wire(const wire::PutReply& reply);
void to_wire(const client_answer& a, const core::epoch_id& epoch,
             wire::PutReply& out);
void to_wire(client_answer& a, const core::epoch_id& epoch,
             wire::GetReply& out);
void to_wire(client_answer& a, wire::ScanReply& out);

/// Members and keyspaces, as far as a client needs them; nothing from an epoch
/// that no cluster could have.
void to_wire(const core::epoch& in, wire::ClientWelcome& out);
std::optional<core::epoch> epoch_from_wire(const wire::ClientWelcome& in);

void to_wire(const replica_op& op, wire::ReplicaRequest& out);
/// False if the verb or the slot is none that a peer may ask for.
bool from_wire(wire::ReplicaRequest& in, replica_op& out);
void to_wire(replica_answer& a, wire::ReplicaAnswer& out);
replica_answer from_wire(wire::ReplicaAnswer& in);

} // namespace covey
