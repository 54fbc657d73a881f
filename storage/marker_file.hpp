// Marks outside the engine that show whether its recovery lost anything.

#pragma once

#include "storage/engine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

/// What an operator can do about a store that lost something.
inline constexpr const char* refill_advice
  = "restore the directory from a backup, or empty it so that the node is "
    "refilled from its replicas";

/// One of the two copies in the file (docs/format/markers.md).
struct marker_copy {
  /// Rises with every write: the sound copy with the higher one holds.
  uint64_t generation = 0;
  markers content;
};

/// At most this many shards fit a copy.
inline constexpr size_t max_marked_shards = 256;

std::string encode_markers(const marker_copy& copy);
/// Nothing if `bytes` is not exactly a sound copy.
std::optional<marker_copy> decode_markers(std::string_view bytes);

/// The file `MARKERS` in the data directory: two checksummed copies. The copy
/// that was synced last stays as it is until the other one has been synced, so
/// that neither a torn write nor a power loss leaves none. Not thread-safe.
class marker_file {
public:
  static constexpr const char* name = "MARKERS";

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
