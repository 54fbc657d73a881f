#include "client/base64.hpp"

#include <cstdint>

namespace covey::client {

namespace {

constexpr std::string_view alphabet
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Value of a digit; 64 for what is none.
uint32_t digit(char c) {
  if (c >= 'A' && c <= 'Z')
    return static_cast<uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z')
    return static_cast<uint32_t>(c - 'a') + 26;
  if (c >= '0' && c <= '9')
    return static_cast<uint32_t>(c - '0') + 52;
  return c == '+' ? 62 : c == '/' ? 63 : 64;
}

} // namespace

std::string base64_encode(std::string_view bytes) {
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    auto n = bytes.size() - i < 3 ? bytes.size() - i : 3;
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < n ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j)
      result += j <= n ? alphabet[group >> (18 - 6 * j) & 63] : '=';
  }
  return result;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  std::string result;
  result.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t digits = 4;
    if (i + 4 == text.size() && text[i + 3] == '=')
      digits = text[i + 2] == '=' ? 2 : 3;
    uint32_t group = 0;
    for (size_t j = 0; j < 4; ++j) {
      auto value = j < digits ? digit(text[i + j]) : 0u;
      if (value == 64)
        return std::nullopt;
      group = group << 6 | value;
    }
    // Bits beyond the last byte must be zero: one text for one value.
    if ((digits == 2 && (group & 0xffff) != 0)
        || (digits == 3 && (group & 0xff) != 0))
      return std::nullopt;
    for (size_t j = 0; j + 1 < digits; ++j)
      result += static_cast<char>(group >> (16 - 8 * j) & 0xff);
  }
  return result;
}

} // namespace covey::client
