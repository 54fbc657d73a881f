// Defects that the simulation must find.

#pragma once

#include <cstdint>

namespace covey {

/// Never set outside of tests.
enum class planted_bug : uint8_t {
  none,
  ack_before_flush,
  send_before_commit,
  /// Reads at levels that overlap themselves do not wait for the flush.
  read_unflushed,
  /// A get takes the answer of one whose reads have left already.
  join_sent_read,
  /// Of several siblings the oldest is answered alone.
  older_sibling,
  drop_hint,
};

} // namespace covey
