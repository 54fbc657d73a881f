#define CAF_SUITE core.hybrid_clock

#include "core/hybrid_clock.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <random>

using covey::core::hybrid_clock;

namespace {

constexpr auto end_of_time = std::numeric_limits<uint64_t>::max();

/// The next stamp; zero if it is refused.
uint64_t stamp_of(hybrid_clock& clock, uint64_t now_us, uint64_t floor) {
  return clock.next(now_us, floor).value_or(0);
}

} // namespace

CAF_TEST(follows the wall clock while it moves forward) {
  hybrid_clock clock{100};
  CAF_CHECK_EQUAL(stamp_of(clock, 1000, 0), 1000u);
  CAF_CHECK_EQUAL(stamp_of(clock, 2000, 1500), 2000u);
}

CAF_TEST(never goes backwards when the wall clock does) {
  hybrid_clock clock{100};
  CAF_CHECK_EQUAL(stamp_of(clock, 1000, 0), 1000u);
  CAF_CHECK_EQUAL(stamp_of(clock, 1000, 0), 1001u);
  CAF_CHECK_EQUAL(stamp_of(clock, 950, 0), 1002u);
}

CAF_TEST(a write that is executed late is as old as it is) {
  hybrid_clock clock{100};
  CAF_CHECK_EQUAL(stamp_of(clock, 5000, 0), 5000u);
  CAF_CHECK(clock.of(1000, 5000, 0) == uint64_t{1000});
  CAF_CHECK(clock.of(1000, 5000, 2000) == uint64_t{2001});
  CAF_CHECK(clock.of(9000, 5000, 0) == uint64_t{5000});
  CAF_CHECK(clock.of(1000, 5000, 5099) == uint64_t{5100});
  CAF_CHECK(!clock.of(1000, 5000, 5100));
  CAF_CHECK(!clock.of(1000, 5000, end_of_time));
}

CAF_TEST(exceeds the stamp that it must replace) {
  hybrid_clock clock{100};
  CAF_CHECK_EQUAL(stamp_of(clock, 1000, 1000), 1001u);
  CAF_CHECK_EQUAL(stamp_of(clock, 1000, 1050), 1051u);
}

CAF_TEST(refuses a stamp too far ahead and stays as it was) {
  hybrid_clock clock{100};
  CAF_CHECK_EQUAL(stamp_of(clock, 1000, 1099), 1100u);
  CAF_CHECK(!clock.next(1000, 0));
  CAF_CHECK(!clock.next(1001, 5000));
  CAF_CHECK_EQUAL(stamp_of(clock, 1001, 0), 1101u);
  CAF_CHECK_EQUAL(stamp_of(clock, 1200, 0), 1200u);
}

CAF_TEST(refuses to exceed the end of time) {
  hybrid_clock clock{end_of_time};
  CAF_CHECK(!clock.next(1000, end_of_time));
  CAF_CHECK_EQUAL(stamp_of(clock, 1000, 0), 1000u);
  CAF_CHECK_EQUAL(stamp_of(clock, end_of_time, 0), end_of_time);
  CAF_CHECK(!clock.next(end_of_time, 0));
}

CAF_TEST(stamps rise and exceed their floors under any wall clock) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 engine{seed};
    hybrid_clock clock{50};
    uint64_t last = 0;
    for (auto i = 0; i < 100; ++i) {
      auto now = 1000 + engine() % 100;
      auto floor = 950 + engine() % 150;
      auto stamp = clock.next(now, floor);
      auto least = std::max({last + 1, floor + 1, now});
      if (stamp.has_value() != (least <= now + 50)
          || (stamp && *stamp != least))
        CAF_FAIL("seed " << seed << " at step " << i);
      last = stamp.value_or(last);
    }
  }
}
