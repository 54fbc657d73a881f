// A rate with a small reserve, on a clock that is handed in.

#pragma once

#include <algorithm>
#include <cstdint>

namespace covey::core {

/// A token bucket (Turner 1986) that may go into debt: whoever finds a token
/// may take more than there are, and the next one waits for longer.
class token_bucket {
public:
  /// Starts full. `per_second` tokens arrive; at most `reserve` are saved up.
  token_bucket(uint64_t per_second, uint64_t reserve)
    : rate_(per_second), reserve_(static_cast<int64_t>(reserve)),
      tokens_(reserve_) {}

  /// What was saved up beyond `reserve` is lost.
  void set_rate(uint64_t per_second, uint64_t reserve) {
    rate_ = per_second;
    reserve_ = static_cast<int64_t>(reserve);
    tokens_ = std::min(tokens_, reserve_);
  }
  /// True if something may be taken at `now_us`, which never goes back.
  bool open(uint64_t now_us) {
    refill(now_us);
    return tokens_ > 0;
  }
  void take(uint64_t n) {
    tokens_ -= static_cast<int64_t>(n);
  }

private:
  void refill(uint64_t now_us) {
    if (last_us_ == 0 || now_us < last_us_)
      last_us_ = now_us;
    // Longer than a minute fills any reserve of ours, and cannot overflow.
    auto passed = std::min<uint64_t>(now_us - last_us_, 60'000'000);
    auto fresh = static_cast<int64_t>(passed * rate_ / 1'000'000);
    if (fresh == 0)
      return;
    last_us_ = now_us;
    tokens_ = std::min(reserve_, tokens_ + fresh);
  }

  uint64_t rate_;
  int64_t reserve_;
  int64_t tokens_;
  uint64_t last_us_ = 0;
};

} // namespace covey::core
