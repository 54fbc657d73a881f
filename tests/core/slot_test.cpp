// Slots against the published vectors.

#define CAF_SUITE core.slot

#include "core/slot.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace covey::core;

CAF_TEST(crc16 meets the published XMODEM vectors) {
  CAF_CHECK_EQUAL(crc16(""), 0u);
  CAF_CHECK_EQUAL(crc16("123456789"), 0x31c3u);
  CAF_CHECK_EQUAL(crc16("A"), 0x58e5u);
}

CAF_TEST(crc16 equals the division bit by bit for every byte in every state) {
  auto slow = [](const std::string& bytes) {
    uint32_t crc = 0;
    for (auto c : bytes)
      for (int bit = 7; bit >= 0; --bit) {
        auto in = static_cast<uint32_t>(static_cast<uint8_t>(c) >> bit & 1);
        auto out = crc >> 15 & 1;
        crc = (crc << 1 & 0xffff) ^ (in != out ? 0x1021u : 0u);
      }
    return crc;
  };
  std::string bytes;
  for (int i = 0; i < 1024; ++i) {
    bytes += static_cast<char>(i * 37 + i / 256);
    CAF_REQUIRE_EQUAL(crc16(bytes), slow(bytes));
  }
}

CAF_TEST(keys have the slots that Redis Cluster gives them) {
  for (auto hash_tags : {false, true}) {
    CAF_CHECK_EQUAL(slot_of("foo", hash_tags), 12182u);
    CAF_CHECK_EQUAL(slot_of("bar", hash_tags), 5061u);
    CAF_CHECK_EQUAL(slot_of("hello", hash_tags), 866u);
    CAF_CHECK_EQUAL(slot_of("", hash_tags), 0u);
  }
}

CAF_TEST(only what is between the first braces counts with hash tags) {
  CAF_CHECK_EQUAL(slot_of("{user1000}.following", true), 3443u);
  CAF_CHECK_EQUAL(slot_of("{user1000}.followers", true), 3443u);
  CAF_CHECK_EQUAL(slot_of("user1000", true), 3443u);
  CAF_CHECK_EQUAL(slot_of("foo{{bar}}zap", true), slot_of("{bar", false));
  CAF_CHECK_EQUAL(slot_of("foo{bar}{zap}", true), slot_of("bar", false));
  CAF_CHECK_EQUAL(slot_of("}{a}", true), slot_of("a", false));
}

CAF_TEST(braces without anything between or without a partner do not count) {
  for (auto key :
       {"foo{}{bar}", "{}", "foo{bar", "foo}bar", "}foo{", "{", "a}{"})
    CAF_CHECK_EQUAL(slot_of(key, true), slot_of(key, false));
  CAF_CHECK_EQUAL(slot_of("foo{}{bar}", true), 8363u);
}

CAF_TEST(braces are bytes like others without hash tags) {
  CAF_CHECK_EQUAL(slot_of("{user1000}.following", false), 12218u);
  CAF_CHECK_NOT_EQUAL(slot_of("{user1000}.following", false),
                      slot_of("{user1000}.followers", false));
}

CAF_TEST(positions divide the ring evenly) {
  CAF_CHECK_EQUAL(slot_position(0), 0u);
  CAF_CHECK_EQUAL(slot_position(1), uint64_t{1} << 50);
  CAF_CHECK_EQUAL(slot_position(slot_count - 1) + (uint64_t{1} << 50), 0u);
}

CAF_TEST(shards are contiguous ranges of slots that differ by one at most) {
  for (uint32_t shards = 1; shards <= 130; ++shards) {
    std::vector<uint32_t> slots(shards);
    uint32_t last = 0;
    for (uint32_t slot = 0; slot < slot_count; ++slot) {
      auto shard = shard_of(static_cast<uint16_t>(slot), shards);
      CAF_REQUIRE(shard < shards && (shard == last || shard == last + 1));
      last = shard;
      ++slots[shard];
    }
    auto [low, high] = std::minmax_element(slots.begin(), slots.end());
    CAF_CHECK_LESS_OR_EQUAL(*high - *low, 1u);
  }
}
