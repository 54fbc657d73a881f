// How long a node usually takes to answer.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace covey::core {

/// Fed with the times of answers, in microseconds; of what was given up, with
/// how long it was waited for, or only the quick would count. A mean that
/// follows within some ten samples (weight 1/8, as RFC 6298 smooths round
/// trips), and the 99th percentile of the last few thousand.
class usual_latency {
public:
  /// Fewer samples tell nothing of one in a hundred.
  static constexpr uint32_t min_samples = 100;
  /// Then all counts are halved, so that the new ones weigh more.
  static constexpr uint32_t max_samples = 4096;

  void add(uint64_t us);
  /// To be called at long intervals: forgets everything if there was no sample
  /// since the last call, so that whoever was slow once is tried again.
  void age();
  /// 0 if nothing is known.
  uint64_t mean_us() const {
    return mean_us_;
  }
  /// 99 of 100 samples were shorter: at most an eighth too high.
  std::optional<uint64_t> p99_us() const;

private:
  // Eight buckets for each power of two, up to 2^24 us.
  static constexpr size_t buckets = size_t{22} * 8;

  static size_t bucket_of(uint64_t us);
  /// The first value beyond a bucket.
  static uint64_t end_of(size_t bucket);
  void halve();

  std::array<uint32_t, buckets> counts_{};
  uint32_t total_ = 0;
  uint64_t mean_us_ = 0;
  bool asked_ = false;
};

} // namespace covey::core
