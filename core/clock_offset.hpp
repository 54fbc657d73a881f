// How far the clock of a peer is ahead of ours, at least.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace covey::core {

/// Of an exchange only the order is known: the peer read its clock after we
/// sent and before we received. So each of the last few samples bounds the
/// offset from both sides. Source: Marzullo and Owicki, "Maintaining the time
/// in a distributed system", 1983.
///
/// Deadlines are translated by the highest of the lower bounds. In the middle
/// of a round trip, most of which was spent in a peer that was frozen, they
/// would come out later than they are. Here they come out earlier, by the
/// shortest way back at most: beyond it no answer would be on time.
class clock_offset {
public:
  /// `sent_us`, `received_us` on our clock, `peer_us` on the peer's between.
  void sample(uint64_t sent_us, uint64_t received_us, uint64_t peer_us) {
    if (received_us < sent_us)
      return;
    add({static_cast<int64_t>(peer_us - received_us),
         static_cast<int64_t>(peer_us - sent_us), received_us - sent_us});
  }
  void reset() {
    next_ = 0;
  }
  /// A first guess without a round trip.
  void assume(uint64_t our_us, uint64_t peer_us) {
    add({static_cast<int64_t>(peer_us - our_us), INT64_MAX, UINT64_MAX});
  }
  /// Microseconds to add to a time of ours for the peer: never too many, as
  /// long as nobody sets a clock. Zero without samples.
  int64_t offset_us() const {
    return next_ > 0 ? known().least_us : 0;
  }
  /// The shortest of the last few; zero without samples.
  uint64_t round_trip_us() const {
    return next_ > 0 ? known().round_trip_us : 0;
  }
  /// A time of ours on the peer's clock.
  uint64_t to_peer(uint64_t our_us) const {
    return our_us + static_cast<uint64_t>(offset_us());
  }

private:
  struct entry {
    int64_t least_us = INT64_MIN;
    int64_t most_us = INT64_MAX;
    uint64_t round_trip_us = UINT64_MAX;
  };

  void add(const entry& x) {
    auto before = known();
    // A clock was set: what was measured before is void.
    if (x.least_us > before.most_us || x.most_us < before.least_us)
      reset();
    samples_[next_ % samples_.size()] = x;
    ++next_;
  }
  /// All bounds together.
  entry known() const {
    entry result;
    for (size_t i = 0; i < std::min(next_, samples_.size()); ++i) {
      result.least_us = std::max(result.least_us, samples_[i].least_us);
      result.most_us = std::min(result.most_us, samples_[i].most_us);
      result.round_trip_us
        = std::min(result.round_trip_us, samples_[i].round_trip_us);
    }
    return result;
  }

  std::array<entry, 8> samples_;
  size_t next_ = 0;
};

} // namespace covey::core
