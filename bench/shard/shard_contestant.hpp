// Contestant 1: a storage shard and its flusher, as actors of a real system.

#pragma once

#include "bench/shard/contest.hpp"

#include <memory>

namespace covey::bench {

class shard_contestant {
public:
  struct settings {
    /// Gives the shard a thread of its own; else it shares the only scheduler
    /// thread with the driver, as in a node.
    bool detached = false;
    /// Keeps Merkle trees, as in a node.
    bool trees = true;
  };

  /// On a new store in `store.directory`; ends the process if it cannot be
  /// used.
  shard_contestant(const contest& what,
                   const storage::wiredtiger_options& store,
                   const settings& how);
  ~shard_contestant();

  /// Puts every key once, then every key `rounds - 1` times more.
  void fill(uint32_t rounds);
  /// Durable puts with `in_flight` of them under way: each one that
  /// is on disk is replaced by the next.
  result run(std::chrono::milliseconds duration);
  /// Bytes of a stored record.
  size_t record_size();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace covey::bench
