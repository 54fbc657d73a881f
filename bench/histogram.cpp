#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace covey::bench {

namespace {

constexpr uint64_t part_bits = 7;
constexpr uint64_t limit_bits = 40;
static_assert(histogram::parts == uint64_t{1} << part_bits);
static_assert(histogram::limit == uint64_t{1} << limit_bits);

constexpr size_t bucket_count = (limit_bits - part_bits + 1) * histogram::parts;

size_t index_of(uint64_t value) {
  if (value < histogram::parts)
    return value;
  if (value >= histogram::limit)
    return bucket_count - 1;
  auto exponent = 63 - static_cast<uint64_t>(__builtin_clzll(value));
  auto shift = exponent - part_bits;
  auto part = (value >> shift) & (histogram::parts - 1);
  return (shift + 1) * histogram::parts + part;
}

/// The largest value of a bucket.
uint64_t top_of(size_t index) {
  if (index < histogram::parts)
    return index;
  auto shift = index / histogram::parts - 1;
  auto part = index % histogram::parts;
  return ((histogram::parts + part + 1) << shift) - 1;
}

} // namespace

void histogram::record(uint64_t value) {
  if (buckets_.empty())
    buckets_.resize(bucket_count);
  ++buckets_[index_of(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void histogram::add(const histogram& other) {
  if (other.count_ == 0)
    return;
  buckets_.resize(bucket_count);
  for (size_t i = 0; i < bucket_count; ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

uint64_t histogram::quantile(double q) const {
  if (count_ == 0)
    return 0;
  auto exact = std::ceil(q * static_cast<double>(count_));
  auto rank = std::clamp(static_cast<uint64_t>(exact), uint64_t{1}, count_);
  uint64_t passed = 0;
  for (size_t i = 0; i + 1 < bucket_count; ++i) {
    passed += buckets_[i];
    if (passed >= rank)
      return std::min(top_of(i), max_);
  }
  return max_;
}

} // namespace covey::bench
