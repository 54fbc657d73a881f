#include "core/bytes.hpp"

namespace covey::core {

namespace {

void append_fixed(std::string& out, uint64_t x, size_t n) {
  char buf[8];
  for (size_t i = 0; i < n; ++i)
    buf[i] = static_cast<char>(x >> (8 * (n - 1 - i)));
  out.append(buf, n);
}

} // namespace

void byte_writer::u8(uint8_t x) {
  out_.push_back(static_cast<char>(x));
}

void byte_writer::u16(uint16_t x) {
  append_fixed(out_, x, 2);
}

void byte_writer::u32(uint32_t x) {
  append_fixed(out_, x, 4);
}

void byte_writer::u64(uint64_t x) {
  append_fixed(out_, x, 8);
}

void byte_writer::varint(uint64_t x) {
  while (x >= 0x80) {
    out_.push_back(static_cast<char>(x | 0x80));
    x >>= 7;
  }
  out_.push_back(static_cast<char>(x));
}

void byte_writer::bytes(std::string_view x) {
  varint(x.size());
  out_.append(x);
}

void byte_writer::raw(std::string_view x) {
  out_.append(x);
}

uint64_t byte_reader::fixed(size_t n) {
  auto view = raw(n);
  uint64_t result = 0;
  for (auto c : view)
    result = result << 8 | static_cast<uint8_t>(c);
  return result;
}

uint8_t byte_reader::u8() {
  return static_cast<uint8_t>(fixed(1));
}

uint16_t byte_reader::u16() {
  return static_cast<uint16_t>(fixed(2));
}

uint32_t byte_reader::u32() {
  return static_cast<uint32_t>(fixed(4));
}

uint64_t byte_reader::u64() {
  return fixed(8);
}

uint64_t byte_reader::varint() {
  uint64_t result = 0;
  for (int shift = 0; ok_ && shift < 64; shift += 7) {
    auto b = u8();
    if (!ok_)
      return 0;
    // The tenth byte holds one bit only.
    if (shift == 63 && b > 1)
      break;
    result |= static_cast<uint64_t>(b & 0x7f) << shift;
    if ((b & 0x80) == 0)
      return result;
  }
  ok_ = false;
  return 0;
}

std::string_view byte_reader::bytes() {
  auto n = varint();
  if (!ok_ || n > in_.size()) {
    ok_ = false;
    return {};
  }
  return raw(static_cast<size_t>(n));
}

std::string_view byte_reader::raw(size_t n) {
  if (!ok_ || n > in_.size()) {
    ok_ = false;
    return {};
  }
  auto result = in_.substr(0, n);
  in_.remove_prefix(n);
  return result;
}

} // namespace covey::core
