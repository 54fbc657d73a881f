// The small values that links, shards and the supervisor are made of.

#define CAF_SUITE core.small_parts

#include "core/backoff.hpp"
#include "core/clock_offset.hpp"
#include "core/credit_window.hpp"
#include "core/restart_limit.hpp"
#include "core/shard_state.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace covey::core;

CAF_TEST(without samples the clocks are taken for equal) {
  clock_offset clock;
  CAF_CHECK_EQUAL(clock.offset_us(), 0);
  CAF_CHECK_EQUAL(clock.to_peer(5), 5u);
}

CAF_TEST(the offset is what the way back cannot have hidden) {
  clock_offset clock;
  clock.sample(1000, 1200, 5100);
  CAF_CHECK_EQUAL(clock.offset_us(), 3900);
  CAF_CHECK_EQUAL(clock.round_trip_us(), 200u);
  CAF_CHECK_EQUAL(clock.to_peer(10'000), 13'900u);
}

CAF_TEST(a peer that is behind has a negative offset) {
  clock_offset clock;
  clock.sample(10'000, 10'000, 4'000);
  CAF_CHECK_EQUAL(clock.offset_us(), -6000);
  CAF_CHECK_EQUAL(clock.to_peer(10'000), 4'000u);
}

CAF_TEST(the highest of the lower bounds holds) {
  clock_offset clock;
  clock.assume(0, 30);
  CAF_CHECK_EQUAL(clock.offset_us(), 30);
  clock.sample(0, 1000, 600);
  CAF_CHECK_EQUAL(clock.offset_us(), 30);
  clock.sample(2000, 2010, 2105);
  clock.sample(3000, 4000, 3900);
  CAF_CHECK_EQUAL(clock.offset_us(), 95);
  CAF_CHECK_EQUAL(clock.round_trip_us(), 10u);
}

CAF_TEST(a peer that was frozen when we asked makes no deadline later) {
  clock_offset clock;
  // Four seconds on the way there, none on the way back.
  clock.sample(1'000'000, 5'000'000, 5'000'000);
  CAF_CHECK_EQUAL(clock.to_peer(6'000'000), 6'000'000u);
  // The answer waited while we were frozen: too early, until the next one.
  clock.reset();
  clock.sample(1'000'000, 5'000'000, 1'000'000);
  CAF_CHECK_EQUAL(clock.to_peer(6'000'000), 2'000'000u);
  clock.sample(5'500'000, 5'500'200, 5'500'100);
  CAF_CHECK_EQUAL(clock.to_peer(6'000'000), 5'999'900u);
}

CAF_TEST(a good sample is forgotten after eight others) {
  clock_offset clock;
  clock.sample(0, 10, 105);
  for (auto i = 0; i < 7; ++i)
    clock.sample(1000, 1100, 1050 + 100);
  CAF_CHECK_EQUAL(clock.offset_us(), 95);
  clock.sample(1000, 1100, 1050 + 100);
  CAF_CHECK_EQUAL(clock.offset_us(), 50);
}

CAF_TEST(one sample shows that a clock was set) {
  clock_offset clock;
  clock.sample(0, 10, 105);
  clock.sample(1000, 1010, 905);
  CAF_CHECK_EQUAL(clock.offset_us(), -105);
  clock.sample(2000, 2010, 9005);
  CAF_CHECK_EQUAL(clock.offset_us(), 6995);
}

CAF_TEST(a sample across a step backwards of our clock is ignored) {
  clock_offset clock;
  clock.sample(1000, 900, 50'000);
  CAF_CHECK_EQUAL(clock.offset_us(), 0);
}

CAF_TEST(a new session starts without samples) {
  clock_offset clock;
  clock.sample(0, 10, 105);
  clock.reset();
  CAF_CHECK_EQUAL(clock.offset_us(), 0);
  clock.sample(0, 1000, 1007);
  CAF_CHECK_EQUAL(clock.offset_us(), 7);
}

CAF_TEST(the offset is never too high and lacks the shortest way back) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random{seed};
    auto truth = static_cast<int64_t>(random() % 2'000'000) - 1'000'000;
    clock_offset clock;
    auto shortest = INT64_MAX;
    for (auto n = 1 + random() % 8; n > 0; --n) {
      auto sent = 10'000'000 + random() % 1'000'000;
      auto there = random() % 5000;
      auto back = random() % 5000;
      clock.sample(sent, sent + there + back,
                   sent + there + static_cast<uint64_t>(truth));
      shortest = std::min(shortest, static_cast<int64_t>(back));
    }
    if (clock.offset_us() != truth - shortest)
      CAF_FAIL("seed " << seed << ": off by " << truth - clock.offset_us()
                       << " us");
  }
  CAF_CHECK(true);
}

CAF_TEST(waits double up to the limit and start anew after a reset) {
  backoff wait{50, 300};
  // A random number of step/2 picks the whole step.
  CAF_CHECK_EQUAL(wait.next(25), 50u);
  CAF_CHECK_EQUAL(wait.next(50), 100u);
  CAF_CHECK_EQUAL(wait.next(100), 200u);
  CAF_CHECK_EQUAL(wait.next(150), 300u);
  CAF_CHECK_EQUAL(wait.next(150), 300u);
  wait.reset();
  CAF_CHECK_EQUAL(wait.next(25), 50u);
}

CAF_TEST(a wait lies in the upper half of its step) {
  std::mt19937_64 random{1};
  auto lowest = uint64_t{1000};
  auto highest = uint64_t{0};
  for (auto i = 0; i < 2000; ++i) {
    backoff wait{100, 1000};
    auto ms = wait.next(random());
    lowest = std::min(lowest, ms);
    highest = std::max(highest, ms);
  }
  CAF_CHECK_EQUAL(lowest, 50u);
  CAF_CHECK_EQUAL(highest, 100u);
}

CAF_TEST(bytes under way are limited until they are acknowledged) {
  credit_window credit{100, 10};
  // What is larger than the limit may go, but alone.
  CAF_CHECK(credit.admits(101));
  credit.sent(60);
  CAF_CHECK(credit.admits(40));
  CAF_CHECK(!credit.admits(41));
  credit.acknowledged(50);
  CAF_CHECK_EQUAL(credit.bytes_under_way(), 10u);
  CAF_CHECK(credit.admits(90));
}

CAF_TEST(a lost or late acknowledgement does no harm) {
  credit_window credit{100, 10};
  credit.sent(60);
  credit.acknowledged(60);
  credit.acknowledged(20);
  CAF_CHECK_EQUAL(credit.bytes_under_way(), 0u);
  // A peer cannot acknowledge what was never sent.
  credit.acknowledged(1000);
  CAF_CHECK_EQUAL(credit.bytes_under_way(), 0u);
  credit.sent(100);
  CAF_CHECK(!credit.admits(1));
}

CAF_TEST(requests are limited until they are answered) {
  credit_window credit{1000, 2};
  credit.opened();
  CAF_CHECK(credit.admits(1));
  credit.opened();
  CAF_CHECK(!credit.admits(1));
  credit.closed();
  CAF_CHECK(credit.admits(1));
  credit.closed();
  credit.closed();
  CAF_CHECK_EQUAL(credit.requests(), 0u);
}

CAF_TEST(a new session has the whole credit) {
  credit_window credit{100, 1};
  credit.sent(100);
  credit.opened();
  credit.reset();
  CAF_CHECK(credit.admits(100));
  CAF_CHECK_EQUAL(credit.bytes_under_way(), 0u);
  CAF_CHECK_EQUAL(credit.requests(), 0u);
}

CAF_TEST(one crash too many within the window is not allowed) {
  restart_limit limit{2, 1000};
  CAF_CHECK(limit.allows(0));
  CAF_CHECK(limit.allows(999));
  CAF_CHECK(!limit.allows(999));
}

CAF_TEST(crashes older than the window do not count) {
  restart_limit limit{2, 1000};
  CAF_CHECK(limit.allows(0));
  CAF_CHECK(limit.allows(500));
  CAF_CHECK(limit.allows(1000));
  CAF_CHECK(!limit.allows(1499));
  CAF_CHECK(limit.allows(1500));
}

CAF_TEST(a limit of none allows none) {
  restart_limit limit{0, 1000};
  CAF_CHECK(!limit.allows(5));
}

CAF_TEST(the state of a shard comes back as it was stored) {
  for (auto clean : {true, false}) {
    auto copy = decode_shard_state(encode({0x1234567890abcdef, 42, clean}));
    CAF_REQUIRE(copy);
    CAF_CHECK_EQUAL(copy->inc, 0x1234567890abcdefu);
    CAF_CHECK_EQUAL(copy->counter, 42u);
    CAF_CHECK_EQUAL(copy->clean, clean);
  }
}

CAF_TEST(the bytes of the state of a shard are frozen) {
  CAF_CHECK_EQUAL(encode({0x0102030405060708, 9, true}),
                  std::string("\x01\x01\x02\x03\x04\x05\x06\x07\x08"
                              "\0\0\0\0\0\0\0\x09\x01",
                              18));
}

CAF_TEST(a damaged state is none) {
  auto good = encode({7, 42, true});
  for (size_t n = 0; n < good.size(); ++n)
    CAF_CHECK(!decode_shard_state(good.substr(0, n)));
  CAF_CHECK(!decode_shard_state(good + "x"));
  auto newer = good;
  newer[0] = 2;
  CAF_CHECK(!decode_shard_state(newer));
  auto unclear = good;
  unclear.back() = 2;
  CAF_CHECK(!decode_shard_state(unclear));
  // An incarnation of zero is never used.
  CAF_CHECK(!decode_shard_state(encode({0, 42, true})));
}
