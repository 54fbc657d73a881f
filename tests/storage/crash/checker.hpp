// Compares a store that crashed with what its writers must have left.

#pragma once

#include "storage/data_directory.hpp"
#include "tests/storage/crash/workload.hpp"

#include <string>
#include <vector>

namespace covey::storage::crash {

/// What one look at the store found.
struct findings {
  /// Per shard, the last commit that is there.
  uint64_t last[shards] = {};
  /// Rows that are missing, too many, of another commit or damaged.
  uint64_t wrong_rows = 0;
  /// Rows of the system table that disagree with the shard's table.
  uint64_t wrong_mirrors = 0;
  bool opened = false;
};

/// Opens the store and compares every row with a replay of the commits 1 to
/// `last` of each shard: anything but a prefix of what was committed is wrong.
/// With `close_cleanly` false the process must end without destructors.
findings check_store(const directory_options& options, bool close_cleanly);

} // namespace covey::storage::crash
