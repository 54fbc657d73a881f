// The engine on WiredTiger: the only file pair that knows its API.

#pragma once

#include "storage/engine.hpp"

#include <functional>
#include <memory>
#include <string>

namespace covey::storage {

enum class table_type : uint8_t { btree, lsm };
enum class compression : uint8_t { none, snappy, zlib };

struct wiredtiger_options {
  std::string directory;
  uint32_t shards = 1;
  uint64_t cache_mb = 256;
  table_type type = table_type::btree;
  compression compressor = compression::none;
  /// Page size of leaves; `compression` needs 8 or more to gain anything.
  uint32_t leaf_page_kb = 4;
  uint64_t checkpoint_log_mb = 128;
  uint32_t checkpoint_interval_s = 30;
  uint64_t log_file_mb = 64;
  /// Writes are refused when less than this is free on the file system.
  uint64_t min_free_mb = 512;
  /// False makes `flush` write the log without fsync, except once a second:
  /// what it covers survives the death of the process, but the death of the
  /// machine costs up to the last second.
  bool fsync = true;
  /// What the engine has to say: one line, true if an operator must look.
  /// Called from any thread; the line must be out when it returns, for the
  /// process may end right after. Lines go to stderr if it is not set.
  std::function<void(const std::string& line, bool alarm)> log;
};

/// Opens or creates the store in `options.directory`, running recovery. Nothing
/// but `error`, one line saying what is wrong and what to do, if it cannot be
/// used: no permission, another process, another number of shards or type than
/// at creation, damaged or missing files, a disk too full to recover.
///
/// When WiredTiger panics later the line is logged and the process ends at once
/// with exit code 70 (EX_SOFTWARE), before any acknowledgement.
std::unique_ptr<engine> open_wiredtiger(const wiredtiger_options& options,
                                        std::string& error);

} // namespace covey::storage
