// What a shard remembers of its own identity between runs.

#pragma once

#include "core/dot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace covey::core {

/// Stored in the system table. With `clean` the shard may go on under `inc`
/// after `counter`; without it, it must start a new incarnation.
struct shard_state {
  incarnation inc = 0;
  uint64_t counter = 0;
  bool clean = false;
};

/// Bytes, format 1 (docs/format/shard-state.md).
std::string encode(const shard_state& x);
std::optional<shard_state> decode_shard_state(std::string_view bytes);

} // namespace covey::core
