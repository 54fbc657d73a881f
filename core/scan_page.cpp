#include "core/scan_page.hpp"

#include "core/bytes.hpp"
#include "core/slot.hpp"

namespace covey::core {

std::optional<scan_page> decode_page(std::string_view bytes) {
  byte_reader in{bytes};
  scan_page result;
  auto slot = in.varint();
  result.next_after_key = in.bytes();
  if (!in.ok() || slot > slot_count)
    return std::nullopt;
  result.next_slot = static_cast<uint32_t>(slot);
  while (in.ok() && in.remaining() > 0) {
    auto key = in.bytes();
    auto record = in.bytes();
    result.rows.emplace_back(key, record);
  }
  if (!in.ok())
    return std::nullopt;
  return result;
}

std::string encode_page(uint32_t next_slot, std::string_view next_after_key,
                        std::string_view rows) {
  std::string result;
  byte_writer out{result};
  out.varint(next_slot);
  out.bytes(next_after_key);
  out.raw(rows);
  return result;
}

void append_row(std::string& rows, std::string_view key,
                std::string_view record) {
  byte_writer out{rows};
  out.bytes(key);
  out.bytes(record);
}

} // namespace covey::core
