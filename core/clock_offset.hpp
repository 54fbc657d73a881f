// How far the clock of a peer is ahead of ours.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace covey::core {

/// Keeps the sample with the shortest round trip among the last few: the error
/// is at most half of that round trip. Source: NTP's clock filter, RFC 5905.
class clock_offset {
public:
  /// `sent_us`, `received_us` on our clock, `peer_us` on the peer's between.
  void sample(uint64_t sent_us, uint64_t received_us, uint64_t peer_us) {
    if (received_us < sent_us)
      return;
    auto round_trip = received_us - sent_us;
    samples_[next_ % samples_.size()] = {
      static_cast<int64_t>(peer_us - (sent_us + round_trip / 2)), round_trip};
    ++next_;
  }
  void reset() {
    next_ = 0;
  }
  /// A first guess without a round trip: any sample replaces it.
  void assume(uint64_t our_us, uint64_t peer_us) {
    samples_[0] = {static_cast<int64_t>(peer_us - our_us), UINT64_MAX};
    next_ = 1;
  }
  /// Microseconds to add to a time of ours for the peer.
  int64_t offset_us() const {
    return best().offset_us;
  }
  uint64_t round_trip_us() const {
    return best().round_trip_us;
  }
  /// A time of ours on the peer's clock.
  uint64_t to_peer(uint64_t our_us) const {
    return our_us + static_cast<uint64_t>(offset_us());
  }

private:
  struct entry {
    int64_t offset_us = 0;
    uint64_t round_trip_us = 0;
  };

  entry best() const {
    auto n = next_ < samples_.size() ? next_ : samples_.size();
    entry result;
    for (size_t i = 0; i < n; ++i)
      if (i == 0 || samples_[i].round_trip_us < result.round_trip_us)
        result = samples_[i];
    return result;
  }

  std::array<entry, 8> samples_;
  size_t next_ = 0;
};

} // namespace covey::core
