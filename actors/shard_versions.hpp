// Pages of keys and versions, for an exchange that has found leaves to differ.

#pragma once

#include "messages/trees.hpp"
#include "storage/engine.hpp"

namespace covey {

/// Rows, and bytes of records, read for one page at most, about; and bytes of
/// keys and versions in it.
inline constexpr size_t max_version_rows = 1024;
inline constexpr size_t max_version_read_bytes = 1 << 20;
inline constexpr size_t max_version_bytes = 256 << 10;

/// Reads the next page of a slot. Not `ok` if the store fails, if a wanted
/// record cannot be decoded (it is there, in whatever version), or if the query
/// makes no sense. With `query.keys` the leaves do not matter.
versions_page read_versions(storage::session& session, storage::table_id table,
                            const versions_query& query);

} // namespace covey
