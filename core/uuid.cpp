#include "core/uuid.hpp"

#include "core/bytes.hpp"
#include "core/hash.hpp"

namespace covey::core {

namespace {

constexpr size_t text_size = 36;

constexpr bool dash_at(size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

std::optional<uint8_t> parse_nibble(char c) {
  if (c >= '0' && c <= '9')
    return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F')
    return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

} // namespace

std::string to_string(const uuid& x) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result(text_size, '-');
  uint32_t nibble = 0;
  for (size_t i = 0; i < text_size; ++i) {
    if (dash_at(i))
      continue;
    auto half = nibble < 16 ? x.high : x.low;
    result[i] = digits[half >> (60 - 4 * (nibble % 16)) & 0xf];
    ++nibble;
  }
  return result;
}

std::optional<uuid> parse_uuid(std::string_view text) {
  if (text.size() != text_size)
    return std::nullopt;
  uuid result;
  for (size_t i = 0; i < text_size; ++i) {
    if (dash_at(i)) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    auto nibble = parse_nibble(text[i]);
    if (!nibble)
      return std::nullopt;
    // The third dash is where the first half ends.
    auto& half = i < 18 ? result.high : result.low;
    half = half << 4 | *nibble;
  }
  return result;
}

uuid initial_member_id(std::string_view cluster, std::string_view name) {
  std::string text;
  byte_writer out{text};
  out.bytes(cluster);
  out.bytes(name);
  uuid result{hash64(text, 0), hash64(text, 1)};
  // Version 8 and variant 10 of RFC 9562: a well-formed id, and never zero.
  result.high = (result.high & ~uint64_t{0xf000}) | 0x8000;
  result.low = (result.low & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;
  return result;
}

} // namespace covey::core
