// The storage shard: the only place where versions meet, and the only actor
// that touches the records of its slots.

#pragma once

#include "actors/grouped.hpp"
#include "actors/node_context.hpp"
#include "actors/planted_bug.hpp"
#include "actors/shard_identity.hpp"
#include "actors/shard_trees.hpp"
#include "actors/storage_shard_hints.hpp"
#include "core/bloom_filter.hpp"
#include "core/hybrid_clock.hpp"
#include "core/record.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"
#include "storage/engine.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace covey {

struct storage_shard_config {
  uint32_t shard = 0;
  /// Outlives the actor.
  storage::engine* engine = nullptr;
  /// Operations in one transaction at most.
  size_t max_batch = 1024;
  /// Bytes of records read in one turn, about; the other reads wait until the
  /// answers were taken further.
  size_t read_bytes_per_turn = 4 << 20;
  uint32_t max_siblings = 64;
  /// Records committed and not on disk yet; beyond it writes are refused.
  uint64_t max_unflushed_bytes = 256ull << 20;
  uint64_t max_drift_us = 60'000'000;
  /// Of hints for one member in all shards, and how old they may get.
  uint64_t hint_bytes = 1ull << 30;
  uint64_t hint_age_ms = 24ull * 3600 * 1000;
  /// Source of incarnations.
  uint64_t seed = 0;
  /// Rows added to the Bloom filter per tick while it is rebuilt.
  size_t filter_rows_per_tick = 20'000;
  /// False: no Merkle trees, to measure what they cost. Anti-entropy then finds
  /// no slot ready; the next start with trees reads all records.
  bool trees = true;
  /// Records per tick, for slots whose trees are read anew.
  size_t tree_rows_per_tick = 2048;
  planted_bug planted = planted_bug::none;
};

using answer_groups = grouped<replica_asker_actor, replica_answer>;

struct storage_shard_state {
  explicit storage_shard_state(storage_shard_actor::pointer ptr) : self(ptr) {}

  /// Loads what the shard remembers; ends the process when it cannot.
  void start(storage_shard_config cfg, node_context_ptr ctx, flusher_actor f);
  /// Gives no more dots of this incarnation: somebody knows more of them.
  void renew(const char* why);
  /// Applies everything queued as one transaction, then answers.
  void run_batch();
  void flushed(uint64_t up_to);
  void tick();
  /// Saves filter and mark. False if the disk refused; the mark is not set
  /// then.
  bool drain();
  /// Highest counter met under `inc`, zero if none.
  uint64_t counter_of(core::incarnation inc) const;
  hint_page read_hints(const hint_query& query);
  void forget_hints(const hint_removal& what);
  // storage_shard_rows.cpp
  caf::result<kept_rows> read_rows(const kept_rows_query& query);
  /// True once they are on disk.
  bool keep_rows(const kept_rows& rows);
  repair_mark_list read_marks();
  void forget_marks(const repair_mark_removal& what);
  // storage_shard_trees.cpp
  caf::typed_response_promise<roots_page> tell_roots(const roots_query& query);
  caf::typed_response_promise<leaves_page>
  tell_leaves(const leaves_query& query);
  caf::typed_response_promise<versions_page>
  tell_versions(const versions_query& query);

  storage_shard_actor::pointer self;
  storage_shard_config config;
  node_context_ptr node;
  view_ptr view;
  flusher_actor flusher;
  std::unique_ptr<storage::session> session;
  shard_identity identity;
  core::hybrid_clock clock{0};
  std::vector<replica_ops> queue;
  size_t queued = 0;
  /// Highest counters met under incarnations of other shards.
  std::map<core::incarnation, uint64_t> seen_of_others;
  bool armed = false;
  bool drained = false;
  bool clean = false;

  static inline constexpr const char* name = "storage-shard";
  static constexpr size_t max_seen_of_others = 1024;
  /// Answers to anti-entropy that wait for a flush.
  static constexpr size_t max_pages = 4096;

private:
  struct asked {
    replica_asker_actor from;
    replica_op op;
  };
  struct waiting {
    uint64_t sequence;
    uint64_t deadline_us;
    replica_asker_actor to;
    replica_answer answer;
  };
  /// The commits of one turn that are not on disk.
  struct unflushed_turn {
    uint64_t sequence;
    uint64_t committed_us;
  };
  struct written {
    uint64_t sequence;
    uint64_t key_hash;
    size_t bytes;
  };

  struct waiting_page {
    uint64_t sequence;
    std::function<void()> deliver;
  };

  storage::table_id table() const {
    return config.shard;
  }
  void send_answers(answer_groups& now);
  /// Has the flusher cover what was committed.
  void ask_flush();
  void write_all(std::vector<asked>& batch, answer_groups& now);
  storage::status put(const asked& x, uint64_t now_us, replica_answer& early,
                      replica_answer& late);
  storage::status merge(const asked& x, replica_answer& late);
  // storage_shard_keep.cpp
  storage::status keep_hint(const asked& x, replica_answer& late);
  storage::status mark_slot(const asked& x, replica_answer& late);
  /// The record that a put is applied to; `bytes` holds what `r` points to.
  storage::status base_of(const asked& x, const std::string& key,
                          std::string& bytes, core::record& r);
  /// Stores what a put has made, and the hints that are part of it.
  storage::status store_put(const asked& x, const std::string& key,
                            std::optional<uint64_t> old, const core::record& r,
                            replica_answer& late);
  storage::status keep_absent(const replica_op& op);
  static hint_place place_of(const core::placed_keyspace& ks,
                             const replica_op& op, const core::uuid& target);
  /// `old` is the version_hash of the record that `r` replaces, if there is
  /// one.
  storage::status store(const std::string& key, std::optional<uint64_t> old,
                        const core::record& r);
  /// For `store`: of the record `r` that `stored` was decoded to, if any.
  std::optional<uint64_t> version_of(std::string_view stored,
                                     const core::record& r) const;
  storage::status load(const std::string& key, std::string_view& bytes);
  /// As many of those that wait as a turn allows.
  void read_some(answer_groups& now);
  void read(const asked& x, answer_groups& now);
  void scan(const asked& x, answer_groups& now);
  /// False, and `x` refused, if the node has no memory for `bytes` of answer.
  bool has_room(const asked& x, size_t bytes, answer_groups& now) const;
  /// Sends `answer` to `x` once the last commit of `key_hash` is on disk.
  void answer_flushed(uint64_t key_hash, const asked& x, replica_answer answer,
                      answer_groups& now);
  const core::placed_keyspace* keyspace_of(const replica_op& op) const;
  static std::string key_of(const core::placed_keyspace& ks,
                            const replica_op& op);
  void note_counters(const core::record& incoming);
  void extend_filter();
  bool load_filter();
  template <class Page>
  caf::typed_response_promise<Page> after_flush(Page page);
  /// False: they are answered as if no slot was ready.
  bool answers_trees() const;
  void release_pages();

  uint64_t sequence_ = 0;
  uint64_t flush_asked_ = 0;
  /// Everything up to this sequence is on disk.
  uint64_t flushed_ = 0;
  std::deque<unflushed_turn> unflushed_commits_;
  /// Reads that wait for their turn.
  std::deque<asked> reads_;
  /// Of records and pages answered in this turn.
  size_t read_bytes_ = 0;
  std::deque<waiting> waiting_;
  /// Last commit of each key written since the last flush.
  std::unordered_map<uint64_t, uint64_t> unflushed_;
  std::deque<written> written_;
  hint_table hints_;
  shard_trees trees_;
  std::deque<waiting_page> pages_;
  core::bloom_filter filter_;
  bool filter_ready_ = false;
  std::string filter_position_;
  uint64_t unflushed_bytes_ = 0;
  bool disk_full_ = false;
  bool forgot_ = false;
  /// Logged once, until a batch succeeds.
  storage::status last_refusal_ = storage::status::ok;
  uint64_t ticks_ = 0;
  std::string scratch_;
};

/// Spawn with `sys.spawn(storage_shard, config, node, flusher)`.
storage_shard_actor::behavior_type
storage_shard(loop_pointer<storage_shard_actor, storage_shard_state> self,
              const storage_shard_config& config, const node_context_ptr& node,
              const flusher_actor& flusher);

} // namespace covey
