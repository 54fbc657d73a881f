// A node's data directory: the lock, the engine, and the marks that agree.

#pragma once

#include "core/uuid.hpp"
#include "storage/engine.hpp"
#include "storage/marker_file.hpp"
#include "storage/wiredtiger_engine.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace covey::storage {

struct directory_options {
  wiredtiger_options engine;
  /// Whose data this must be.
  core::uuid member;
  /// Seconds since 1970, for the run.
  uint64_t now_s = 0;
  /// Keyspaces of this node: name, and canonical text of the replication.
  std::map<std::string, std::string> keyspaces;
};

/// An opened data directory. Runs are max(previous + 1, now); the new run is on
/// disk, inside and outside the engine, when `open` returns.
class data_directory {
public:
  /// Creates the directory if it is missing. Nothing but a one-line `error`
  /// (what, why, what to do) if it is in use, belongs to another member, or if
  /// the marks show that acknowledged writes are missing from the engine.
  static std::unique_ptr<data_directory> open(const directory_options& options,
                                              std::string& error);
  ~data_directory();

  storage::engine& engine();
  uint64_t run() const;
  /// Run of the process before this one; zero for a new directory.
  uint64_t previous_run() const;

  /// Notes outside the engine that the commits of each shard up to
  /// `sequences[shard]` are flushed. Called by the flusher after each flush;
  /// synced at most once a second (`now_ms` is any monotonic clock).
  void note_flushed(const std::vector<uint64_t>& sequences, uint64_t now_ms);

  /// Last checkpoint, marks synced, engine closed, lock released. All sessions
  /// must be gone.
  void close();

private:
  struct impl;
  explicit data_directory(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace covey::storage
