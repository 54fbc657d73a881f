// When the requests of an open loop are to start.

#pragma once

#include <chrono>
#include <cstdint>

namespace covey::bench {

/// Request i starts i / rate seconds after the first, whatever became of those
/// before it: a stall of the servers is then seen by every request that would
/// have started in it (G. Tene, "How NOT to Measure Latency": coordinated
/// omission). A value: times are counted from the first start.
class schedule {
public:
  /// `rate` in requests a second, > 0.
  explicit schedule(double rate) : rate_(rate) {}

  std::chrono::nanoseconds start_of(uint64_t i) const;
  /// How many requests are to have started by then: those with
  /// `start_of(i) <= since_first`.
  uint64_t due(std::chrono::nanoseconds since_first) const;

private:
  double rate_;
};

} // namespace covey::bench
