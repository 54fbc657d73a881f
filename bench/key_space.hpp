// The numbered keys of a run: loaded ones, and those inserted meanwhile.

#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>

namespace covey::bench {

/// "user" and twelve digits: 16 bytes for the first trillion.
std::string key_of(uint64_t number);

/// Hands out numbers for new keys. A key counts from when the answer to its
/// insert has come for it and all before, so that nobody reads it too early.
/// Thread-safe.
class key_space {
public:
  explicit key_space(uint64_t loaded) : next_(loaded), size_(loaded) {}

  uint64_t begin_insert();
  /// The insert of `number` was answered. One that failed is to be ended too:
  /// reads of its key are then misses.
  void end_insert(uint64_t number);
  /// Every number below it may be read.
  uint64_t size() const;

private:
  mutable std::mutex mutex_;
  uint64_t next_;
  uint64_t size_;
  /// Ended, with one before them under way.
  std::set<uint64_t> ended_;
};

} // namespace covey::bench
