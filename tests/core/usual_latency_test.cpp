// How long a node usually takes, against sorted samples.

#define CAF_SUITE core.usual_latency

#include "core/share_limit.hpp"
#include "core/usual_latency.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

using namespace covey::core;

CAF_TEST(nothing is said of one in a hundred before a hundred samples) {
  usual_latency x;
  CAF_CHECK_EQUAL(x.mean_us(), 0u);
  for (uint32_t i = 1; i < usual_latency::min_samples; ++i)
    x.add(500);
  CAF_CHECK(!x.p99_us());
  x.add(500);
  CAF_REQUIRE(x.p99_us());
  CAF_CHECK_EQUAL(x.mean_us(), 500u);
}

CAF_TEST(the percentile is that of the sorted samples or up to an eighth more) {
  std::mt19937_64 random{7};
  for (auto scale : {1ull, 10ull, 300ull, 5'000ull, 100'000ull}) {
    usual_latency x;
    std::vector<uint64_t> all;
    for (uint32_t i = 0; i < 3'000; ++i) {
      auto us = random() % scale + (random() % 50 == 0 ? 10 * scale : 0);
      x.add(us);
      all.push_back(us);
    }
    std::sort(all.begin(), all.end());
    auto exact = all[all.size() - 1 - all.size() / 100];
    auto found = x.p99_us();
    CAF_REQUIRE(found);
    CAF_CHECK(*found > exact);
    CAF_CHECK(*found <= exact + exact / 8 + 1);
  }
}

CAF_TEST(times beyond the range count as the longest) {
  usual_latency x;
  for (uint32_t i = 0; i < 200; ++i)
    x.add(UINT64_MAX / 16);
  CAF_CHECK_EQUAL(x.p99_us().value_or(0), uint64_t{1} << 24);
}

CAF_TEST(the mean follows within some ten samples and the percentile later) {
  usual_latency x;
  for (uint32_t i = 0; i < 4'000; ++i)
    x.add(1'000);
  for (uint32_t i = 0; i < 10; ++i)
    x.add(100'000);
  CAF_CHECK(x.mean_us() > 50'000);
  CAF_CHECK(x.p99_us().value_or(0) < 2'000);
  for (uint32_t i = 0; i < 100; ++i)
    x.add(100'000);
  CAF_CHECK(x.p99_us().value_or(0) > 100'000);
}

CAF_TEST(old samples give way to new ones) {
  usual_latency x;
  for (uint32_t i = 0; i < 4'000; ++i)
    x.add(100'000);
  for (uint32_t i = 0; i < 40'000; ++i)
    x.add(1'000);
  CAF_CHECK(x.p99_us().value_or(0) < 2'000);
}

CAF_TEST(who was not asked between two calls is forgotten) {
  usual_latency x;
  x.add(1'000);
  x.age();
  CAF_CHECK_EQUAL(x.mean_us(), 1'000u);
  x.add(1'000);
  x.age();
  CAF_CHECK_EQUAL(x.mean_us(), 1'000u);
  x.age();
  CAF_CHECK_EQUAL(x.mean_us(), 0u);
}

CAF_TEST(extra work is a share of the ordinary with a burst) {
  share_limit x{10, 2};
  CAF_CHECK(x.take());
  CAF_CHECK(x.take());
  CAF_CHECK(!x.take());
  for (int i = 0; i < 9; ++i)
    x.ordinary();
  CAF_CHECK(!x.take());
  x.ordinary();
  CAF_CHECK(x.take());
  for (int i = 0; i < 1'000; ++i)
    x.ordinary();
  CAF_CHECK(x.take());
  CAF_CHECK(x.take());
  CAF_CHECK(!x.take());
}
