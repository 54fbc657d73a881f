// What the load of the chaos run notes of its answers.

#define CAF_SUITE chaos.recorder

#include "messages/errors.hpp"
#include "tests/chaos/recorder.hpp"
#include "tests/chaos/second_counts.hpp"

#include <caf/test/unit_test.hpp>

#include <sstream>

using namespace covey;
using namespace covey::chaos;

namespace {

client::result answer(errc code, bool maybe_written = false) {
  client::result r;
  r.code = code;
  r.maybe_written = maybe_written;
  r.homes = code == errc::none;
  return r;
}

struct fixture {
  recorder log;

  size_t begin(const std::string& value, uint64_t at) {
    simulation::put_event x;
    x.key = "k";
    x.value = value;
    x.invoked_us = at;
    return log.begin_put(std::move(x));
  }
  void put(const std::string& value, uint64_t from, uint64_t to,
           const client::result& r) {
    log.end_put("k", begin(value, from), r, to);
  }
  void get(std::vector<std::string> values, uint64_t from, uint64_t to) {
    log.add_get({"k", std::move(values), from, to});
  }
};

} // namespace

CAF_TEST(only an error that excludes the write refuses it) {
  CAF_CHECK(outcome_of(answer(errc::none)) == outcome::acknowledged);
  CAF_CHECK(outcome_of(answer(errc::unavailable)) == outcome::refused);
  CAF_CHECK(outcome_of(answer(errc::disk_full)) == outcome::refused);
  CAF_CHECK(outcome_of(answer(errc::timed_out, true)) == outcome::unknown);
  CAF_CHECK(outcome_of(answer(errc::quorum_not_met, true)) == outcome::unknown);
  CAF_CHECK(outcome_of(answer(errc::storage_failed)) == outcome::unknown);
}

CAF_TEST_FIXTURE_SCOPE(recorder_tests, fixture)

CAF_TEST(what was acknowledged and is not read is complained of) {
  put("a", 1, 2, answer(errc::none));
  get({}, 3, 4);
  auto bad = log.check();
  CAF_REQUIRE_EQUAL(bad.size(), 1u);
  CAF_CHECK_EQUAL(bad["k"].size(), 1u);
}

CAF_TEST(what was refused and is read is complained of) {
  put("a", 1, 2, answer(errc::unavailable));
  get({"a"}, 3, 4);
  CAF_CHECK_EQUAL(log.check().size(), 1u);
}

CAF_TEST(a put that was never answered is of unknown outcome) {
  begin("a", 1);
  get({}, 3, 4);
  get({"a"}, 5, 6);
  CAF_CHECK(log.check().empty());
  CAF_CHECK_EQUAL(log.count().unknown, 1u);
}

CAF_TEST(
  what fallbacks have acknowledged is due when they have handed it over) {
  auto sloppy = answer(errc::none);
  sloppy.homes = false;
  put("a", 1, 2, sloppy);
  get({}, 3, 4);
  CAF_CHECK(log.check().empty());
  CAF_CHECK_EQUAL(log.parked_keys().size(), 1u);
  log.expect_parked(10);
  CAF_CHECK(log.check().empty());
  get({}, 11, 12);
  CAF_CHECK_EQUAL(log.check().size(), 1u);
  log.expect_parked(13);
  get({"a"}, 14, 15);
  CAF_CHECK(log.check().empty());
}

CAF_TEST(only prompt puts in calm times are known to have been sent once) {
  put("in disturbed times", 1, 2, answer(errc::none));
  CAF_CHECK_EQUAL(log.count().once, 0u);
  log.disturbed(false);
  put("prompt", 3, 4, answer(errc::none));
  CAF_CHECK_EQUAL(log.count().once, 1u);
  put("late", 5, 6 + recorder::prompt_us, answer(errc::none));
  put("unknown", 7, 8, answer(errc::timed_out, true));
  CAF_CHECK_EQUAL(log.count().once, 1u);
  auto on_its_way = begin("on its way", 9);
  log.disturbed(true);
  log.end_put("k", on_its_way, answer(errc::none), 10);
  CAF_CHECK_EQUAL(log.count().once, 1u);
}

CAF_TEST(a history is written in the order of time) {
  put("a", 1'000'000, 2'000'000, answer(errc::none));
  get({"a"}, 500'000, 3'000'000);
  std::ostringstream out;
  log.write_history("k", out);
  CAF_CHECK_EQUAL(out.str(),
                  "history of k\n"
                  "  0.500000..3.000000 s get { a }\n"
                  "  1.000000..2.000000 s put a replaces { } acknowledged, "
                  "perhaps repeated\n");
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(a second is told when it is over and all its requests are answered) {
  second_counts counts;
  counts.sent(100);
  counts.sent(200);
  counts.answered(100, 1'100, answer(errc::none));
  CAF_CHECK(!counts.take(999'999));
  CAF_CHECK(!counts.take(1'000'000));
  counts.answered(200, 1'500'200, answer(errc::timed_out, true));
  auto first = counts.take(1'600'000);
  CAF_REQUIRE(first);
  CAF_CHECK_EQUAL(first->second, 0u);
  CAF_CHECK_EQUAL(first->ok, 1u);
  CAF_CHECK_EQUAL(first->failed["timed_out"], 1u);
  CAF_CHECK_EQUAL(first->max_us, 1'500'000u);
  CAF_CHECK(!counts.take(1'600'000));
  auto empty = counts.take(2'000'000);
  CAF_REQUIRE(empty);
  CAF_CHECK_EQUAL(empty->second, 1u);
  CAF_CHECK_EQUAL(empty->ok, 0u);
}
