#include "core/usual_latency.hpp"

#include <algorithm>

namespace covey::core {

size_t usual_latency::bucket_of(uint64_t us) {
  us = std::min<uint64_t>(us, (1u << 24) - 1);
  if (us < 8)
    return us;
  auto exponent = static_cast<size_t>(63 - __builtin_clzll(us));
  return (exponent - 2) * 8 + (us >> (exponent - 3)) - 8;
}

uint64_t usual_latency::end_of(size_t bucket) {
  if (bucket < 8)
    return bucket + 1;
  return uint64_t{bucket % 8 + 9} << (bucket / 8 - 1);
}

void usual_latency::halve() {
  total_ = 0;
  for (auto& n : counts_) {
    n /= 2;
    total_ += n;
  }
}

void usual_latency::add(uint64_t us) {
  asked_ = true;
  mean_us_ = mean_us_ == 0 ? us : mean_us_ - mean_us_ / 8 + us / 8;
  ++counts_[bucket_of(us)];
  if (++total_ >= max_samples)
    halve();
}

void usual_latency::age() {
  if (!asked_)
    *this = {};
  asked_ = false;
}

std::optional<uint64_t> usual_latency::p99_us() const {
  if (total_ < min_samples)
    return std::nullopt;
  auto beyond = total_ / 100;
  auto i = buckets;
  for (uint32_t seen = 0; i > 0 && seen <= beyond; --i)
    seen += counts_[i - 1];
  return end_of(i);
}

} // namespace covey::core
