// A page of records, as a scan answers it.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace covey::core {

/// Format 1: where the next page starts (varint slot, byte string key), then
/// pairs of byte strings (key, record) to the end.
struct scan_page {
  uint32_t next_slot = 0;
  /// Last key read of that slot; empty to start with its first.
  std::string_view next_after_key;
  std::vector<std::pair<std::string_view, std::string_view>> rows;
};

/// Nothing if malformed. Views point into `bytes`.
std::optional<scan_page> decode_page(std::string_view bytes);

/// Starts the bytes of a page; rows are appended with `append_row`.
std::string encode_page(uint32_t next_slot, std::string_view next_after_key,
                        std::string_view rows);
void append_row(std::string& rows, std::string_view key,
                std::string_view record);

} // namespace covey::core
