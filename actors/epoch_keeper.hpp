// The epoch keeper: decides epochs with its like on the other nodes, and keeps
// the newest one.

#pragma once

#include "actors/node_context.hpp"
#include "core/paxos.hpp"
#include "messages/epoch_frames.hpp"
#include "messages/handles.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace covey {

struct epoch_keeper_config {
  core::proposer_config rounds;
  /// Between two words to peers about the newest epoch, one peer at a time.
  uint64_t word_ms = 1000;
  /// A value that was accepted here and not decided for this long is completed.
  uint64_t complete_ms = 5000;
  /// Rows are read again, and saved again, after a failure.
  uint64_t retry_ms = 1000;
  /// Proposals of clients that may wait.
  size_t max_waiting = 256;
  uint64_t default_timeout_us = 5'000'000;
  /// Names this life of the actor, with the run of the process.
  uint64_t seed = 0;
};

/// Acceptor, proposer and learner of one node (core/paxos.hpp), and what they
/// need of disk, time and peers. States: loading, then ready; while a decided
/// epoch is being saved it is neither told nor gone by.
struct epoch_keeper_state {
  using promise = caf::typed_response_promise<epoch_outcome>;

  explicit epoch_keeper_state(epoch_keeper_actor::pointer ptr) : self(ptr) {}

  void start(const epoch_keeper_config& cfg, const node_context_ptr& ctx);
  void take(const gossip_frame& in);
  void connected(core::member_index m, const gossip_link_actor& link);
  void disconnected(core::member_index m);
  promise propose(epoch_proposal& what);
  void add_sink(const epoch_sink_actor& sink);
  void tick();

  epoch_keeper_actor::pointer self;
  epoch_keeper_config config;
  node_context_ptr node;
  row_keeper_actor rows;
  /// Decided, and on disk here.
  epoch_ptr newest;
  std::vector<epoch_sink_actor> sinks;

  static inline constexpr const char* name = "epoch-keeper";
  static constexpr const char* epoch_name = "epoch";
  static constexpr const char* vote_name = "vote";

private:
  struct waiting {
    epoch_proposal what;
    promise done;
    /// The epoch that it was last proposed on top of, and as.
    epoch_ptr before;
    std::string bytes;
    /// It may be chosen yet, or was.
    bool offered = false;
  };

  uint64_t now_ms() const;
  core::epoch_id next_id() const;
  bool may_vote() const;
  std::vector<core::uuid> voters() const;
  size_t reachable_voters() const;
  void load();
  void loaded(const kept_rows& found);
  /// An epoch that may follow the newest, if `bytes` are one.
  std::optional<core::epoch> successor(std::string_view bytes,
                                       const char* what) const;
  // Voting.
  void on_paxos(core::member_index from, const core::paxos_message& in);
  void vote(core::member_index from, const core::paxos_message& in);
  /// Sends what the proposer has to say, and sees whether it is done.
  void pump();
  void send(core::member_index to, const core::paxos_message& what);
  void send(core::member_index to, frame_kind kind, std::string message);
  void send_word(core::member_index to, bool with_epoch);
  // Deciding.
  void on_word(core::member_index from, const epoch_word& in);
  void decided(core::epoch next);
  void save_decided();
  void adopt();
  void publish(const epoch_sink_actor& sink) const;
  // Proposals.
  core::proposer& current_proposer();
  void work_queue();
  void answer_front(epoch_outcome outcome);
  void note_offered();
  void expire_proposals();

  bool ready_ = false;
  bool asking_rows_ = false;
  uint64_t retry_at_ms_ = 0;
  uint64_t life_ = 0;
  core::acceptor acceptor_;
  std::optional<core::proposer> proposer_;
  /// Decided, and on its way to the disk.
  epoch_ptr saving_;
  bool asking_save_ = false;
  std::deque<waiting> queue_;
  /// By member; null while down.
  std::vector<gossip_link_actor> links_;
  uint64_t next_word_ms_ = 0;
  size_t last_word_to_ = 0;
  uint64_t missed_ = 0;
  /// Since when a value is accepted here; 0: none is.
  uint64_t open_since_ms_ = 0;
};

/// Spawn with `sys.spawn(epoch_keeper, config, node, shard0)`; links announce
/// themselves with `peer_up`.
epoch_keeper_actor::behavior_type
epoch_keeper(epoch_keeper_actor::stateful_pointer<epoch_keeper_state> self,
             const epoch_keeper_config& config, const node_context_ptr& node,
             const row_keeper_actor& rows);

} // namespace covey
