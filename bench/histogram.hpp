// A log-linear histogram: quantiles of many latencies in little memory.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace covey::bench {

/// Counts values (nanoseconds, by convention) in buckets: each power of two is
/// cut into 128 equal parts, so that a quantile is reported at most 1/128 too
/// high and never too low. Merging two histograms loses nothing. The idea is
/// that of G. Tene's HdrHistogram, which Debian does not ship for C++.
class histogram {
public:
  /// Values from here on (18 minutes in nanoseconds) share the last bucket.
  static constexpr uint64_t limit = uint64_t{1} << 40;
  static constexpr uint64_t parts = 128;

  void record(uint64_t value);
  void add(const histogram& other);

  uint64_t count() const {
    return count_;
  }
  /// Exact; zero if there are no values.
  uint64_t max() const {
    return max_;
  }
  /// Exact; zero if there are no values.
  double mean() const;
  /// The smallest reported value that at least `q` of all values, 0 < q <= 1,
  /// do not exceed; zero if there are no values. In the last bucket: `max`.
  uint64_t quantile(double q) const;

private:
  /// Empty until the first value.
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t max_ = 0;
  double sum_ = 0;
};

} // namespace covey::bench
