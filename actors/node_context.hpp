// What every actor of a node shares: its identity, its clock, its counters.

#pragma once

#include "core/answer_budget.hpp"
#include "core/check.hpp"
#include "core/cluster_view.hpp"

#include <spdlog/logger.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace covey {

/// Numbers that actors count up and the gateway reports. Relaxed: they order
/// nothing.
struct node_counters {
  std::atomic<uint64_t> puts{0};
  std::atomic<uint64_t> gets{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> inflight{0};
  /// How many may be.
  std::atomic<uint64_t> load_limit{0};
  std::atomic<uint64_t> repairs{0};
  /// Stored here, taken over by their targets, and given up for a limit.
  std::atomic<uint64_t> hints_stored{0};
  std::atomic<uint64_t> hints_replayed{0};
  std::atomic<uint64_t> hints_dropped{0};
  /// Repairs that nobody waited for and that were not made.
  std::atomic<uint64_t> repairs_dropped{0};
  /// Reads of one more home because those asked took longer than usual.
  std::atomic<uint64_t> extra_reads{0};
  /// Gets answered by the reads of another one.
  std::atomic<uint64_t> joined_gets{0};
  /// Records that were read because a digest differed.
  std::atomic<uint64_t> digest_misses{0};
  std::atomic<uint64_t> forwards{0};
  std::atomic<uint64_t> flushes{0};
  std::atomic<uint64_t> flushed_writes{0};
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> bursts_sent{0};
  std::atomic<uint64_t> frames_sent{0};
  std::atomic<uint64_t> clients{0};
  std::atomic<uint64_t> restarts{0};
  std::atomic<uint64_t> incarnations{0};
  /// The newest decided epoch.
  std::atomic<uint64_t> epoch_generation{0};
  std::atomic<uint64_t> epoch_number{0};
  std::atomic<uint64_t> filter_skips{0};
  /// Reads that found no room for their answer: in this node, towards a client,
  /// towards a peer.
  std::atomic<uint64_t> answers_refused{0};
  std::atomic<uint64_t> client_answers_refused{0};
  std::atomic<uint64_t> peer_answers_refused{0};
  /// Of the gossiper: what it has sent, and what core::membership counts.
  std::atomic<uint64_t> gossip_messages{0};
  std::atomic<uint64_t> gossip_bytes{0};
  std::atomic<uint64_t> gossip_refused{0};
  std::atomic<uint64_t> member_suspects{0};
  std::atomic<uint64_t> member_downs{0};
  std::atomic<uint64_t> accusations{0};
  std::atomic<uint64_t> refutations{0};
  std::atomic<uint64_t> pauses{0};
  /// Of anti-entropy: exchanges of this node's own that came to an end, records
  /// given to peers and got from them, bytes sent.
  std::atomic<uint64_t> exchanges{0};
  std::atomic<uint64_t> exchange_sent{0};
  std::atomic<uint64_t> exchange_fetched{0};
  std::atomic<uint64_t> exchange_bytes{0};
  /// Answers that came after their deadline.
  std::atomic<uint64_t> answers_late{0};
  /// Sessions ended because their answers were not taken.
  std::atomic<uint64_t> clients_dropped{0};
  /// Epochs that the node has gone on with.
  std::atomic<uint64_t> epochs_adopted{0};
  /// Operations refused because their slots' homes have changed, requests that
  /// were planned anew for that, and what had to wait for a newer epoch.
  std::atomic<uint64_t> stale_operations{0};
  std::atomic<uint64_t> replanned{0};
  std::atomic<uint64_t> waited_for_epoch{0};
};

/// What a node knows of a peer right now.
struct peer_gauge {
  std::atomic<bool> up{false};
  std::atomic<uint32_t> round_trip_us{0};
  /// Newest run met.
  std::atomic<uint64_t> run{0};
  // From gossip, also of this node: its newest heartbeat, how long ago that was
  // learnt, its requests in flight, the age of its oldest unflushed commit.
  std::atomic<uint64_t> heartbeat{0};
  std::atomic<uint64_t> heartbeat_age_ms{0};
  std::atomic<uint32_t> load{0};
  std::atomic<uint64_t> unflushed_ms{0};
  /// Whether it is a home of slots of ours, and when the oldest of the last
  /// complete equal comparisons of them began; 0: one was never made.
  std::atomic<bool> shares_slots{false};
  std::atomic<uint64_t> compared_us{0};
};

/// What the shards of a node keep for a member.
struct hint_gauge {
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};
};

/// The Merkle trees of a node's shards.
struct tree_gauge {
  /// Slots that cannot be compared until they were read.
  std::atomic<uint64_t> unready{0};
  /// Slots that would have to be read after an unclean stop.
  std::atomic<uint64_t> dirty{0};
  std::atomic<uint64_t> bytes{0};
};

/// What stays as long as the process does; shared by its actors. Immutable but
/// for the atomics and the newest view, which actors take when they start and
/// then by message.
struct node_context {
  /// Gauges have room for them: members are added while the node runs.
  static constexpr size_t max_members = core::max_members;

  /// Microseconds since 1970; injected, so that it can be skewed.
  std::function<uint64_t()> wall_us;
  std::shared_ptr<spdlog::logger> log;
  core::member_index self = 0;
  uint32_t shards = 1;
  uint64_t run = 0;
  uint64_t previous_run = 0;
  /// Binds context tokens to the cluster.
  uint64_t token_key = 0;
  /// Of the epoch that the configuration gives.
  uint64_t seed_hash = 0;
  /// Counts up when something shows that a later epoch exists than the node
  /// knows: whoever keeps epochs looks for it then.
  mutable std::atomic<uint64_t> epochs_missed{0};

  mutable node_counters counters;
  /// Answers of replicas and coordinators in memory; reads beyond are refused.
  std::shared_ptr<core::answer_budget> answers
    = std::make_shared<core::answer_budget>(256ull << 20);
  /// Answers sent to clients and not taken.
  std::shared_ptr<core::answer_budget> answers_under_way
    = std::make_shared<core::answer_budget>(256ull << 20);
  /// Writes are refused here; other homes may take them.
  mutable std::atomic<bool> disk_full{false};
  /// The disk lacks data that it once held: no reads are answered.
  mutable std::atomic<bool> disk_lost{false};
  /// It is being given what it missed; others are told by gossip.
  mutable std::atomic<bool> catching_up{false};
  /// Remembers that beyond this run; may be empty.
  std::function<void(const std::string& why)> on_disk_lost;
  mutable std::vector<peer_gauge> peers;
  mutable std::vector<hint_gauge> hints;
  /// Slots of which a member misses something that no hint tells.
  mutable std::atomic<uint64_t> repair_marks{0};
  mutable tree_gauge trees;
  /// Incarnation of each shard.
  mutable std::vector<std::atomic<uint64_t>> incarnations;
  /// When each shard committed what it has longest not on its disk; 0: nothing.
  mutable std::vector<std::atomic<uint64_t>> unflushed_since_us;

  node_context(std::shared_ptr<const core::cluster_view> first,
               core::member_index me, uint32_t shards_)
    : self(me), shards(shards_), peers(max_members), hints(max_members),
      incarnations(shards_), unflushed_since_us(shards_), me_(first->at(me)),
      newest_(std::move(first)) {
    COVEY_CHECK(newest_->members() <= max_members);
  }

  /// As of the first view; a name, an id and a data centre never change.
  const core::member& me() const {
    return me_;
  }
  /// Of any thread. On the data path, actors use the view that they hold.
  std::shared_ptr<const core::cluster_view> newest_view() const {
    return std::atomic_load(&newest_);
  }
  /// Called by one thread at a time, with views of ever later epochs.
  void replace_view(std::shared_ptr<const core::cluster_view> next) const {
    std::atomic_store(&newest_, std::move(next));
  }
  /// Nothing if `id` is of no member.
  std::optional<core::member_index> member_of(const core::uuid& id) const {
    return newest_view()->member_of(id);
  }

private:
  core::member me_;
  mutable std::shared_ptr<const core::cluster_view> newest_;
};

using node_context_ptr = std::shared_ptr<const node_context>;

} // namespace covey
