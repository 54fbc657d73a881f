#include "actors/shard_versions.hpp"

#include "core/merkle_tree.hpp"
#include "core/record.hpp"
#include "core/slot.hpp"
#include "storage/layout.hpp"

#include <algorithm>

namespace covey {

namespace {

bool is_wanted(const versions_query& query, uint64_t key_hash) {
  if (!query.keys.empty())
    return std::binary_search(query.keys.begin(), query.keys.end(), key_hash);
  return std::binary_search(query.leaves.begin(), query.leaves.end(),
                            core::leaf_of(key_hash, query.depth));
}

/// Appends what `query` wants to know of a record; false if it cannot be
/// decoded. Adds what that takes to `bytes`.
bool append(const versions_query& query, uint64_t key_hash,
            std::string_view key, std::string_view value,
            std::vector<key_version>& out, size_t& bytes) {
  auto r = core::decode_record(value);
  if (!r)
    return false;
  key_version x;
  x.key_hash = key_hash;
  x.version_hash = core::version_hash(*r);
  if (!query.keys.empty()) {
    storage::record_position at;
    storage::parse_record_key(key, at);
    x.keyspace = at.keyspace;
    x.key.assign(at.key);
    core::strip_values(*r);
    core::encode(*r, x.version);
  }
  bytes += sizeof(x) + x.key.size() + x.version.size();
  out.push_back(std::move(x));
  return true;
}

} // namespace

versions_page read_versions(storage::session& session, storage::table_id table,
                            const versions_query& query) {
  versions_page result;
  if (query.depth > core::merkle_tree::max_depth
      || query.slot >= core::slot_count)
    return result;
  auto begin = storage::slot_begin(query.group, query.slot);
  auto from = begin + query.after;
  if (!query.after.empty())
    from.push_back('\0');
  size_t rows = 0;
  size_t read = 0;
  size_t bytes = 0;
  std::string last;
  auto more = false;
  auto damaged = false;
  auto visit = [&](std::string_view key, std::string_view value) {
    auto full = rows == max_version_rows || read >= max_version_read_bytes
                || bytes >= max_version_bytes;
    if (full) {
      more = true;
      return false;
    }
    ++rows;
    read += value.size();
    auto name = storage::named_part(key);
    last.assign(name);
    auto key_hash = core::tree_key_hash(name);
    if (!is_wanted(query, key_hash))
      return true;
    damaged = !append(query, key_hash, key, value, result.keys, bytes);
    return !damaged;
  };
  auto found = session.scan(
    table, from, storage::slot_begin(query.group, query.slot + 1u), visit);
  if (found != storage::status::ok || damaged)
    return {};
  result.ok = true;
  if (more)
    result.next = std::move(last);
  return result;
}

} // namespace covey
