// Every actor interface of a node: this file is the message map.

#pragma once

#include "messages/client.pb.h"
#include "messages/inspect.hpp"
#include "messages/local.hpp"
#include "messages/peer.pb.h"
#include "messages/trees.hpp"
#include "messages/watch.pb.h"

#include <caf/actor.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <string>
#include <utility>
#include <vector>

namespace covey {

// Atom texts hold at most ten characters in CAF 0.17.

/// From an actor to itself: the mailbox is empty, send what is gathered.
using go_atom = caf::atom_constant<caf::atom("go")>;
/// From the ticker: time has passed.
using tick_atom = caf::atom_constant<caf::atom("tick")>;
/// From an actor to itself: something in flight may take longer than usual.
using hurry_atom = caf::atom_constant<caf::atom("hurry")>;
/// Bytes of frames for one receiver (messages/burst.hpp).
using burst_atom = caf::atom_constant<caf::atom("burst")>;
using flush_atom = caf::atom_constant<caf::atom("flush")>;
using flushed_atom = caf::atom_constant<caf::atom("flushed")>;
using renew_atom = caf::atom_constant<caf::atom("renew")>;
using known_atom = caf::atom_constant<caf::atom("known")>;
using stats_atom = caf::atom_constant<caf::atom("stats")>;
using peer_up_atom = caf::atom_constant<caf::atom("peer_up")>;
using peer_down_atom = caf::atom_constant<caf::atom("peer_down")>;
using dial_atom = caf::atom_constant<caf::atom("dial")>;
/// Does the machine at an address refuse connections?
using knock_atom = caf::atom_constant<caf::atom("knock")>;
using refused_atom = caf::atom_constant<caf::atom("refused")>;
using gateway_atom = caf::atom_constant<caf::atom("gateway")>;
using children_atom = caf::atom_constant<caf::atom("children")>;
/// Who repairs for clients, told to the gateway.
using repair_atom = caf::atom_constant<caf::atom("repair")>;
/// The gossiper's new view of the members.
using view_atom = caf::atom_constant<caf::atom("view")>;
/// A new epoch, or the view of it.
using epoch_atom = caf::atom_constant<caf::atom("epoch")>;
/// Finish what is in flight, take nothing new.
using drain_atom = caf::atom_constant<caf::atom("drain")>;

// -- of one node: never on the wire -----------------------------------------

/// Whoever asks replicas: a coordinator, or a link on behalf of its peer.
using replica_asker_actor = caf::typed_actor<caf::reacts_to<replica_answers>>;

/// Operations for one replica, and who gets the answers.
struct replica_ops {
  replica_asker_actor from;
  std::vector<replica_op> ops;
};

/// A replica of this node, or a peer link that stands for the peer's.
using replica_actor = caf::typed_actor<
  // Checks the operations and has them done.
  caf::reacts_to<replica_ops>,
  // To every actor that holds a view, in the order in which they were started:
  // what comes from an earlier one under the new view finds it here.
  caf::reacts_to<epoch_atom, view_ptr>>;

/// Collects flushes: one fsync for all shards.
using flusher_actor = caf::typed_actor<
  // Shard, and the sequence of its last commit: `flushed` goes to the sender
  // once everything up to it is on disk.
  caf::reacts_to<flush_atom, uint32_t, uint64_t>, caf::reacts_to<go_atom>,
  // The engine's statistics.
  caf::replies_to<stats_atom>::with<statistic_list>>;

/// The only actor that touches a shard's records.
using storage_shard_actor = caf::typed_actor<
  caf::reacts_to<replica_ops>, caf::reacts_to<epoch_atom, view_ptr>,
  // Everything up to this sequence is on disk.
  caf::reacts_to<flushed_atom, uint64_t>,
  // This node may have forgotten what it wrote: start a new incarnation.
  caf::reacts_to<renew_atom>,
  // What a peer has seen of us: renews if it is more than we know.
  caf::reacts_to<known_atom, known_counters>,
  // The highest counters seen under these incarnations.
  caf::replies_to<known_atom, incarnation_list>::with<known_counters>,
  caf::reacts_to<go_atom>, caf::reacts_to<tick_atom>,
  // Hints of this shard: reads some, and forgets what was handed over.
  caf::replies_to<hint_query>::with<hint_page>, caf::reacts_to<hint_removal>,
  // Marks of slots that need repair, likewise.
  caf::replies_to<repair_mark_query>::with<repair_mark_list>,
  caf::reacts_to<repair_mark_removal>,
  // As tree_source_actor.
  caf::replies_to<roots_query>::with<roots_page>,
  caf::replies_to<leaves_query>::with<leaves_page>,
  caf::replies_to<versions_query>::with<versions_page>,
  // Saves filter and trees and sets the clean-stop mark; nothing is written
  // after.
  caf::replies_to<drain_atom>::with<bool>>;

/// Part of a storage shard: what anti-entropy asks it.
using tree_source_actor
  = caf::typed_actor<caf::replies_to<roots_query>::with<roots_page>,
                     caf::replies_to<leaves_query>::with<leaves_page>,
                     caf::replies_to<versions_query>::with<versions_page>>;

/// Whoever hands requests to a coordinator: the gateway, or a link.
using client_asker_actor = caf::typed_actor<caf::reacts_to<client_answers>>;

struct client_ops {
  client_asker_actor from;
  std::vector<client_op> ops;
};

/// Requests in flight.
using coordinator_actor = caf::typed_actor<
  caf::reacts_to<client_ops>, caf::reacts_to<replica_answers>,
  // A member can be reached through this link.
  caf::reacts_to<peer_up_atom, uint16_t, replica_actor>,
  caf::reacts_to<peer_down_atom, uint16_t>,
  // Whom to route around.
  caf::reacts_to<view_atom, liveness_ptr>, caf::reacts_to<epoch_atom, view_ptr>,
  caf::reacts_to<go_atom>, caf::reacts_to<hurry_atom>,
  caf::reacts_to<tick_atom>>;

/// A link as the gossiper sees it: what it takes goes out at once, without
/// credit and before everything else that waits.
using gossip_link_actor = caf::typed_actor<caf::reacts_to<gossip_frame>>;

/// Membership and failure detection.
using gossiper_actor = caf::typed_actor<
  // From the peer's gossiper.
  caf::reacts_to<gossip_frame>,
  // A session with this run of a member has begun.
  caf::reacts_to<peer_up_atom, uint16_t, gossip_link_actor, uint64_t>,
  caf::reacts_to<peer_down_atom, uint16_t>,
  // Whether the member's machine refuses connections to its port.
  caf::reacts_to<refused_atom, uint16_t, bool>,
  caf::reacts_to<epoch_atom, view_ptr>, caf::reacts_to<tick_atom>>;

/// Tells whether nothing listens at an address: true if its machine refuses
/// connections there. One per node.
using knocker_actor = caf::typed_actor<
  caf::replies_to<knock_atom, std::string, uint16_t>::with<bool>>;

/// Hands over what this node keeps for others.
using hint_store_actor
  = caf::typed_actor<caf::reacts_to<replica_answers>,
                     caf::reacts_to<peer_up_atom, uint16_t, replica_actor>,
                     caf::reacts_to<peer_down_atom, uint16_t>,
                     caf::reacts_to<view_atom, liveness_ptr>,
                     caf::reacts_to<epoch_atom, view_ptr>,
                     caf::reacts_to<tick_atom>>;

/// A link as anti-entropy sees it.
using exchange_link_actor = replica_actor::extend<
  // Goes out behind everything else that waits.
  caf::reacts_to<exchange_frame>>;

/// Compares this node's replicas with those of its peers, and repairs them.
using anti_entropy_actor = caf::typed_actor<
  // From the peer's anti-entropy.
  caf::reacts_to<exchange_frame>, caf::reacts_to<replica_answers>,
  caf::reacts_to<peer_up_atom, uint16_t, exchange_link_actor>,
  caf::reacts_to<peer_down_atom, uint16_t>,
  caf::reacts_to<view_atom, liveness_ptr>, caf::reacts_to<epoch_atom, view_ptr>,
  caf::reacts_to<tick_atom>,
  caf::replies_to<wire::RepairRequest>::with<wire::RepairReply>>;

/// Whatever holds a view of the epoch.
using view_holder_actor
  = caf::typed_actor<caf::reacts_to<epoch_atom, view_ptr>>;

/// Whatever the ticker wakes.
using ticked_actor = caf::typed_actor<caf::reacts_to<tick_atom>>;

using ticker_actor = caf::typed_actor<caf::reacts_to<tick_atom>>;

// -- on the wire ------------------------------------------------------------

/// A link to one peer: the only sender to that node, and its ear for it.
using peer_link_actor = caf::typed_actor<
  // Session, bytes of the receiver's bursts taken so far, frames.
  caf::reacts_to<burst_atom, uint64_t, uint64_t, std::string>,
  caf::reacts_to<wire::PeerHello>, caf::reacts_to<wire::PeerWelcome>>;

/// A peer link as its own node sees it.
using local_peer_link_actor = peer_link_actor::extend<
  caf::reacts_to<replica_ops>, caf::reacts_to<replica_answers>,
  caf::reacts_to<client_answers>, caf::reacts_to<gossip_frame>,
  caf::reacts_to<exchange_frame>, caf::reacts_to<epoch_atom, view_ptr>,
  caf::reacts_to<go_atom>, caf::reacts_to<tick_atom>>;

/// What clients talk to. Programs that are CAF actors may use it directly.
/// An error is a code in the reply, never a CAF error.
using gateway_actor = caf::typed_actor<
  caf::replies_to<wire::PutRequest>::with<wire::PutReply>,
  caf::replies_to<wire::GetRequest>::with<wire::GetReply>,
  caf::replies_to<wire::ScanRequest>::with<wire::ScanReply>,
  caf::replies_to<wire::StatusRequest>::with<wire::StatusReply>,
  caf::replies_to<wire::RingRequest>::with<wire::RingReply>,
  caf::replies_to<wire::RepairRequest>::with<wire::RepairReply>,
  // Opens a session: the gateway answers the sender with a ClientWelcome.
  caf::reacts_to<wire::ClientHello>,
  // Frames of put, get and scan requests; replies come to the sender likewise.
  caf::reacts_to<burst_atom, std::string>>;

/// The gateway as its own node sees it.
using local_gateway_actor
  = gateway_actor::extend<caf::reacts_to<client_answers>,
                          // For the status.
                          caf::reacts_to<view_atom, liveness_ptr>,
                          caf::reacts_to<repair_atom, anti_entropy_actor>,
                          caf::reacts_to<epoch_atom, view_ptr>,
                          caf::reacts_to<go_atom>, caf::reacts_to<tick_atom>,
                          caf::replies_to<drain_atom>::with<bool>>;

/// The end of a session at the client.
using client_session_actor
  = caf::typed_actor<caf::reacts_to<wire::ClientWelcome>,
                     caf::reacts_to<burst_atom, std::string>>;

/// Whoever watches a node from outside.
using node_watcher_actor = caf::typed_actor<
  // The answer to each WatchRequest.
  caf::reacts_to<wire::NodeState>,
  // As it happens, once subscribed.
  caf::reacts_to<wire::ChildEvent>>;

/// The root of a node: published at its port, and what outside programs
/// monitor.
using supervisor_actor = caf::typed_actor<
  // Handed on to the link to that peer, with its sender.
  caf::reacts_to<wire::PeerHello>,
  // Handed on to the gateway, with its sender.
  caf::reacts_to<wire::ClientHello>,
  // The gateway of now: it changes when the gateway is restarted.
  caf::replies_to<gateway_atom>::with<gateway_actor>,
  caf::replies_to<children_atom>::with<wire::Children>,
  // Subscribes the sender, a node_watcher_actor.
  caf::reacts_to<wire::WatchRequest>>;

/// The supervisor as its own node sees it.
using local_supervisor_actor = supervisor_actor::extend<
  // A decided epoch: builds its view and has the whole node go on with it.
  caf::reacts_to<epoch_atom, epoch_ptr>,
  // Takes nothing new, finishes what is in flight, stops the children in
  // reverse order and has the shards set their clean-stop marks.
  caf::replies_to<drain_atom>::with<bool>>;

/// Connects to the node at an address and gives its supervisor. One per link,
/// so that an address that swallows packets delays nobody else.
using connector_actor = caf::typed_actor<
  caf::replies_to<dial_atom, std::string, uint16_t>::with<supervisor_actor>>;

} // namespace covey

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::replica_ops)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::replica_answers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::client_ops)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::client_answers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::known_counters)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::incarnation_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::statistic_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::liveness_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::epoch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::view_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::gossip_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::hint_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::hint_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::hint_removal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::repair_mark_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::repair_mark_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::repair_mark_removal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::exchange_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::roots_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::roots_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::leaves_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::leaves_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::versions_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::versions_page)

CAF_BEGIN_TYPE_ID_BLOCK(covey, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(covey, (covey::wire::ClientHello))
  CAF_ADD_TYPE_ID(covey, (covey::wire::ClientWelcome))
  CAF_ADD_TYPE_ID(covey, (covey::wire::PutRequest))
  CAF_ADD_TYPE_ID(covey, (covey::wire::PutReply))
  CAF_ADD_TYPE_ID(covey, (covey::wire::GetRequest))
  CAF_ADD_TYPE_ID(covey, (covey::wire::GetReply))
  CAF_ADD_TYPE_ID(covey, (covey::wire::ScanRequest))
  CAF_ADD_TYPE_ID(covey, (covey::wire::ScanReply))
  CAF_ADD_TYPE_ID(covey, (covey::wire::StatusRequest))
  CAF_ADD_TYPE_ID(covey, (covey::wire::StatusReply))
  CAF_ADD_TYPE_ID(covey, (covey::wire::RingRequest))
  CAF_ADD_TYPE_ID(covey, (covey::wire::RingReply))
  CAF_ADD_TYPE_ID(covey, (covey::wire::PeerHello))
  CAF_ADD_TYPE_ID(covey, (covey::wire::PeerWelcome))
  CAF_ADD_TYPE_ID(covey, (covey::wire::Children))
  CAF_ADD_TYPE_ID(covey, (covey::wire::WatchRequest))
  CAF_ADD_TYPE_ID(covey, (covey::wire::NodeState))
  CAF_ADD_TYPE_ID(covey, (covey::wire::ChildEvent))
  CAF_ADD_TYPE_ID(covey, (covey::wire::RepairRequest))
  CAF_ADD_TYPE_ID(covey, (covey::wire::RepairReply))
  CAF_ADD_TYPE_ID(covey, (covey::gateway_actor))
  CAF_ADD_TYPE_ID(covey, (covey::supervisor_actor))

CAF_END_TYPE_ID_BLOCK(covey)
