// The error codes that cross an actor boundary.

#pragma once

#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/make_message.hpp> // required by CAF_ERROR_CODE_ENUM in 0.17.6

#include <cstdint>
#include <string>

namespace covey {

/// DO NOT REORDER: the numbers travel between nodes of different versions.
/// Each says what the caller should do.
enum class errc : uint8_t {
  none = 0,
  /// A bounded queue is full; nothing was done. Retry later, more slowly.
  overloaded = 1,
  /// Too few homes are reachable; nothing was done. Retry elsewhere or later,
  /// or ask for less.
  unavailable = 2,
  /// The deadline passed. A write may have happened: retry with the same
  /// request id, or read.
  timed_out = 3,
  /// Fewer homes succeeded than the level asks for. A write may have happened
  /// on those: retry with the same request id, or read.
  quorum_not_met = 4,
  /// The connection broke with the request on its way. A write may have
  /// happened.
  connection_lost = 5,
  /// The node is stopping; nothing was done. Retry elsewhere.
  shutting_down = 6,
  /// The request is wrong, and would be wrong again.
  empty_key = 10,
  key_too_large = 11,
  value_too_large = 12,
  unknown_keyspace = 13,
  unknown_level = 14,
  /// The deadline had passed when the request arrived; nothing was done.
  deadline_expired = 15,
  /// The context is damaged or was given for another key. Read, then retry.
  bad_context = 16,
  /// The key has as many siblings as it may. Read, merge, write with context.
  too_many_siblings = 17,
  /// A clock is too far ahead to stamp the write. Mend the clocks.
  clock_skew = 18,
  bad_message = 19,
  /// The disk of the home that would coordinate is too full. Nothing was done.
  disk_full = 20,
  /// The disk of a home failed the request.
  storage_failed = 21,
  /// The epoch of the request is older than a change of its slot's owners.
  stale_epoch = 22,
  /// The node asked is no home of the slot.
  not_owner = 23,
  /// The peer is of another cluster, or believes in other members.
  wrong_cluster = 24,
  /// The home has lost data that it acknowledged, and answers no reads. Others
  /// are asked instead; an operator must look.
  disk_lost = 25,
  /// The change of the epoch does not apply, and the text says why. Nothing was
  /// changed.
  change_refused = 26,
  /// The node has not learnt the request's epoch yet, and cannot keep the
  /// request until it has. Nothing was done. Retry, or ask another.
  behind = 27,
};

std::string to_string(errc x);

/// True for errors after which the same request may succeed.
bool is_retryable(errc x);

/// Renders errors of our category; registered with the message types.
std::string render_error(uint8_t code, caf::atom_value, const caf::message&);

} // namespace covey

CAF_ERROR_CODE_ENUM(covey::errc, "covey")
