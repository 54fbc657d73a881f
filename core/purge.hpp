// When a deleted or expired record may leave the disk for good.

#pragma once

#include "core/record.hpp"

#include <cstdint>
#include <optional>

namespace covey::core {

/// The watermark of a slot is a time W for which two things are proven
/// (docs/design/purge.md): every write of the slot with a stamp below W is on
/// the disks of all its owners, and whatever else may still arrive there was
/// read from an owner that had them all. All times are milliseconds since 1970.

/// The time that a watermark must be beyond before `r` may be purged: the
/// newest stamp or expiry of its siblings. Nothing as long as a sibling is a
/// value that does not expire.
std::optional<uint64_t> gone_at(const record& r);

/// True if purging `r` below this watermark brings nothing back.
inline bool may_purge(const record& r, uint64_t watermark_ms) {
  auto gone = gone_at(r);
  return gone && *gone < watermark_ms;
}

/// When the first of the values expires; nothing if none does.
std::optional<uint64_t> next_expiry(const record& r);

/// Turns values that have expired at `now_ms` into tombstones of their dots:
/// the version stays, the bytes go. True if there were any.
bool expire(record& r, uint64_t now_ms);

/// What becomes of a record that arrives at an owner of its slot.
enum class admission : uint8_t {
  merge,
  /// It was purged here, and nothing of it was alive: nothing is to be done.
  purged,
  /// Values that no owner can have: what has brought them is older than the
  /// watermark.
  outdated,
};

/// How a record comes.
struct carrier {
  /// Not by a request that a client waits for: a hint, an exchange, a stream.
  bool background = false;
  /// The sender is an owner and has this watermark itself.
  uint64_t watermark_ms = 0;
};

/// `stored` is what the owner has of the key, null if nothing.
admission admit(const record* stored, const record& incoming,
                uint64_t watermark_ms, const carrier& by);

/// What an owner of a slot knows of the others now.
struct purge_evidence {
  uint64_t now_ms = 0;
  /// The least of what the members that are not removed say: when their oldest
  /// hint was stored, or that they had none when they said so. Zero if one has
  /// said nothing.
  uint64_t carriers_ms = 0;
  /// The least, over all other owners, of the time at which the last comparison
  /// began, on this node's clock, that found the slot equal on both disks. Zero
  /// if one is missing; `now_ms` if there are no other owners.
  uint64_t equal_ms = 0;
};

/// One owner's way to the watermark of one slot, a step at a time: it is told
/// again and again what is known. The proof that this suffices is that of
/// docs/design/purge.md.
class watermark_proof {
public:
  /// Proven so far; zero if nothing is. `margin_ms` is longer than any request
  /// or background write may take, with twice the drift of clocks.
  uint64_t advance(const purge_evidence& x, uint64_t margin_ms);
  /// The owners have changed, or this one has lost something: starts anew.
  void restart() {
    *this = {};
  }

private:
  enum class step : uint8_t {
    /// Nothing is under way.
    idle,
    /// Until no hint is left of the time before.
    settling,
    /// Until all were equal to us, so that we have what any had.
    gathering,
    /// Until all were equal to us again, so that all have it.
    spreading,
    /// Until no hint is left of what was read before that.
    draining,
    /// Until what such hints had become has passed its deadline.
    expiring,
  };

  void go(step next, uint64_t now_ms) {
    step_ = next;
    since_ms_ = now_ms;
  }

  step step_ = step::idle;
  uint64_t since_ms_ = 0;
  uint64_t candidate_ms_ = 0;
  uint64_t proven_ms_ = 0;
};

} // namespace covey::core
