// What the writers of the crash test write: a function of shard and sequence,
// so that the checker can rebuild every state a shard went through.

#pragma once

#include "core/hash.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace covey::storage::crash {

inline constexpr uint32_t shards = 3;
inline constexpr uint64_t keys_per_shard = 8000;

/// What one transaction does: it writes or removes `key` in the shard's table,
/// and a mirror of it (the sequence as text) in the system table.
struct operation {
  std::string key;
  bool removal = false;
  std::string value;
};

inline std::string mirror_row(uint32_t shard, const std::string& key) {
  return "mirror/" + std::to_string(shard) + "/" + key;
}

inline operation operation_of(uint32_t shard, uint64_t sequence) {
  auto random = [&](uint64_t purpose) {
    auto text = std::to_string(shard) + "/" + std::to_string(sequence);
    return core::hash64(text, purpose);
  };
  operation result;
  result.key = "key" + std::to_string(random(1) % keys_per_shard);
  result.removal = random(2) % 10 == 0;
  if (result.removal)
    return result;
  // Mostly small, some larger than a page.
  auto size = 20 + random(3) % (random(4) % 16 == 0 ? 9000 : 400);
  result.value = std::to_string(sequence) + ":";
  for (uint64_t i = 5; result.value.size() < size; ++i) {
    auto word = random(i);
    result.value.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return result;
}

/// Rows of a shard's table, each with the sequence that wrote it.
using row_map = std::map<std::string, uint64_t>;

inline void replay(row_map& rows, uint32_t shard, uint64_t sequence) {
  auto x = operation_of(shard, sequence);
  if (x.removal)
    rows.erase(x.key);
  else
    rows[x.key] = sequence;
}

/// What the writer tells the driver: every commit of `shard` up to `sequence`
/// is acknowledged. DO NOT REORDER: both are the same program, though.
struct acknowledgement {
  uint64_t shard = 0;
  uint64_t sequence = 0;
};

} // namespace covey::storage::crash
