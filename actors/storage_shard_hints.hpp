// The hints of one shard: rows in its store, and what they add up to.

#pragma once

#include "actors/node_context.hpp"
#include "core/dot.hpp"
#include "core/hint.hpp"
#include "core/record.hpp"
#include "core/uuid.hpp"
#include "messages/local.hpp"
#include "storage/engine.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace covey {

struct hint_table_config {
  uint32_t shard = 0;
  uint64_t seed = 0;
  /// Of keys and values, for one member, in all shards of the node.
  uint64_t max_bytes_per_target = 1ull << 30;
  uint64_t max_age_ms = 24ull * 3600 * 1000;
};

/// Where a hint belongs.
struct hint_place {
  core::uuid target;
  uint32_t group = 0;
  uint16_t slot = 0;
  uint32_t keyspace = 0;
  std::string_view key;
};

/// Uses the shard's session. Functions that write need an open transaction of
/// it, after which `committed` or `rolled_back` has to be called.
class hint_table {
public:
  /// What became of a hint.
  enum class outcome : uint8_t { stored, no_room };

  /// Loads what the rows add up to. False if the store cannot tell.
  bool load(storage::session& session, const hint_table_config& config,
            node_context_ptr node);

  /// Keeps `record` for a member, merged with what is kept already. With
  /// `marker` the record of this home's own table is meant, and `record` is
  /// empty. A marker that finds no room marks its slot instead.
  storage::status keep(storage::session& session, const hint_place& at,
                       std::string_view record, core::conflict_policy policy,
                       uint64_t version, outcome& out);
  /// Notes that `at.target` misses something of the slot, as of now.
  storage::status mark(storage::session& session, const hint_place& at);
  /// All marks, or the first of very many. Not in a transaction.
  repair_mark_list marks(storage::session& session) const;
  /// In a transaction of its own.
  void unmark(storage::session& session, const repair_mark_removal& what);

  /// The record parked for these members: what is kept for any of them, merged
  /// and encoded; empty if there is nothing.
  storage::status parked(storage::session& session, hint_place at,
                         const std::vector<core::uuid>& targets,
                         core::conflict_policy policy, std::string& out) const;
  /// A dot for a parked record: see `retire`.
  core::dot parking_dot();

  /// The record of a row together with that of the shard's own table: empty if
  /// neither has one, nothing if the store cannot tell.
  using record_source
    = std::function<std::optional<std::string>(const hint_row&)>;

  /// A page of rows, of about `max_bytes` with their records. Not in a
  /// transaction: drops what is too old in one of its own.
  hint_page page(storage::session& session, const hint_query& query,
                 const record_source& record_of);
  /// In a transaction of its own.
  void remove(storage::session& session, const hint_removal& what);

  void committed();
  void rolled_back();
  /// Writes the sums, if they have changed. The last call of a transaction.
  storage::status save(storage::session& session);

private:
  struct found_row {
    hint_row row;
    bool stored = false;
  };

  uint64_t bytes_for(const core::uuid& target) const;
  void add(const core::uuid& target, int64_t rows, int64_t bytes);
  void publish();
  /// The next few rows, without the records that they stand for.
  bool look(storage::session& session, const hint_query& query,
            std::vector<found_row>& rows, std::vector<std::string>& old,
            std::string& next) const;
  void drop(storage::session& session, const core::uuid& target,
            const std::vector<std::string>& rows);
  /// A parking incarnation goes on only as long as every record parked under it
  /// is here: what comes later must not claim what was handed over (traps.md
  /// 2).
  void retire() {
    parking_ = {};
  }

  hint_table_config config_;
  node_context_ptr node_;
  std::map<core::uuid, core::hint_total> totals_;
  uint64_t marks_ = 0;
  /// As of the last commit.
  std::map<core::uuid, core::hint_total> committed_;
  uint64_t committed_marks_ = 0;
  bool changed_ = false;
  uint64_t stored_ = 0;
  uint64_t dropped_ = 0;
  std::mt19937_64 random_;
  core::dot parking_;
};

} // namespace covey
