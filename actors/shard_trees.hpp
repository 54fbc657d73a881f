// The Merkle trees of one shard: a tree for each slot of each replication
// group, kept up to date by every write.

#pragma once

#include "actors/node_context.hpp"
#include "core/merkle_tree.hpp"
#include "core/record.hpp"
#include "messages/trees.hpp"
#include "storage/engine.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey {

struct shard_trees_config {
  uint32_t shard = 0;
  /// Without them no write pays for trees, and no query is answered `ready`.
  bool enabled = true;
  /// Read from the store per call of `read_some`, about.
  size_t rows_per_tick = 2048;
  size_t bytes_per_tick = 2 << 20;
};

/// A slot has a row in the store: its tree as a clean stop saved it, or that
/// the slot is dirty. The first write to a slot after a save puts the dirty row
/// in the saved tree's place, in its own transaction; so whatever part of the
/// log survives, a saved tree that is found there is that of the records beside
/// it. A slot without a row has no records. Dirty slots are read anew after a
/// start that finds them; until then they are not ready.
///
/// Uses the shard's session. `changed` needs an open transaction of it, after
/// which `committed` or `rolled_back` has to be called; the other functions
/// must not be called in between.
class shard_trees {
public:
  /// Loads what was saved. False if the store cannot tell.
  bool load(storage::session& session, const shard_trees_config& config,
            node_context_ptr node);

  /// `changed` may come for this key: fetches what it will need.
  void expect(std::string_view key) const;
  /// The record of `key` is `r` from this transaction on; it was of version
  /// `old`, or there was none.
  storage::status changed(storage::session& session, std::string_view key,
                          std::optional<uint64_t> old, const core::record& r);
  void committed();
  void rolled_back();
  /// Saves all trees that are ready, in the caller's transaction, which is the
  /// shard's last.
  storage::status save(storage::session& session);

  /// Reads some records of slots that have to be read anew.
  void read_some(storage::session& session);

  roots_page roots(const roots_query& query) const;
  leaves_page leaves(const leaves_query& query) const;

private:
  // DO NOT REORDER: the first byte of a slot's row (docs/format/trees.md).
  static constexpr char dirty_row = 0;
  static constexpr char saved_row = 1;

  /// A line of the processor's cache: every write touches another one.
  struct alignas(64) slot_tree {
    core::merkle_tree tree;
    /// The tree tells of all records.
    bool ready = true;
    /// The row in the store says so.
    bool dirty = false;
    /// It will, if the transaction commits.
    bool marked = false;
    /// To be read anew: not ready, or outgrown.
    bool queued = false;
  };
  struct group_trees {
    uint32_t group = 0;
    /// By slot, from the first one of the shard.
    std::vector<slot_tree*> slots;
  };
  struct place {
    uint32_t group = 0;
    uint16_t slot = 0;
  };
  /// A slot that is being read anew. Writes to what was read already count
  /// here, and those further on will be read.
  struct reading {
    place at;
    slot_tree* slot = nullptr;
    core::merkle_tree tree;
    /// The last key read; empty before the first.
    std::string position;
  };
  struct change {
    place at;
    slot_tree* slot = nullptr;
    uint64_t key_hash = 0;
    std::optional<uint64_t> old;
    uint64_t version = 0;
    /// The slot is being read, and this key was.
    bool was_read = false;
  };
  struct totals {
    uint64_t unready = 0;
    uint64_t dirty = 0;
    uint64_t bytes = 0;
  };

  bool load_rows(storage::session& session);
  bool begin_anew(storage::session& session);
  bool forget(storage::session& session);
  bool is_mine(uint32_t slot) const {
    return slot >= first_ && slot < end_;
  }
  const slot_tree* find(uint32_t group, uint16_t slot) const;
  slot_tree& make(const place& at);
  void set_dirty(const place& at);
  void enqueue(const place& at, slot_tree& slot);
  void set_tree(slot_tree& slot, core::merkle_tree tree);
  void read_next(storage::session& session, size_t& rows, size_t& bytes);
  void finish_reading();
  void publish();

  shard_trees_config config_;
  node_context_ptr node_;
  /// The shard's slots: from `first_`, before `end_`.
  uint32_t first_ = 0;
  uint32_t end_ = 0;
  std::vector<group_trees> groups_;
  /// Of all groups; they keep their addresses.
  std::deque<slot_tree> slots_;
  /// Of the open transaction.
  std::vector<change> changes_;
  std::vector<slot_tree*> marked_;
  std::deque<place> queue_;
  std::optional<reading> reading_;
  totals totals_;
  totals published_;
};

} // namespace covey
