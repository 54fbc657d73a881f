// Anti-entropy: compares this node's replicas with those of its peers.

#pragma once

#include "actors/node_context.hpp"
#include "actors/planted_bug.hpp"
#include "actors/tree_reader.hpp"
#include "core/comparisons.hpp"
#include "core/exchange.hpp"
#include "core/token_bucket.hpp"
#include "messages/exchange.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace covey {

struct anti_entropy_config {
  /// From one comparison of all that is shared with a peer to the next.
  uint64_t interval_ms = 60'000;
  /// To and from all peers together, while clients ask for nothing, and beside
  /// them.
  uint64_t bytes_per_s = 32ull << 20;
  uint64_t busy_bytes_per_s = 4ull << 20;
  /// Requests in a tick from which on the node counts as busy.
  uint64_t busy_writes_per_tick = 5;
  core::exchange_config exchange;
  /// Exchanges of others that are answered at once, and questions of each.
  uint32_t max_sessions = 8;
  uint32_t max_questions = 32;
  /// An exchange that is not heard of for so long is over.
  uint64_t session_ms = 60'000;
  /// Records under way.
  uint32_t max_repairs = 256;
  uint64_t max_repair_bytes = 512 * 1024;
  /// Of a read or write of a record.
  uint64_t patience_us = 10'000'000;
  /// Before a peer that was busy or gone is asked again.
  uint64_t retry_ms = 1'000;
  /// A client's repair ends if nobody asks how far it is.
  uint64_t command_patience_ms = 10'000;
  /// Source of the numbers of exchanges.
  uint64_t seed = 0;
  planted_bug planted = planted_bug::none;
};

struct anti_entropy_collaborators {
  /// One a shard, each.
  std::vector<tree_source_actor> trees;
  std::vector<storage_shard_actor> shards;
  std::vector<replica_actor> replicas;
  local_gateway_actor gateway;
};

/// One exchange at a time is this node's own: what a client asked for comes
/// first, then marked slots, then whatever is due. Of two nodes the one begins
/// that `begins_with` says; for marks and clients any of them.
struct anti_entropy_state {
  explicit anti_entropy_state(anti_entropy_actor::pointer ptr) : self(ptr) {}

  void start(const anti_entropy_config& cfg, const node_context_ptr& ctx);
  void adopt(view_ptr next);
  void up(core::member_index m, const exchange_link_actor& link);
  void down(core::member_index m);
  void tick();
  void take(const exchange_frame& in);
  void on_answers(replica_answers& answers);
  wire::RepairReply repair(const wire::RepairRequest& in);

  anti_entropy_actor::pointer self;
  anti_entropy_config config;
  node_context_ptr node;
  anti_entropy_collaborators with;
  /// Never null.
  view_ptr view;
  /// What the gossiper believes; never null.
  liveness_ptr liveness = std::make_shared<core::liveness_view>();
  /// What is known of equal replicas.
  core::comparisons compared;

  static inline constexpr const char* name = "anti-entropy";

private:
  using group_and_peer = std::pair<uint32_t, core::member_index>;
  enum class reason : uint8_t { due, marks, client };

  /// A record on its way from one replica to the other.
  struct repair_row {
    uint64_t repair = 0;
    core::side stale = core::side::own;
    bool writing = false;
    uint32_t keyspace = 0;
    uint16_t slot = 0;
    std::string key;
    uint64_t bytes = 0;
    uint64_t asked_ms = 0;
  };
  /// This node's own exchange.
  struct running {
    uint64_t id = 0;
    core::member_index peer = 0;
    reason why = reason::due;
    tree_scope scope;
    std::vector<uint16_t> wanted;
    uint64_t began_ms = 0;
    uint64_t began_us = 0;
    /// Once the peer has agreed.
    std::optional<core::exchange> exchange;
    std::map<uint64_t, repair_row> repairs;
    uint64_t repair_bytes = 0;
    uint64_t sent = 0;
    uint64_t fetched = 0;
    uint64_t bytes = 0;
  };
  /// The exchange of a peer.
  struct session {
    uint64_t id = 0;
    tree_scope scope;
    uint64_t began_us = 0;
    uint64_t heard_ms = 0;
    uint32_t open = 0;
  };
  /// What a client asked for.
  struct command {
    uint64_t run = 0;
    uint64_t started_ms = 0;
    uint64_t ended_ms = 0;
    uint64_t polled_ms = 0;
    std::vector<group_and_peer> jobs;
    uint16_t first = 0;
    uint16_t last = 0;
    /// Of the jobs that are over.
    wire::RepairReply sums;
    uint64_t not_before_ms = 0;
    /// Since when the peer of the next job is busy; 0: it is not.
    uint64_t waits_since_ms = 0;
    bool done = false;
  };

  uint64_t now_ms() const;
  bool reachable(core::member_index m) const;
  /// Whether this node begins what is due between it and `m`: each node with
  /// half of the others, whatever their number.
  bool begins_with(core::member_index m) const;
  slot_list shared_with(const group_and_peer& x);
  void send(core::member_index to, frame_kind kind, std::string message);
  void publish(core::member_index m);

  // Our own exchange.
  void choose();
  void begin(const group_and_peer& x, reason why, std::vector<uint16_t> wanted);
  void begin_answered(const exchange_answer& in);
  void pump();
  void ask(core::exchange_ask x);
  void begin_repair(const core::exchange_repair& x);
  void ask_replica(core::side whom, replica_op op);
  void close_repair(std::map<uint64_t, repair_row>::iterator i, bool durable);
  void sweep_repairs();
  void note_equal();
  void tell_equal(const std::vector<uint16_t>& slots, bool over);
  void settle();
  void end(bool complete, errc why = errc::none);

  // Those of others (anti_entropy_serve.cpp).
  void take_ask(core::member_index from, const exchange_ask& in);
  void answer_begin(core::member_index from, const exchange_ask& in);
  void refuse(core::member_index to, const exchange_ask& in, errc code);
  void take_end(core::member_index from, const exchange_end& in);
  void sweep_sessions();

  // Marks and clients (anti_entropy_wishes.cpp).
  void read_marks();
  void take_marks(const std::vector<repair_mark>& marks);
  bool begin_marked();
  void forget_marks(const std::vector<uint16_t>& equal, uint64_t before_us);
  bool begin_commanded();
  void command_ended(const running& x, bool complete, errc why);
  void add_progress(const running& x, wire::RepairReply& out) const;
  void sweep_command();

  std::vector<exchange_link_actor> links_;
  std::map<uint32_t, std::shared_ptr<const core::slot_group>> groups_;
  std::map<group_and_peer, slot_list> shared_;
  std::map<group_and_peer, uint64_t> due_ms_;
  std::optional<running> running_;
  std::map<core::member_index, session> sessions_;
  std::map<group_and_peer, std::set<uint16_t>> marks_;
  std::map<group_and_peer, uint64_t> marks_due_ms_;
  uint64_t marks_read_ms_ = 0;
  std::optional<command> command_;
  std::set<core::member_index> other_trees_;
  core::token_bucket budget_{0, 0};
  std::mt19937_64 random_;
  uint64_t last_op_ = 0;
  uint64_t last_writes_ = 0;
  /// Records that repairs have written here: no sign of clients.
  uint64_t own_writes_ = 0;
};

/// Spawn with `sys.spawn(anti_entropy, config, node, collaborators)`; links
/// announce themselves with `peer_up`.
anti_entropy_actor::behavior_type
anti_entropy(loop_pointer<anti_entropy_actor, anti_entropy_state> self,
             const anti_entropy_config& config, const node_context_ptr& node,
             const anti_entropy_collaborators& collaborators);

} // namespace covey
