// How many requests a node takes, so that those it takes are answered in time.

#pragma once

#include <algorithm>
#include <cstdint>

namespace covey::core {

/// A queue that is longer than its deadlines allow is work for nothing: what is
/// taken up at its head has expired. While answers come late, the limit is what
/// the node answers in the time that is worth waiting (Little's law); while
/// they come early, it grows back. Measured in windows of the caller's time.
class load_limit {
public:
  /// Below this many there is no queue worth cutting.
  static constexpr uint32_t least = 256;
  static constexpr uint64_t window_us = 100'000;
  /// Worth waiting: this part of the time that a request was given.
  static constexpr uint64_t worthwhile = 4;

  explicit load_limit(uint32_t most = least)
    : most_(most), limit_(most), window_(0) {}

  /// A request was answered after `waited_us` of the `given_us` until its
  /// deadline; `done`: with what it asked for.
  void answered(uint64_t waited_us, uint64_t given_us, bool done) {
    ++answers_;
    done_ += done ? 1 : 0;
    waited_us_ += std::min(waited_us, given_us);
    given_us_ += given_us;
  }
  void tick(uint64_t now_us) {
    if (now_us < window_ + window_us && now_us >= window_)
      return;
    auto length_us = now_us - window_;
    // Few answers say little, and after a pause of our own they say nothing.
    auto telling
      = answers_ >= 16 && now_us >= window_ && length_us < 10 * window_us;
    if (telling && waited_us_ * worthwhile > given_us_) {
      auto worth_us = given_us_ / answers_ / worthwhile;
      auto served = done_ * worth_us / length_us;
      limit_ = static_cast<uint32_t>(
        std::clamp<uint64_t>(served, std::min(least, most_), most_));
    } else {
      limit_ = std::min<uint64_t>(most_, uint64_t{limit_} + limit_ / 8 + 1);
    }
    window_ = now_us;
    answers_ = done_ = waited_us_ = given_us_ = 0;
  }
  uint32_t limit() const {
    return limit_;
  }

private:
  uint32_t most_;
  uint32_t limit_;
  uint64_t window_;
  uint64_t answers_ = 0;
  uint64_t done_ = 0;
  uint64_t waited_us_ = 0;
  uint64_t given_us_ = 0;
};

} // namespace covey::core
