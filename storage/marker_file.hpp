// Marks outside the engine that show whether its recovery lost anything.

#pragma once

#include "storage/engine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace covey::storage {

/// What is written beside the engine's files. The engine holds the same rows
/// inside (`system_table`), so that a mismatch shows a lost or foreign disk.
struct markers {
  /// Identity of the member whose data this is (128 bits).
  uint64_t id_high = 0;
  uint64_t id_low = 0;
  /// Run of the process that wrote them.
  uint64_t run = 0;
  /// Per shard, the sequence of the last commit known to be flushed.
  std::vector<uint64_t> flushed;
};

/// The file `MARKERS` in the data directory: two checksummed copies written in
/// turn, so that a torn write leaves the other. Not thread-safe.
class marker_file {
public:
  /// Opens the file, creating none. `error` is set, and nothing returned, if it
  /// exists but cannot be read or neither copy is sound.
  static std::optional<marker_file> open(const std::string& directory,
                                         std::string& error);
  ~marker_file();
  marker_file(marker_file&&) noexcept;
  marker_file& operator=(marker_file&&) noexcept;

  /// The newest sound copy; nothing if the file did not exist.
  const std::optional<markers>& read() const;
  /// Writes a copy; with `sync`, returns after it is on disk. False if the
  /// disk refused.
  bool write(const markers& m, bool sync);

private:
  struct impl;
  explicit marker_file(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace covey::storage
