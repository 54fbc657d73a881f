// How much a sender may have under way to one receiver.

#pragma once

#include <algorithm>
#include <cstdint>

namespace covey::core {

/// Bytes sent and not yet acknowledged, and requests not yet answered, each
/// with a limit. The receiver acknowledges a running total of bytes, so lost
/// acknowledgements do no harm.
class credit_window {
public:
  credit_window(uint64_t max_bytes, uint32_t max_requests)
    : max_bytes_(max_bytes), max_requests_(max_requests) {}

  /// Something larger than the limit may go alone, or it could never go.
  bool admits(uint64_t bytes) const {
    return requests_ < max_requests_
           && (sent_ == acked_ || sent_ - acked_ + bytes <= max_bytes_);
  }
  /// Answers need no credit, but their values may fill half of the window at
  /// most: requests keep the rest.
  bool admits_answer(uint64_t bytes) const {
    return sent_ == acked_ || sent_ - acked_ + bytes <= max_bytes_ / 2;
  }
  void sent(uint64_t bytes) {
    sent_ += bytes;
  }
  void acknowledged(uint64_t total) {
    acked_ = std::max(acked_, std::min(total, sent_));
  }
  void opened() {
    ++requests_;
  }
  void closed() {
    if (requests_ > 0)
      --requests_;
  }
  /// A new session: nothing is under way.
  void reset() {
    sent_ = acked_ = 0;
    requests_ = 0;
  }
  uint64_t bytes_under_way() const {
    return sent_ - acked_;
  }
  uint32_t requests() const {
    return requests_;
  }

private:
  uint64_t max_bytes_;
  uint32_t max_requests_;
  uint64_t sent_ = 0;
  uint64_t acked_ = 0;
  uint32_t requests_ = 0;
};

} // namespace covey::core
