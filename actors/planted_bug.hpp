// Defects that the simulation must find.

#pragma once

#include <cstdint>

namespace covey {

/// Never set outside of tests.
enum class planted_bug : uint8_t {
  none,
  /// Acknowledge a write that is committed and not flushed.
  ack_before_flush,
  /// Send a record to the other homes before its commit succeeded.
  send_before_commit,
  /// After an unclean stop go on under the old incarnation, with a counter far
  /// beyond any that was given (traps.md 2).
  lease_counters,
  /// After an unclean stop go on under the old incarnation where its stored
  /// counter stands, whatever others have seen of it.
  reuse_incarnation,
  /// Give a dot to each arrival of a put (traps.md 8, 10).
  forget_requests,
  /// Do not look at the deadline before the dot is given (traps.md 17).
  ignore_deadline,
  /// Take a read that the disk failed for "not found" (traps.md 3).
  error_is_absence,
  /// Reads at levels that overlap themselves do not wait for the flush.
  read_unflushed,
  /// A get takes the answer of one whose reads have left already.
  join_sent_read,
  /// Of several siblings the oldest is answered alone.
  older_sibling,
  drop_hint,
  /// Of two versions the exchange gives the older one to whoever has the newer.
  repair_backwards,
};

} // namespace covey
