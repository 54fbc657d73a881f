// What a put waits for, against homes counted one by one.

#define CAF_SUITE core.put_core

#include "core/put_core.hpp"
#include "tests/core/level_model.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace covey::core;

namespace {

using verdict = put_core::verdict;
using homes = model::homes;

requirement need(consistency_level level, const homes& xs = {"a", "a", "a"},
                 uint32_t number = 0) {
  auto result = requirement_of({level, number}, xs, "a");
  CAF_REQUIRE(result);
  return *result;
}

put_core quorum_of_three(bool strict = true) {
  return put_core{need(consistency_level::quorum), strict, 3};
}

verdict durable(put_core& put, uint8_t home) {
  put.durable(home);
  return put.judge();
}

verdict failed(put_core& put, uint8_t home) {
  put.failed(home);
  return put.judge();
}

struct event {
  uint8_t home;
  bool durable;
};

/// Each home once, or failed first and durable late; in random order.
std::vector<event> random_events(size_t n, std::mt19937_64& random) {
  std::vector<event> result;
  for (uint8_t i = 0; i < n; ++i) {
    auto kind = random() % 3;
    if (kind != 0)
      result.push_back({i, false});
    if (kind != 1)
      result.push_back({i, true});
  }
  for (size_t i = result.size(); i > 1; --i)
    std::swap(result[i - 1], result[random() % i]);
  return result;
}

/// Runs one random put; says what went wrong, nothing if all went well.
std::string trial(consistency_level level, const homes& xs,
                  std::mt19937_64& random) {
  auto n = static_cast<uint8_t>(xs.size());
  put_core put{need(level, xs), true, n};
  home_set good = 0;
  home_set bad = 0;
  auto answers = 0;
  for (auto e : random_events(n, random)) {
    auto bit = home_set{1} << e.home;
    if (e.durable)
      good |= bit;
    else
      bad |= bit;
    bad &= ~good;
    auto v = e.durable ? durable(put, e.home) : failed(put, e.home);
    auto met = model::enough(level, xs, good);
    auto possible = model::enough(level, xs, ~bad);
    if (v != verdict::wait && ++answers > 1)
      return "answered twice";
    if (v == verdict::succeed && !met)
      return "succeeded without being met";
    if (v == verdict::fail && (met || possible))
      return "failed too early";
    if (answers == 0 && (met || !possible))
      return "did not answer as soon as it could";
    if (put.answered() != (answers > 0))
      return "does not know whether it has answered";
    if (put.settled() != (good == (home_set{1} << n) - 1))
      return "does not know whether all homes have it";
    if (put.unattended() != bad)
      return "does not know which homes need a stand-in";
    if (put.acked() != good || put.failures() != bad)
      return "counts the wrong homes";
  }
  return answers == 1 ? "" : "never answered";
}

} // namespace

CAF_TEST(a put succeeds with the home that completes the level) {
  auto put = quorum_of_three();
  CAF_CHECK(durable(put, 1) == verdict::wait);
  CAF_CHECK(!put.answered());
  CAF_CHECK(durable(put, 0) == verdict::succeed);
  CAF_CHECK(put.answered());
}

CAF_TEST(one home counts once however often it reports) {
  auto put = quorum_of_three();
  CAF_CHECK(durable(put, 1) == verdict::wait);
  CAF_CHECK(durable(put, 1) == verdict::wait);
  CAF_CHECK_EQUAL(count(put.acked()), 1u);
}

CAF_TEST(a put fails once too few homes are left) {
  auto put = quorum_of_three();
  CAF_CHECK(failed(put, 0) == verdict::wait);
  CAF_CHECK(failed(put, 2) == verdict::fail);
}

CAF_TEST(what comes after the answer changes nothing for the client) {
  auto put = quorum_of_three();
  durable(put, 0);
  durable(put, 1);
  CAF_CHECK(put.answered());
  CAF_CHECK(failed(put, 2) == verdict::wait);
  CAF_CHECK(!put.settled());
  put.stand_in(2, put_core::here, false);
  put.kept(2);
  CAF_CHECK(put.settled());
}

CAF_TEST(a home that was given up and answers late has it all the same) {
  auto put = quorum_of_three();
  CAF_CHECK(failed(put, 0) == verdict::wait);
  CAF_CHECK(durable(put, 0) == verdict::wait);
  CAF_CHECK_EQUAL(put.failures(), 0u);
  CAF_CHECK(durable(put, 1) == verdict::succeed);
}

CAF_TEST(a failure after the acknowledgement of the same home does not count) {
  auto put = quorum_of_three();
  put.durable(1);
  CAF_CHECK(failed(put, 1) == verdict::wait);
  CAF_CHECK(failed(put, 0) == verdict::wait);
  CAF_CHECK(durable(put, 2) == verdict::succeed);
}

CAF_TEST(a stand - in counts in a sloppy put and not in a strict one) {
  for (auto strict : {false, true}) {
    auto put = quorum_of_three(strict);
    put.failed(0);
    put.failed(2);
    CAF_CHECK_EQUAL(put.unattended(), 0b101u);
    put.stand_in(0, 3, true);
    put.stand_in(2, put_core::here, false);
    CAF_CHECK_EQUAL(put.unattended(), 0u);
    CAF_CHECK_EQUAL(put.possible(), !strict);
    put.durable(1);
    put.hinted(3);
    CAF_CHECK(put.judge() == (strict ? verdict::fail : verdict::succeed));
    CAF_CHECK(!put.met_by_homes());
    CAF_CHECK_EQUAL(count(put.counted()), strict ? 1u : 2u);
    CAF_CHECK(!put.settled());
    put.kept(2);
    CAF_CHECK(put.settled());
  }
}

CAF_TEST(the hint that the coordinating node keeps never counts) {
  auto put = quorum_of_three(false);
  put.failed(0);
  put.failed(2);
  put.stand_in(0, put_core::here, false);
  put.stand_in(2, put_core::here, false);
  CAF_CHECK(!put.possible());
  put.kept(0);
  put.kept(2);
  CAF_CHECK(durable(put, 1) == verdict::fail);
}

CAF_TEST(a stand - in that fails is followed by another
         and is not asked again) {
  auto put = quorum_of_three(false);
  put.failed(0);
  put.stand_in(0, 3, true);
  CAF_CHECK(put.used(3));
  put.hint_failed(3);
  CAF_CHECK_EQUAL(put.unattended(), 0b001u);
  CAF_CHECK(put.used(3));
  put.stand_in(0, 4, true);
  // The first one, late: it stands for nobody.
  put.hinted(3);
  CAF_CHECK_EQUAL(put.counted(), 0u);
  put.hinted(4);
  CAF_CHECK_EQUAL(put.counted(), 0b001u);
}

CAF_TEST(a home and its stand - in count once) {
  put_core put{need(consistency_level::all), false, 3};
  put.slow(0);
  put.stand_in(0, 3, true);
  put.hinted(3);
  put.durable(0);
  CAF_CHECK(durable(put, 1) == verdict::wait);
  CAF_CHECK(durable(put, 2) == verdict::succeed);
  CAF_CHECK(put.met_by_homes());
}

CAF_TEST(a stand-in of another data centre does not count for a local level) {
  put_core put{need(consistency_level::local_quorum, {"a", "a", "b"}), false,
               3};
  put.failed(0);
  put.stand_in(0, 3, false);
  CAF_CHECK(!put.possible());
}

CAF_TEST(a put closed from outside says no more) {
  auto put = quorum_of_three();
  put.close();
  CAF_CHECK(durable(put, 0) == verdict::wait);
  CAF_CHECK(durable(put, 1) == verdict::wait);
  CAF_CHECK(durable(put, 2) == verdict::wait);
  CAF_CHECK(put.settled());
}

CAF_TEST(answers exactly once and never success unless met in any order) {
  const std::vector<homes> placements{
    {"a"},
    {"a", "a"},
    {"a", "a", "a"},
    {"a", "b", "a", "b"},
    {"a", "a", "b", "b", "b"},
    {"a", "b", "a", "b", "a", "b"},
  };
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    std::mt19937_64 random{seed};
    for (const auto& xs : placements)
      for (auto level :
           {consistency_level::one, consistency_level::two,
            consistency_level::quorum, consistency_level::local_quorum,
            consistency_level::each_quorum, consistency_level::all}) {
        if (level == consistency_level::two && xs.size() < 2)
          continue;
        auto wrong = trial(level, xs, random);
        if (!wrong.empty())
          CAF_FAIL("seed " << seed << ", " << to_string(consistency{level, 0})
                           << " of " << xs.size() << " homes: " << wrong);
      }
  }
  CAF_CHECK(true);
}
