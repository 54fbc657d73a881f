// Reading and writing of bytes: fixed integers, varints, byte strings.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace covey::core {

/// Appends integers and byte strings to a string that it does not own.
/// Fixed integers are big endian, so that encoded keys sort as numbers do;
/// varints are LEB128 (as in Protobuf).
class byte_writer {
public:
  explicit byte_writer(std::string& out) : out_(out) {}

  void u8(uint8_t x);
  void u16(uint16_t x);
  void u32(uint32_t x);
  void u64(uint64_t x);
  void varint(uint64_t x);
  /// A varint length, then the bytes.
  void bytes(std::string_view x);
  /// The bytes alone.
  void raw(std::string_view x);

private:
  std::string& out_;
};

/// Reads what byte_writer wrote. Every read is bounds-checked: past the end, or
/// at a malformed varint, it returns zero or an empty view and `ok()` turns and
/// stays false. Views point into the bytes given to the constructor.
class byte_reader {
public:
  explicit byte_reader(std::string_view in) : in_(in) {}

  uint8_t u8();
  uint16_t u16();
  uint32_t u32();
  uint64_t u64();
  uint64_t varint();
  std::string_view bytes();
  std::string_view raw(size_t n);

  bool ok() const {
    return ok_;
  }
  /// True when everything was read and nothing failed.
  bool done() const {
    return ok_ && in_.empty();
  }
  size_t remaining() const {
    return in_.size();
  }

private:
  uint64_t fixed(size_t n);

  std::string_view in_;
  bool ok_ = true;
};

} // namespace covey::core
