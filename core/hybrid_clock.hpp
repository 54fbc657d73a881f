// The hybrid logical clock that stamps writes.

#pragma once

#include <cstdint>
#include <optional>

namespace covey::core {

/// Stamps in microseconds since 1970 that never go backwards on one shard.
/// Source: Kulkarni et al., "Logical Physical Clocks", 2014, with the logical
/// part folded into the low bits: a stamp is one more than the highest known.
class hybrid_clock {
public:
  /// `max_drift_us`: how far a stamp may be ahead of the wall clock when it is
  /// assigned.
  explicit hybrid_clock(uint64_t max_drift_us) : max_drift_us_(max_drift_us) {}

  /// The stamp of a write at wall clock `now_us` that must exceed `floor` (the
  /// stored stamp or the client's context): max(last + 1, floor + 1, now).
  /// Nothing if that would lie further ahead than the drift allowed; the clock
  /// is unchanged then.
  std::optional<uint64_t> next(uint64_t now_us, uint64_t floor);
  /// The stamp of a write where stamps decide, asked for at `asked_us`:
  /// max(floor + 1, asked, at most now). A duplicate that another shard
  /// executes late is not younger for it than what was written meanwhile.
  std::optional<uint64_t> of(uint64_t asked_us, uint64_t now_us,
                             uint64_t floor) const;

private:
  uint64_t max_drift_us_;
  uint64_t last_ = 0;
};

} // namespace covey::core
