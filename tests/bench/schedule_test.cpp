#define CAF_SUITE bench.schedule

#include "bench/schedule.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace covey::bench;
using namespace std::chrono_literals;

CAF_TEST(requests start evenly whatever became of those before) {
  schedule x{1000};
  CAF_CHECK(x.start_of(0) == 0ns);
  CAF_CHECK(x.start_of(1) == 1ms);
  CAF_CHECK(x.start_of(60'000) == 60s);
  CAF_CHECK_EQUAL(x.due(-1ns), 0u);
  CAF_CHECK_EQUAL(x.due(0ns), 1u);
  CAF_CHECK_EQUAL(x.due(999'999ns), 1u);
  CAF_CHECK_EQUAL(x.due(1ms), 2u);
  // A sender that was held up for a second finds a thousand due at once.
  CAF_CHECK_EQUAL(x.due(5s) - x.due(4s), 1000u);
}

CAF_TEST(rates below one a second work) {
  schedule x{0.25};
  CAF_CHECK(x.start_of(3) == 12s);
  CAF_CHECK_EQUAL(x.due(11s), 3u);
  CAF_CHECK_EQUAL(x.due(12s), 4u);
}

CAF_TEST(what is due has started and what is not has not ) {
  std::mt19937_64 random{1};
  for (auto rate : {0.3, 7.0, 999.9, 33'333.0, 1e6 / 3, 9'999'999.0}) {
    schedule x{rate};
    for (int i = 0; i < 1000; ++i) {
      std::chrono::nanoseconds at{
        static_cast<int64_t>(random() % 100'000'000'000)};
      auto due = x.due(at);
      CAF_CHECK(due > 0);
      CAF_CHECK(x.start_of(due - 1) <= at);
      CAF_CHECK(x.start_of(due) > at);
    }
  }
}
