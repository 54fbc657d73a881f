// A node for actor tests: virtual time, a wall clock that the test sets, and
// played collaborators that keep what they are told.

#pragma once

#include "actors/node_context.hpp"
#include "tests/test.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace covey::test {

/// Who sent something; empty if nobody did.
using sender = caf::strong_actor_ptr;

/// Plays whoever asks replicas.
struct played_asker {
  replica_asker_actor handle;
  std::vector<replica_answer> answers;
  /// Who the answers came from, one entry a message.
  std::vector<core::member_index> froms;
};

/// Plays whoever asks coordinators.
struct played_client_asker {
  client_asker_actor handle;
  std::vector<client_answer> answers;
};

/// Plays a replica, or a link that stands for one.
struct played_replica {
  replica_actor handle;
  std::vector<replica_op> ops;
  /// Who asked last.
  replica_asker_actor from;
};

/// Plays a storage shard.
struct played_shard {
  storage_shard_actor handle;
  std::vector<replica_op> ops;
  replica_asker_actor from;
  std::vector<uint64_t> flushed;
  int renewals = 0;
  std::vector<core::dot> told;
  /// What it is asked about, and what it says.
  std::vector<core::incarnation> asked;
  std::vector<core::dot> known;
  int drains = 0;
  bool clean = true;
  /// Hints that it keeps, in the order of their rows; those that were handed
  /// over are removed.
  std::vector<hint_row> hints;
  /// Rows that it keeps for others, how often it was given some, and whether
  /// its disk takes them.
  std::map<std::string, std::string> rows;
  int saves = 0;
  bool saves_rows = true;
  /// Marks that it has, and those that it was told to forget.
  std::vector<repair_mark> marks;
  std::vector<repair_mark_removal> unmarked;
};

/// Plays the flusher: flushes only when the test says so.
struct played_flusher {
  struct wish {
    sender from;
    uint32_t shard;
    uint64_t sequence;
  };
  flusher_actor handle;
  std::vector<wish> wishes;
  /// How often its figures were asked for.
  uint32_t statuses = 0;
};

/// Plays a coordinator.
struct played_coordinator {
  coordinator_actor handle;
  std::vector<client_op> ops;
  client_asker_actor from;
  /// Members that were announced, as "+1" and "-1".
  std::vector<std::string> links;
  replica_actor link;
  int ticks = 0;
};

/// Plays the hint store.
struct played_hint_store {
  hint_store_actor handle;
  /// Members that were announced, as "+1" and "-1".
  std::vector<std::string> links;
};

/// Plays the epoch keeper: answers proposals with `outcome`.
struct played_epoch_keeper {
  epoch_keeper_actor handle;
  std::vector<gossip_frame> frames;
  /// Members that were announced, as "+1" and "-1".
  std::vector<std::string> links;
  std::vector<epoch_proposal> proposals;
  epoch_outcome outcome;
};

/// Plays anti-entropy.
struct played_anti_entropy {
  anti_entropy_actor handle;
  std::vector<exchange_frame> frames;
  std::vector<wire::RepairRequest> wishes;
  /// Members that were announced, as "+1" and "-1".
  std::vector<std::string> links;
  exchange_link_actor link;
};

/// Plays the link at the other end.
struct played_remote {
  peer_link_actor handle;
  struct burst {
    uint64_t session;
    uint64_t taken;
    std::string bytes;
  };
  std::vector<burst> bursts;
  std::vector<wire::PeerWelcome> welcomes;
};

/// Plays the supervisor of another node.
struct played_portal {
  supervisor_actor handle;
  std::vector<wire::PeerHello> hellos;
};

/// Plays a connector: gives `portal`, or an error if there is none.
struct played_connector {
  connector_actor handle;
  supervisor_actor portal;
  std::vector<std::string> dialled;
  /// Without a portal: why, or that dials are not answered at all.
  std::string why = "nobody is there";
  bool silent = false;
};

/// Plays the gossiper.
struct played_gossiper {
  gossiper_actor handle;
  std::vector<gossip_frame> frames;
  /// What links said of their members, as "+1 run 5", "-1", "1 refuses" and
  /// "1 does not refuse".
  std::vector<std::string> news;
  gossip_link_actor link;
};

/// Plays the knocker: says what `refuses` says.
struct played_knocker {
  knocker_actor handle;
  std::vector<std::string> knocks;
  bool refuses = true;
  /// Knocks are not answered at all.
  bool silent = false;
};

/// Plays a client of the gateway.
struct played_client {
  client_session_actor handle;
  std::vector<wire::ClientWelcome> welcomes;
  std::vector<std::string> bursts;
};

/// The members n1, n2 and n3; the keyspaces `default` (siblings, 3 replicas),
/// `lww` (3) and `pair` (2, so that some keys are not at home here).
struct node_fixture : fixture {
  node_fixture();
  ~node_fixture() override;

  /// A node as member `self`; replaces `node`. Before actors are spawned.
  void become(core::member_index self, uint32_t shards);

  played_asker& play_asker();
  played_client_asker& play_client_asker();
  played_replica& play_replica();
  played_shard& play_shard();
  played_flusher& play_flusher();
  played_coordinator& play_coordinator();
  played_hint_store& play_hint_store();
  played_epoch_keeper& play_epoch_keeper();
  played_anti_entropy& play_anti_entropy();
  played_remote& play_remote();
  played_portal& play_portal();
  played_connector& play_connector();
  played_gossiper& play_gossiper();
  played_knocker& play_knocker();
  played_client& play_client();

  /// Ended with the fixture, and its timers with it.
  template <class Handle>
  Handle keep(const Handle& handle) {
    kept.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }
  template <class Handle>
  void kill(const Handle& handle) {
    caf::anon_send_exit(handle, caf::exit_reason::kill);
    sched.run();
  }
  /// Sends as `from`, which the receiver may monitor, and runs.
  template <class From, class To, class... Ts>
  void send_as(const From& from, const To& to, Ts&&... xs) {
    queue_as(from, to, std::forward<Ts>(xs)...);
    sched.run();
  }
  /// The same, and runs nothing.
  template <class From, class To, class... Ts>
  void queue_as(const From& from, const To& to, Ts&&... xs) {
    caf::send_as(caf::actor_cast<caf::actor>(from),
                 caf::actor_cast<caf::actor>(to), std::forward<Ts>(xs)...);
  }
  /// Sends from nobody, and runs.
  template <class To, class... Ts>
  void tell(const To& to, Ts&&... xs) {
    caf::anon_send(caf::actor_cast<caf::actor>(to), std::forward<Ts>(xs)...);
    sched.run();
  }
  /// Lets both clocks run on, and everything that waits for them.
  void pass_ms(uint64_t ms);
  /// Answers wish number `i` of the flusher.
  void flush(const played_flusher& flusher, size_t i);

  /// The epoch after `view`, with a change; `view` becomes that of it.
  view_ptr next_view(const std::function<void(core::epoch&)>& change);
  static core::member make_member(const std::string& name);
  static core::keyspace make_keyspace(const std::string& name,
                                      uint32_t replicas);

  const core::placed_keyspace& keyspace(const std::string& name) const;
  core::preference_list homes_of(const std::string& ks,
                                 const std::string& key) const;
  /// The `n`-th key of the keyspace for which `wanted` is true.
  std::string
  key_where(const std::string& ks,
            const std::function<bool(const core::preference_list&)>& wanted,
            size_t n = 0) const;
  std::string key_at_home(const std::string& ks, size_t n = 0) const;
  std::string key_elsewhere(const std::string& ks, size_t n = 0) const;

  /// An operation as a coordinator sends it, with a deadline a second away.
  replica_op operation(replica_verb verb, const std::string& key,
                       const std::string& bytes = {},
                       const std::string& ks = "default");
  client_op request(client_verb verb, const std::string& key,
                    const std::string& value = {},
                    const std::string& ks = "default");

  uint64_t now_us = 1'700'000'000'000'000;
  std::shared_ptr<node_context> node;
  /// At first that of `node`.
  view_ptr view;
  std::vector<caf::actor> kept;

private:
  uint64_t last_id = 0;
  // Deques: what is played keeps its address.
  std::deque<played_asker> askers;
  std::deque<played_client_asker> client_askers;
  std::deque<played_replica> replicas;
  std::deque<played_shard> shards;
  std::deque<played_flusher> flushers;
  std::deque<played_coordinator> coordinators;
  std::deque<played_hint_store> hint_stores;
  std::deque<played_epoch_keeper> keepers;
  std::deque<played_anti_entropy> anti_entropies;
  std::deque<played_remote> remotes;
  std::deque<played_portal> portals;
  std::deque<played_connector> connectors;
  std::deque<played_gossiper> gossipers;
  std::deque<played_knocker> knockers;
  std::deque<played_client> clients;
};

} // namespace covey::test
