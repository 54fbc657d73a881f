// The limit of requests in flight, alone and in front of a queue.

#define CAF_SUITE core.load_limit

#include "core/load_limit.hpp"

#include <caf/test/unit_test.hpp>

#include <deque>

using namespace covey::core;

namespace {

constexpr uint32_t most = 20'000;

/// A server that answers in order, at a rate, those that have not expired; what
/// it takes up costs it half a turn even if it expires before it is answered.
struct queue {
  explicit queue(bool is_limited) : load(most), limited(is_limited) {}

  /// Offers and serves so many a second; gives the answers in time a second.
  uint64_t run(uint64_t offered, uint64_t served, uint64_t seconds) {
    constexpr uint64_t step_us = 1000;
    uint64_t done = 0;
    for (auto end = now + seconds * 1'000'000; now < end; now += step_us) {
      arrive += offered;
      for (; arrive >= 1000; arrive -= 1000)
        if (waiting.size() < (limited ? load.limit() : most))
          waiting.push_back(now);
      room += 2 * served;
      while (room >= 2000 && !waiting.empty()) {
        auto waited = now - waiting.front();
        waiting.pop_front();
        auto in_time = waited < given_us;
        room -= in_time ? 2000 : 1000;
        done += in_time ? 1 : 0;
        load.answered(waited, given_us, in_time);
      }
      if (waiting.empty())
        room = 0;
      load.tick(now);
    }
    return done / seconds;
  }

  static constexpr uint64_t given_us = 1'000'000;
  load_limit load;
  bool limited;
  std::deque<uint64_t> waiting;
  uint64_t now = 1'000'000;
  uint64_t arrive = 0;
  uint64_t room = 0;
};

} // namespace

CAF_TEST(early answers leave the limit at its most) {
  load_limit load{most};
  for (uint64_t t = 0; t < 50; ++t) {
    for (auto i = 0; i < 100; ++i)
      load.answered(10'000, 1'000'000, true);
    load.tick(t * load_limit::window_us);
  }
  CAF_CHECK_EQUAL(load.limit(), most);
}

CAF_TEST(late answers set the limit to what is served in time) {
  load_limit load{most};
  load.tick(1'000'000);
  for (auto i = 0; i < 400; ++i)
    load.answered(300'000, 1'000'000, true);
  load.tick(1'000'000 + load_limit::window_us);
  // 4,000 a second, and a quarter of a second is worth waiting.
  CAF_CHECK_EQUAL(load.limit(), 1000u);
}

CAF_TEST(a few slow answers say nothing about the load) {
  load_limit load{most};
  load.tick(1'000'000);
  for (auto i = 0; i < 15; ++i)
    load.answered(1'000'000, 1'000'000, false);
  load.tick(1'000'000 + load_limit::window_us);
  CAF_CHECK_EQUAL(load.limit(), most);
  // Nor do some among many: a home may be frozen.
  for (auto i = 0; i < 1000; ++i)
    load.answered(i < 200 ? 1'000'000 : 1'000, 1'000'000, i >= 200);
  load.tick(1'000'000 + 2 * load_limit::window_us);
  CAF_CHECK_EQUAL(load.limit(), most);
}

CAF_TEST(the limit never falls below its least and grows back) {
  load_limit load{most};
  load.tick(1'000'000);
  for (auto i = 0; i < 100; ++i)
    load.answered(1'000'000, 1'000'000, false);
  load.tick(1'000'000 + load_limit::window_us);
  CAF_CHECK_EQUAL(load.limit(), load_limit::least);
  for (uint64_t t = 2; t < 60; ++t)
    load.tick(1'000'000 + t * load_limit::window_us);
  CAF_CHECK_EQUAL(load.limit(), most);
}

CAF_TEST(a pause of our own is no load) {
  load_limit load{most};
  load.tick(1'000'000);
  for (auto i = 0; i < 100; ++i)
    load.answered(1'000'000, 1'000'000, false);
  load.tick(60'000'000);
  CAF_CHECK_EQUAL(load.limit(), most);
  // Nor is a clock that was stepped back.
  for (auto i = 0; i < 100; ++i)
    load.answered(1'000'000, 1'000'000, false);
  load.tick(5'000'000);
  CAF_CHECK_EQUAL(load.limit(), most);
}

CAF_TEST(ten times the load leaves four fifths of the answers) {
  queue limited{true};
  CAF_CHECK(limited.run(50'000, 5'000, 20) >= 4'500);
  // The reason for it: all that is answered has waited nearly too long.
  queue unlimited{false};
  CAF_CHECK(unlimited.run(50'000, 5'000, 20) < 4'000);
}

CAF_TEST(a burst after silence is taken whole) {
  queue q{true};
  q.run(10, 10'000, 2);
  // A fifth of a second of work at once.
  q.arrive += 2'000'000;
  CAF_CHECK_EQUAL(q.run(10, 10'000, 1), 2'010u);
}
