// What came of the operations of a stretch of time.

#pragma once

#include "bench/histogram.hpp"
#include "bench/workload.hpp"
#include "messages/errors.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace covey::bench {

/// Latencies in nanoseconds. Values add up.
struct measurements {
  /// Of operations that succeeded, by kind. A get that found nothing did.
  std::array<histogram, op_kinds> latency;
  /// Of operations that failed.
  histogram failed;
  /// How much later than intended requests were sent; open loop only.
  histogram late;
  std::map<errc, uint64_t> errors;
  /// Requests of an open loop whose time came, and which could not be sent
  /// before the end. They count as failed, after what they had waited.
  uint64_t not_sent = 0;
  /// Gets that found no value, or several.
  uint64_t not_found = 0;
  uint64_t siblings = 0;

  void add(const measurements& other);
  histogram all() const;
  /// Operations that succeeded.
  uint64_t succeeded() const;
  /// Operations that failed or were not sent.
  uint64_t error_count() const {
    return failed.count();
  }
  /// How many of each sort, with names for people.
  std::map<std::string, uint64_t> named_errors() const;
};

} // namespace covey::bench
