// Slots: which of the 16384 parts of the key space a key belongs to.

#pragma once

#include <cstdint>
#include <string_view>

namespace covey::core {

inline constexpr uint32_t slot_count = 16384;

/// CRC16, XMODEM: polynomial 0x1021, initial value 0, not reflected.
uint16_t crc16(std::string_view bytes);

/// CRC16 of `key` modulo 16384. With `hash_tags`, if the key has a `{` and a
/// `}` after it with something between, only what is between the first `{` and
/// the first `}` after it counts. Source: the Redis Cluster specification.
uint16_t slot_of(std::string_view key, bool hash_tags);

/// Position of slot `s` on the ring of 2^64.
inline uint64_t slot_position(uint16_t slot) {
  return static_cast<uint64_t>(slot) << 50;
}

/// Shard of a slot among `shards`: contiguous ranges, as even as they can be.
inline uint32_t shard_of(uint16_t slot, uint32_t shards) {
  return static_cast<uint32_t>(slot) * shards / slot_count;
}

} // namespace covey::core
