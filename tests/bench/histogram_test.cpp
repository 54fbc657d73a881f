#define CAF_SUITE bench.histogram

#include "bench/histogram.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace covey::bench;

namespace {

uint64_t exact(const std::vector<uint64_t>& sorted, double q) {
  auto rank
    = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max(rank, size_t{1}) - 1];
}

/// Values over all magnitudes, as latencies are.
std::vector<uint64_t> random_values(uint64_t seed, size_t n) {
  std::mt19937_64 random{seed};
  std::vector<uint64_t> result;
  for (size_t i = 0; i < n; ++i)
    result.push_back((random() >> 25) >> (random() % 39));
  return result;
}

histogram filled(const std::vector<uint64_t>& values) {
  histogram result;
  for (auto x : values)
    result.record(x);
  return result;
}

bool same(const histogram& x, const histogram& y) {
  for (double q = 0.001; q <= 1; q += 0.001)
    if (x.quantile(q) != y.quantile(q))
      return false;
  return x.count() == y.count() && x.max() == y.max();
}

} // namespace

CAF_TEST(an empty histogram is all zeros) {
  histogram x;
  CAF_CHECK_EQUAL(x.count(), 0u);
  CAF_CHECK_EQUAL(x.max(), 0u);
  CAF_CHECK_EQUAL(x.quantile(0.5), 0u);
  CAF_CHECK_EQUAL(x.quantile(1), 0u);
  CAF_CHECK_EQUAL(x.mean(), 0.0);
}

CAF_TEST(small values are exact) {
  histogram x;
  for (uint64_t i = 1; i <= 100; ++i)
    x.record(i);
  CAF_CHECK_EQUAL(x.quantile(0.01), 1u);
  CAF_CHECK_EQUAL(x.quantile(0.5), 50u);
  CAF_CHECK_EQUAL(x.quantile(0.501), 51u);
  CAF_CHECK_EQUAL(x.quantile(0.99), 99u);
  CAF_CHECK_EQUAL(x.quantile(1), 100u);
  CAF_CHECK_EQUAL(x.mean(), 50.5);
}

CAF_TEST(quantiles of random values are at most one part in 128 too high) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    auto values = random_values(seed, 1 + 500 * seed);
    auto x = filled(values);
    std::sort(values.begin(), values.end());
    for (auto q : {0.0001, 0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      auto truth = exact(values, q);
      auto told = x.quantile(q);
      CAF_CHECK(told >= truth);
      CAF_CHECK(told - truth <= truth / histogram::parts);
    }
    CAF_CHECK_EQUAL(x.max(), values.back());
    CAF_CHECK_EQUAL(x.count(), values.size());
  }
}

CAF_TEST(neighbours at every power of two keep their order) {
  for (uint64_t power = 1; power < histogram::limit; power *= 2)
    for (auto value : {power - 1, power, power + 1}) {
      histogram x;
      x.record(value);
      x.record(histogram::limit - 1);
      auto told = x.quantile(0.5);
      CAF_CHECK(told >= value);
      CAF_CHECK(told - value <= value / histogram::parts);
    }
}

CAF_TEST(merging is as good as recording in one) {
  auto values = random_values(7, 3000);
  histogram merged;
  for (size_t i = 0; i < 3; ++i)
    merged.add(filled({values.begin() + static_cast<ptrdiff_t>(i) * 1000,
                       values.begin() + static_cast<ptrdiff_t>(i + 1) * 1000}));
  auto one = filled(values);
  CAF_CHECK(same(merged, one));
  CAF_CHECK(std::abs(merged.mean() - one.mean()) <= 1e-9 * one.mean());
  merged.add(histogram{});
  CAF_CHECK(same(merged, one));
}

CAF_TEST(values beyond the limit count and the largest is exact) {
  histogram x;
  x.record(1000);
  x.record(histogram::limit);
  x.record(UINT64_MAX);
  CAF_CHECK_EQUAL(x.count(), 3u);
  CAF_CHECK_EQUAL(x.max(), UINT64_MAX);
  CAF_CHECK_EQUAL(x.quantile(1), UINT64_MAX);
  CAF_CHECK(x.quantile(0.3) < 1010);
}
