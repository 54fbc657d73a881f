// Hints: what a node keeps for a home that could not take a write.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace covey::core {

/// The value of a hint's row. Its key says for whom and of which key it is.
struct hint {
  /// Rises with every change of the row in its store: a replay removes only
  /// what it has read.
  uint64_t version = 0;
  /// When the first of what it holds was stored, milliseconds since 1970.
  uint64_t since_ms = 0;
  /// The record of the store is part of it: this node is a home itself.
  bool stored = false;
  /// An encoded record, empty if it has none of its own. A view of the bytes
  /// that it was decoded from.
  std::string_view record;
};

/// Bytes, format 1 (docs/format/hints.md).
std::string encode(const hint& x);
/// Nothing for malformed bytes or a newer format.
std::optional<hint> decode_hint(std::string_view bytes);

/// What a shard has for one target.
struct hint_total {
  uint64_t rows = 0;
  /// Of keys and values of the rows.
  uint64_t bytes = 0;
};

} // namespace covey::core
