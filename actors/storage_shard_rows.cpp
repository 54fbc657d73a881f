// Rows of the system table that the storage shard keeps for other actors.

#include "actors/storage_shard.hpp"
#include "core/bytes.hpp"
#include "storage/layout.hpp"

namespace covey {

using storage::status;

caf::result<kept_rows>
storage_shard_state::read_rows(const kept_rows_query& query) {
  kept_rows out;
  for (const auto& row : query.names) {
    std::string_view bytes;
    auto found
      = session->get(storage::system_table, storage::kept_row(row), bytes);
    if (found == status::ok)
      out.rows.emplace_back(row, bytes);
    else if (found != status::not_found)
      return caf::make_error(errc::storage_failed);
  }
  return out;
}

bool storage_shard_state::keep_rows(const kept_rows& rows) {
  if (drained)
    return false;
  auto result = session->begin();
  if (result != status::ok)
    return false;
  for (const auto& [row, bytes] : rows.rows)
    if (result == status::ok)
      result
        = session->put(storage::system_table, storage::kept_row(row), bytes);
  // Counted like any commit, so that a log that lost its end is noticed.
  std::string count;
  core::byte_writer{count}.u64(sequence_ + 1);
  if (result == status::ok)
    result = session->put(storage::system_table,
                          storage::sequence_row(config.shard), count);
  if (result != status::ok) {
    session->rollback();
    return false;
  }
  if (session->commit() != status::ok)
    return false;
  ++sequence_;
  // Rare, and never weaker than promised: what is kept here are votes. With
  // periodic durability a flush does not reach the disk.
  if (!config.engine->flush())
    config.engine->checkpoint();
  ask_flush();
  return true;
}

} // namespace covey
