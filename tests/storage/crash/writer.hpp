// The process that the crash test kills.

#pragma once

#include "storage/data_directory.hpp"

namespace covey::storage::crash {

struct writer_options {
  directory_options directory;
  /// Acknowledge before the flush: a bug on purpose.
  bool acknowledge_early = false;
};

/// Writes with one thread a shard and one flusher, from where the store stands,
/// until it is killed. Acknowledgements go to `out`. Returns only on failure.
int run_writer(const writer_options& options, int out);

/// What all processes of the test have in common.
directory_options common_options(const std::string& directory);

/// The sequence of the shard's last commit.
uint64_t last_commit(session& from, uint32_t shard);

} // namespace covey::storage::crash
