// Contestant 2, the yardstick: a plain loop over WiredTiger's C API.

#pragma once

#include "bench/shard/contest.hpp"

#include <memory>

namespace covey::bench {

/// Reads and overwrites rows in groups of `in_flight`: one transaction and one
/// flush a group, with a row of the system table in it, on a store of the same
/// configuration as the shard's. Any error ends the process.
class plain_contestant {
public:
  /// On a new store in `store.directory`; rows are of `row_size` bytes.
  plain_contestant(const contest& what,
                   const storage::wiredtiger_options& store, size_t row_size);
  ~plain_contestant();

  /// Writes every row once.
  void fill();
  /// Writes group after group for so long.
  result run(std::chrono::milliseconds duration);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace covey::bench
