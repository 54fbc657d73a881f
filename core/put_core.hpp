// What a put waits for: a value that is told events and says what to do.

#pragma once

#include "core/consistency.hpp"

#include <cstdint>

namespace covey::core {

/// The replication of one put that a home coordinates. The caller's part:
/// 1. give the put to the local home; when it has committed, send its record to
///    the homes in `others()`, and report those that cannot be reached as
///    failed;
/// 2. report each home once, as durable or failed;
/// 3. answer the client when told to, once;
/// 4. forget the request when `settled`, or at its deadline.
class put_core {
public:
  enum class verdict : uint8_t {
    /// Nothing new to say to the client.
    wait,
    /// The level is met: every home counted has it on disk.
    succeed,
    /// The level can no longer be met. What was written stays (traps.md 16).
    fail,
  };

  /// `homes` in all, the coordinating one at place `self`.
  put_core(requirement need, uint8_t homes, uint8_t self)
    : need_(std::move(need)), all_((home_set{1} << homes) - 1), self_(self) {}

  home_set others() const {
    return all_ & ~(home_set{1} << self_);
  }
  verdict durable(uint8_t home);
  verdict failed(uint8_t home);

  bool answered() const {
    return answered_;
  }
  /// Marks the client as answered for a reason from outside (deadline).
  void close() {
    answered_ = true;
  }
  bool settled() const {
    return (acked_ | failed_) == all_;
  }
  home_set acked() const {
    return acked_;
  }
  home_set failures() const {
    return failed_;
  }
  const requirement& need() const {
    return need_;
  }

private:
  verdict judge();

  requirement need_;
  home_set all_;
  home_set acked_ = 0;
  home_set failed_ = 0;
  uint8_t self_;
  bool answered_ = false;
};

} // namespace covey::core
