// When a supervisor gives up: too many restarts within a window.

#pragma once

#include <cstdint>
#include <deque>

namespace covey::core {

/// At most `restarts` within `window_ms`. Source: Erlang/OTP supervisors,
/// "maximum restart intensity".
class restart_limit {
public:
  restart_limit(uint32_t restarts, uint64_t window_ms)
    : restarts_(restarts), window_ms_(window_ms) {}

  /// Notes a crash at `now_ms`; false if it was one too many.
  bool allows(uint64_t now_ms) {
    while (!times_.empty() && times_.front() + window_ms_ <= now_ms)
      times_.pop_front();
    if (times_.size() >= restarts_)
      return false;
    times_.push_back(now_ms);
    return true;
  }

private:
  uint32_t restarts_;
  uint64_t window_ms_;
  std::deque<uint64_t> times_;
};

} // namespace covey::core
