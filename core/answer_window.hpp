// How much of its answers a client has not taken yet.

#pragma once

#include <algorithm>
#include <cstdint>

namespace covey::core {

/// Bytes sent to one client, and the running total that it says it has taken,
/// so that a lost word of it does no harm. The time is that of the caller.
class answer_window {
public:
  explicit answer_window(uint64_t max_bytes = 0) : max_bytes_(max_bytes) {}

  /// True if `bytes` may follow what is under way. Something larger than the
  /// limit may go alone, or it could never go.
  bool admits(uint64_t bytes) const {
    return under_way() == 0 || fits(bytes);
  }
  /// True if what is under way and `bytes` are within the limit together.
  bool fits(uint64_t bytes) const {
    return under_way() + bytes <= max_bytes_;
  }
  void sent(uint64_t bytes, uint64_t now) {
    // Only from now on could it be taken.
    if (under_way() == 0)
      moved_ = now;
    sent_ += bytes;
  }
  void taken(uint64_t total, uint64_t now) {
    total = std::min(total, sent_);
    if (total <= taken_)
      return;
    taken_ = total;
    moved_ = now;
  }
  uint64_t under_way() const {
    return sent_ - taken_;
  }
  /// Not even refusals may follow: twice the limit is under way.
  bool overrun() const {
    return under_way() > 2 * max_bytes_;
  }
  /// At least half of the limit is under way, and nothing of it was taken for
  /// longer than `patience`.
  bool stalled(uint64_t now, uint64_t patience) const {
    return under_way() * 2 >= max_bytes_ && now > moved_ + patience;
  }
  /// A new dialogue: both sides count from zero.
  void reset() {
    sent_ = taken_ = 0;
  }

private:
  uint64_t max_bytes_;
  uint64_t sent_ = 0;
  uint64_t taken_ = 0;
  uint64_t moved_ = 0;
};

} // namespace covey::core
