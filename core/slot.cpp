#include "core/slot.hpp"

#include <array>

namespace covey::core {

namespace {

constexpr std::array<uint16_t, 256> make_crc16_table() {
  std::array<uint16_t, 256> result{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i << 8;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    result[i] = static_cast<uint16_t>(crc);
  }
  return result;
}

constexpr auto crc16_table = make_crc16_table();

std::string_view hashed_part(std::string_view key) {
  auto open = key.find('{');
  if (open == std::string_view::npos)
    return key;
  auto close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1)
    return key;
  return key.substr(open + 1, close - open - 1);
}

} // namespace

uint16_t crc16(std::string_view bytes) {
  uint32_t crc = 0;
  for (auto c : bytes)
    crc = ((crc << 8) & 0xffff)
          ^ crc16_table[(crc >> 8) ^ static_cast<uint8_t>(c)];
  return static_cast<uint16_t>(crc);
}

uint16_t slot_of(std::string_view key, bool hash_tags) {
  return crc16(hash_tags ? hashed_part(key) : key) % slot_count;
}

} // namespace covey::core
