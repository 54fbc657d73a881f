// How many repetitions a client may add to the load of a cluster in trouble.

#pragma once

#include <algorithm>
#include <cstdint>

namespace covey::client {

/// A token bucket filled by requests, not by time: each new request brings a
/// tenth of a repetition, at most `reserve` are saved up. Source: the retry
/// budgets of Finagle and of gRPC (A6, throttling).
class retry_budget {
public:
  /// Repetitions that may be saved up, and that a new client begins with.
  explicit retry_budget(uint32_t reserve = 100)
    : most_(uint64_t{reserve} * price), tokens_(most_) {}

  void on_request() {
    tokens_ = std::min(most_, tokens_ + 1);
  }
  bool empty() const {
    return tokens_ < price;
  }
  /// False if the request has to end with its error.
  bool take() {
    if (empty())
      return false;
    tokens_ -= price;
    return true;
  }

private:
  /// Requests for one repetition.
  static constexpr uint64_t price = 10;

  uint64_t most_;
  uint64_t tokens_;
};

} // namespace covey::client
