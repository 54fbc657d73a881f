// The peer link: the only sender to one peer node, and its ear for it.

#pragma once

#include "actors/grouped.hpp"
#include "actors/node_context.hpp"
#include "core/backoff.hpp"
#include "core/clock_offset.hpp"
#include "core/credit_window.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <random>
#include <string>
#include <vector>

namespace covey {

struct peer_link_config {
  core::member_index peer = 0;
  uint64_t heartbeat_ms = 500;
  /// Without a sign of life for this long the peer counts as unavailable.
  uint64_t timeout_ms = 3'000;
  uint64_t retry_min_ms = 50;
  uint64_t retry_max_ms = 2'000;
  uint64_t max_bytes_under_way = 64ull << 20;
  uint32_t max_requests = 50'000;
  size_t burst_bytes = 256 * 1024;
  /// Bulk waits while so much is under way.
  uint64_t max_bytes_beside_bulk = 512 * 1024;
  /// Messages of bulk that may wait.
  size_t max_bulk = 256;
  /// Source of session numbers and jitter.
  uint64_t seed = 0;
};

/// Exactly one of two nodes dials: the one whose name sorts first. Two TCP
/// connections between the same nodes would confuse the middleman's time-outs.
///
/// A session begins with a hello and its welcome. Whatever arrives under
/// another session is dropped; when a session ends, all in flight fails at
/// once.
struct peer_link_state {
  explicit peer_link_state(local_peer_link_actor::pointer ptr) : self(ptr) {}

  enum class phase : uint8_t { down, dialling, greeting, up };

  /// A request to the peer that waits for its answer.
  struct outstanding {
    replica_asker_actor from;
    uint64_t id = 0;
    uint64_t deadline_us = 0;
    bool open = false;
  };

  void start(const peer_link_config& cfg, const node_context_ptr& ctx);
  // Towards the peer.
  void send_all(replica_ops& ops);
  void answer_all(replica_answers& answers);
  void answer_all(client_answers& answers);
  void gossip(const gossip_frame& frame);
  void exchange(exchange_frame& frame);
  void flush();
  // From the peer.
  void hello(const wire::PeerHello& in);
  void welcome(const wire::PeerWelcome& in);
  void burst(uint64_t in_session, uint64_t taken, const std::string& bytes);
  // Life.
  void tick();
  void lost(const caf::actor_addr& who);
  void go_down(const std::string& why);

  local_peer_link_actor::pointer self;
  peer_link_config config;
  node_context_ptr node;
  view_ptr view;
  connector_actor connector;
  std::vector<replica_actor> replicas;
  std::vector<storage_shard_actor> shards;
  std::vector<coordinator_actor> coordinators;
  gossiper_actor gossiper;
  knocker_actor knocker;
  hint_store_actor hints;
  epoch_keeper_actor keeper;
  anti_entropy_actor repairs;
  bool armed = false;

  static inline constexpr const char* name = "peer-link";

private:
  const core::member& peer() const {
    return view->at(config.peer);
  }
  bool dials() const {
    return node->me().name < peer().name;
  }
  uint64_t now_ms() const;
  void dial();
  /// Asks whether anybody listens at the peer's port, and tells the gossiper.
  void knock();
  void tell_unreachable(const caf::error& err);
  void greet(const supervisor_actor& portal);
  /// Empty if the peer may be talked to, else why not.
  std::string check_identity(const wire::PeerHello& in) const;
  /// The same for what it believes in.
  std::string check_epoch(const wire::PeerHello& in) const;
  /// The same for its protocol and its run.
  std::string check_process(uint32_t protocol, uint64_t run) const;
  void go_up(const peer_link_actor& remote, uint64_t session, uint64_t run);
  /// Tells the sender of the current message that this session has ended here,
  /// so that it need not wait for our silence.
  void disown(uint64_t session);
  void compare_runs(uint64_t their_run, uint64_t their_known_run);
  void tell_known(const std::vector<core::incarnation>& theirs);
  void refuse(const replica_asker_actor& to, uint64_t id, errc code);
  void close(uint64_t correlation, replica_answer answer);
  /// Refuses an answer of the peer that this node has no memory for.
  void charge(replica_answer& answer);
  /// Refuses an answer to the peer that must wait too long for those before it.
  void fit(replica_answer& answer);
  void take_frame(uint8_t kind, std::string_view message);
  void take_request(std::string_view message);
  void take_forward(std::string_view message);
  void add_ping();
  void send_bulk();
  void dispatch();

  phase phase_ = phase::down;
  peer_link_actor remote_;
  supervisor_actor portal_;
  uint64_t session_ = 0;
  uint64_t received_ = 0;
  /// What the peer was told of it.
  uint64_t told_ = 0;
  uint64_t last_heard_ms_ = 0;
  uint64_t last_tick_ms_ = 0;
  uint64_t next_attempt_ms_ = 0;
  uint64_t last_ping_ms_ = 0;
  bool knocking_ = false;
  /// Why the last dial failed, as told; empty once up.
  std::string unreachable_;
  core::backoff backoff_{50, 2000};
  core::credit_window credit_{0, 0};
  core::clock_offset clock_;
  std::mt19937_64 random_;
  std::string out_;
  uint32_t out_frames_ = 0;
  std::deque<exchange_frame> bulk_;
  /// By correlation id, counted on from `first_`.
  std::deque<outstanding> open_;
  uint64_t first_ = 1;
  // What a burst brought, by receiver.
  std::vector<std::vector<replica_op>> to_replicas_;
  std::vector<std::vector<client_op>> to_coordinators_;
  grouped<replica_asker_actor, replica_answer> to_askers_;
  // Reused, so that their memory is.
  wire::ReplicaRequest request_;
  wire::ReplicaAnswer answer_;
  wire::Forward forward_;
  wire::Forwarded forwarded_;
};

/// Whom a link serves and through whom it dials.
struct peer_link_collaborators {
  connector_actor connector;
  std::vector<replica_actor> replicas;
  std::vector<storage_shard_actor> shards;
  std::vector<coordinator_actor> coordinators;
  gossiper_actor gossiper;
  knocker_actor knocker;
  hint_store_actor hints;
  epoch_keeper_actor keeper;
  anti_entropy_actor repairs;
};

/// Spawn with `sys.spawn(peer_link, config, node, collaborators)`.
local_peer_link_actor::behavior_type
peer_link(loop_pointer<local_peer_link_actor, peer_link_state> self,
          const peer_link_config& config, const node_context_ptr& node,
          const peer_link_collaborators& collaborators);

} // namespace covey
