// Records: what a replica stores for one key, and how versions meet.

#pragma once

#include "core/context.hpp"
#include "core/request_id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey::core {

/// DO NOT REORDER: stored with keyspaces.
enum class conflict_policy : uint8_t {
  /// Concurrent writes are all kept until a client resolves them.
  siblings = 0,
  /// The write with the highest (stamp, dot) is kept.
  lww = 1,
};

/// One value of a key. `value` points into the bytes that the record was
/// decoded from, or into the request that writes it.
struct sibling {
  dot id;
  /// Hybrid clock at assignment, microseconds since 1970.
  uint64_t stamp = 0;
  /// Absolute expiry in milliseconds since 1970; zero means never.
  uint64_t expires_at_ms = 0;
  request_id request;
  bool tombstone = false;
  std::string_view value;
};

/// A request that this record has executed under one dot, so that a retry finds
/// it. A request that two shards executed has an entry for each of its dots.
struct executed_request {
  request_id request;
  dot id;
  /// The stamp that went with `id`.
  uint64_t stamp = 0;
  /// True once a write whose context covered the request has replaced it.
  bool superseded = false;
};

/// What a replica stores for one key.
struct record {
  /// Every dot of this key that this record has taken in, alive or replaced.
  /// Covers the dot of every sibling.
  context seen;
  /// The values alive, sorted by dot.
  std::vector<sibling> siblings;
  /// The newest requests executed, sorted newest (stamp, dot) first; at most
  /// `max_executed`.
  std::vector<executed_request> executed;

  /// DO NOT RAISE without a new format: merge takes fewer entries as proof that
  /// none was dropped.
  static constexpr size_t max_executed = 8;
  /// Single dots kept in `seen` besides those of siblings; beyond it the
  /// smallest go, at the price of a false sibling, never of a loss.
  static constexpr size_t max_singles = 16;

  bool empty() const {
    return seen.empty() && siblings.empty();
  }
  /// Highest stamp of any sibling; zero if there is none.
  uint64_t highest_stamp() const;
};

/// One write as its coordinating shard applies it.
struct write {
  /// What the writer had seen.
  context seen;
  /// Fresh dot and stamp, value, tombstone flag, expiry and request id.
  sibling fresh;
};

/// Finds a request that `r` has executed already, under the smallest dot known.
/// The caller then answers the retry from it and applies nothing.
std::optional<executed_request> find_executed(const record& r,
                                              const request_id& id);

/// Applies `w` to `r`: drops the siblings that `w.seen` covers (all of them
/// under lww when the fresh stamp wins) and adds the fresh one.
/// Requires a fresh dot that neither `r` nor `w.seen` covers (else the shard
/// has forgotten dots and needs a new incarnation) and a request id unknown to
/// `r`.
void apply(record& r, const write& w, conflict_policy policy);

/// Joins two records of one key: keeps what both have and what either has that
/// the other has not seen; collapses siblings of one request; under lww keeps
/// the highest (stamp, dot) alone. Idempotent, commutative, associative (up to
/// the bounds above; docs/design/versions.md). Views in the result point where
/// the arguments' views point.
record merge(const record& x, const record& y, conflict_policy policy);

/// True if both hold the same versions: what digests and leaves compare. The
/// memory of executed requests does not count.
bool same_version(const record& x, const record& y);

/// Hash of the canonical version: equal for records of `same_version`, however
/// they were encoded. Frozen; another function gets another number.
inline constexpr uint32_t version_hash_number = 1;
uint64_t version_hash(const record& r);

/// Leaves of a record what tells which of two is stale: values, request ids and
/// executed requests go. Of two stripped records `merge` and `same_version`
/// call none stale that is not, and of two that differ at least one; a sibling
/// that only the memory of requests removes may take one exchange more. The
/// result is to be compared, never stored.
void strip_values(record& r);

/// Drops entries of `seen` for incarnations in `retired` that no sibling uses,
/// oldest entries of that list first, until at most `limit` entries remain.
/// Never touches an incarnation that is not in `retired` (traps.md 4).
void bound_clock(record& r, const std::vector<incarnation>& retired,
                 size_t limit);

/// Bytes of a record, format 1 (docs/format/record.md). Appends to `out`.
void encode(const record& r, std::string& out);

/// Decodes bytes of `encode`; nothing for malformed bytes or a newer format.
/// Views of the result point into `bytes`.
std::optional<record> decode_record(std::string_view bytes);

} // namespace covey::core
