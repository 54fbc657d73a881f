// The hint store: hands over what this node keeps for members that were away.

#pragma once

#include "actors/node_context.hpp"
#include "core/backoff.hpp"
#include "core/token_bucket.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <vector>

namespace covey {

struct hint_store_config {
  /// To all members together, while clients ask for nothing, and beside them.
  uint64_t bytes_per_s = 32ull << 20;
  uint64_t busy_bytes_per_s = 4ull << 20;
  /// Of records on their way to one member.
  uint32_t page_bytes = 512 * 1024;
  /// The same beside requests, which wait while a page is read or written.
  uint32_t busy_page_bytes = 4 * 1024;
  /// Writes in a tick from which on the node counts as busy.
  uint64_t busy_writes_per_tick = 5;
  uint64_t patience_us = 10'000'000;
  uint64_t retry_min_ms = 200;
  uint64_t retry_max_ms = 5'000;
  /// Between two looks for hints that are too old.
  uint64_t sweep_ms = 60'000;
};

/// One page at a time goes to each member that can be reached. Its rows are
/// removed once the member has them on disk. After the last page of the last
/// shard it starts again with the first, while there is something left.
struct hint_store_state {
  explicit hint_store_state(hint_store_actor::pointer ptr) : self(ptr) {}

  void on_answers(replica_answers& answers);
  void up(core::member_index m, const replica_actor& link);
  void down(core::member_index m);
  void tick();
  void adopt(view_ptr next);

  hint_store_actor::pointer self;
  hint_store_config config;
  node_context_ptr node;
  view_ptr view;
  std::vector<storage_shard_actor> shards;
  /// What the gossiper believes; never null.
  liveness_ptr liveness = std::make_shared<core::liveness_view>();

  static inline constexpr const char* name = "hint-store";

private:
  struct row {
    std::string name;
    uint64_t version = 0;
    bool open = false;
    bool durable = false;
  };
  /// What is under way to one member.
  struct transfer {
    replica_actor link;
    /// Answers to earlier pages carry another number.
    uint32_t page = 0;
    bool reading = false;
    uint32_t shard = 0;
    std::string after;
    std::string next;
    std::vector<row> rows;
    size_t open = 0;
    /// Something of this round was not taken.
    bool failed = false;
    uint64_t started_ms = 0;
    /// When the page was sent.
    uint64_t sent_ms = 0;
    uint64_t handed_over = 0;
    uint64_t bytes = 0;
    core::backoff wait{0, 0};
    uint64_t not_before_ms = 0;
    uint64_t last_sweep_ms = 0;
  };

  uint64_t now_ms() const;
  bool may_go_on(core::member_index m) const;
  /// Reads the next page if there is one, and the budget allows.
  void go_on(core::member_index m);
  void ask_shard(core::member_index m, uint32_t max_bytes);
  void send_page(core::member_index m, hint_page& page);
  /// Forgets what is under way; what comes of it later is not looked at.
  void drop_page(core::member_index m);
  void give_up_late(core::member_index m);
  void page_done(core::member_index m);
  void next_page(core::member_index m);
  void end_round(core::member_index m);
  void sweep(core::member_index m);
  void sweep_shard(core::member_index m, uint32_t shard, std::string after);

  std::vector<transfer> transfers_;
  core::token_bucket budget_{0, 0};
  /// Clients ask for something.
  bool busy_ = false;
  uint64_t last_writes_ = 0;

  friend hint_store_actor::behavior_type
  hint_store(loop_pointer<hint_store_actor, hint_store_state>,
             const hint_store_config&, const node_context_ptr&,
             const std::vector<storage_shard_actor>&);
};

/// Spawn with `sys.spawn(hint_store, config, node, shards)`; links announce
/// themselves with `peer_up`.
hint_store_actor::behavior_type
hint_store(loop_pointer<hint_store_actor, hint_store_state> self,
           const hint_store_config& config, const node_context_ptr& node,
           const std::vector<storage_shard_actor>& shards);

} // namespace covey
