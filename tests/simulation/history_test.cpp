// A checker that finds nothing proves nothing: each history here breaks one
// rule, or bends it as far as it may be.

#define CAF_SUITE simulation.history

#include "tests/simulation/history.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>

using namespace covey::simulation;

namespace {

/// Accesses: 0 overlaps itself, as QUORUM does; 1 nothing, as ONE.
constexpr size_t quorum = 0;
constexpr size_t one = 1;

struct fixture {
  history log{{{{true, false}, {false, false}}, 100}};
  bool lww = false;

  size_t put(const std::string& value, uint64_t from, uint64_t to,
             std::set<size_t> replaces = {}) {
    put_event e;
    e.key = "k";
    e.value = value;
    e.lww = lww;
    e.replaces = std::move(replaces);
    e.invoked_us = from;
    e.answered_us = to;
    e.deadline_us = to;
    e.result = outcome::acknowledged;
    return log.add(e);
  }
  size_t stamped(const std::string& value, uint64_t from, uint64_t to,
                 uint64_t stamp) {
    auto i = put(value, from, to);
    log.put(i).stamp = stamp;
    return i;
  }
  void get(std::vector<std::string> values, uint64_t from, uint64_t to,
           uint64_t stamp = 0, size_t access = quorum) {
    get_event e;
    e.key = "k";
    e.values = std::move(values);
    e.lww = lww;
    e.invoked_us = from;
    e.answered_us = to;
    e.stamp = stamp;
    e.access = access;
    log.add(e);
  }
  /// True if the only complaints are about `what`.
  bool complains(const std::string& what) const {
    auto found = log.check();
    for (const auto& line : found)
      CAF_MESSAGE(line);
    return std::any_of(found.begin(), found.end(), [&](const auto& line) {
      return line.find(what) != std::string::npos;
    });
  }
  bool sound() const {
    auto found = log.check();
    for (const auto& line : found)
      CAF_MESSAGE(line);
    return found.empty();
  }
};

struct lww_fixture : fixture {
  lww_fixture() {
    lww = true;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(siblings_tests, fixture)

CAF_TEST(a history in which every get sees the last put is sound) {
  auto a = put("a", 0, 10);
  get({"a"}, 20, 30);
  put("b", 40, 50, {a});
  get({"b"}, 60, 70);
  CAF_CHECK(sound());
}

CAF_TEST(an acknowledged write that a get misses is lost) {
  put("a", 0, 10);
  get({}, 20, 30);
  CAF_CHECK(complains("misses a, acknowledged"));
}

CAF_TEST(a write overwritten by one that had not seen it is lost) {
  put("a", 0, 10);
  put("b", 20, 30);
  get({"b"}, 40, 50);
  CAF_CHECK(complains("misses a, acknowledged"));
}

CAF_TEST(an older value in the place of what replaced it is a loss) {
  auto a = put("a", 0, 10);
  put("b", 20, 30, {a});
  get({"a"}, 40, 50);
  CAF_CHECK(complains("misses b, acknowledged"));
}

CAF_TEST(a get that overlaps the put may miss it) {
  put("a", 0, 25);
  get({}, 20, 30);
  CAF_CHECK(sound());
}

CAF_TEST(a get at a level that does not overlap may miss a put) {
  put("a", 0, 10);
  get({}, 20, 30, 0, one);
  CAF_CHECK(sound());
}

CAF_TEST(a put at a level that does not overlap may be missed) {
  log.put(put("a", 0, 10)).access = one;
  get({}, 20, 30);
  CAF_CHECK(sound());
}

CAF_TEST(a put that only fallbacks have may be missed until it is handed over) {
  auto a = put("a", 0, 10);
  log.put(put("b", 20, 30, {a})).by_homes = false;
  get({"a"}, 40, 50);
  CAF_CHECK(sound());
  log.handed_over(60);
  CAF_CHECK(sound());
  // It overlaps the hand-over.
  get({"a"}, 55, 70);
  CAF_CHECK(sound());
  get({"a"}, 60, 70);
  CAF_CHECK(complains("misses b, acknowledged"));
  CAF_CHECK(complains("returns a, which b replaced"));
}

CAF_TEST(a strict put is not acknowledged by fallbacks) {
  auto a = put("a", 0, 10);
  log.put(a).strict = true;
  CAF_CHECK(sound());
  log.put(a).by_homes = false;
  CAF_CHECK(complains("a is strict"));
}

CAF_TEST(a put that only fallbacks have must not vanish once it was read) {
  log.put(put("a", 0, 10)).by_homes = false;
  get({"a"}, 20, 30);
  get({}, 40, 50);
  CAF_CHECK(complains("goes backwards"));
}

CAF_TEST(each hand - over makes due what was acknowledged before it) {
  log.put(put("a", 0, 10)).by_homes = false;
  log.handed_over(20);
  log.put(put("b", 30, 40)).by_homes = false;
  get({"a"}, 50, 60);
  CAF_CHECK(sound());
  log.handed_over(80);
  CAF_CHECK(sound());
  // What was due stays due.
  get({}, 55, 60);
  CAF_CHECK(complains("misses a, acknowledged"));
  CAF_CHECK(!complains("misses b"));
  get({"a"}, 80, 90);
  CAF_CHECK(complains("misses b, acknowledged"));
}

CAF_TEST(siblings of writes that had not seen each other are sound) {
  put("a", 0, 10);
  put("b", 0, 10);
  get({"a", "b"}, 20, 30);
  CAF_CHECK(sound());
}

CAF_TEST(a value beside the one that replaced it is a false sibling) {
  auto a = put("a", 0, 10);
  put("b", 20, 30, {a});
  get({"a", "b"}, 40, 50);
  CAF_CHECK(complains("beside b, which replaced it"));
}

CAF_TEST(a put that was executed twice may leave a false sibling) {
  auto a = put("a", 0, 10);
  log.put(a).repeated = true;
  put("b", 20, 30, {a});
  get({"a", "b"}, 40, 50);
  CAF_CHECK(sound());
}

CAF_TEST(a value returned twice has two dots) {
  put("a", 0, 10);
  get({"a", "a"}, 20, 30);
  CAF_CHECK(complains("twice"));
}

CAF_TEST(a value that nobody wrote is found) {
  get({"a"}, 20, 30);
  CAF_CHECK(complains("nobody wrote"));
}

CAF_TEST(a value written only later is found) {
  put("a", 40, 50);
  get({"a"}, 20, 30);
  CAF_CHECK(complains("of the future"));
}

CAF_TEST(a put that was refused must not be read) {
  log.put(put("a", 0, 10)).result = outcome::refused;
  get({"a"}, 20, 30);
  CAF_CHECK(complains("was refused"));
}

CAF_TEST(a write that failed must not vanish once it was read) {
  log.put(put("a", 0, 10)).result = outcome::unknown;
  get({"a"}, 20, 30);
  get({}, 40, 50);
  CAF_CHECK(complains("goes backwards"));
}

CAF_TEST(a write that failed may come late) {
  log.put(put("a", 0, 10)).result = outcome::unknown;
  get({}, 20, 30);
  get({"a"}, 40, 50);
  CAF_CHECK(sound());
}

CAF_TEST(what was read without a quorum may vanish) {
  log.put(put("a", 0, 10)).result = outcome::unknown;
  get({"a"}, 20, 30, 0, one);
  get({}, 40, 50);
  CAF_CHECK(sound());
}

CAF_TEST(a loss far back is found after many writes) {
  auto last = put("0", 0, 10);
  auto t = uint64_t{20};
  for (int i = 1; i < 50; ++i, t += 20)
    last = put(std::to_string(i), t, t + 10, {last});
  put("other", t, t + 10);
  get({std::to_string(49)}, t + 20, t + 30);
  CAF_CHECK(complains("misses other"));
}

CAF_TEST(what a delete replaced is gone and stays gone) {
  auto a = put("a", 0, 10);
  auto d = put("d", 20, 30, {a});
  log.put(d).tombstone = true;
  get({}, 40, 50);
  CAF_CHECK(sound());
  get({"a", "d"}, 60, 70);
  CAF_CHECK(!sound());
}

CAF_TEST(a value that a delete replaced by way of others stays gone) {
  auto a = put("a", 0, 10);
  auto b = put("b", 20, 30, {a});
  log.put(b).result = outcome::unknown;
  log.put(put("d", 40, 50, {b})).tombstone = true;
  get({"a"}, 45, 55);
  CAF_CHECK(sound());
  get({"a"}, 50, 60);
  CAF_CHECK(complains("returns a, which d replaced"));
}

CAF_TEST(a delete removes nothing that it had not seen) {
  put("a", 0, 10);
  log.put(put("d", 20, 30)).tombstone = true;
  get({}, 40, 50);
  CAF_CHECK(complains("misses a"));
}

CAF_TEST(a value may vanish when it expires and not before) {
  log.put(put("a", 0, 10)).ttl_us = 1000;
  get({"a"}, 20, 30);
  get({}, 950, 990);
  CAF_CHECK(sound());
  get({}, 700, 800);
  CAF_CHECK(complains("misses a"));
}

CAF_TEST(a value must vanish when it has expired) {
  log.put(put("a", 0, 10)).ttl_us = 1000;
  get({"a"}, 1100, 1120);
  CAF_CHECK(sound());
  get({"a"}, 1111, 1120);
  CAF_CHECK(complains("has expired"));
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(lww_tests, lww_fixture)

CAF_TEST(the highest stamp wins whoever came last) {
  stamped("a", 0, 10, 7);
  stamped("b", 20, 30, 5);
  get({"a"}, 40, 50, 7);
  CAF_CHECK(sound());
}

CAF_TEST(a lower stamp than one acknowledged is a loss) {
  stamped("a", 0, 10, 7);
  stamped("b", 20, 30, 5);
  get({"b"}, 40, 50, 5);
  CAF_CHECK(complains("misses a, acknowledged"));
}

CAF_TEST(a higher stamp that only fallbacks have counts when handed over) {
  stamped("a", 0, 10, 5);
  log.put(stamped("b", 20, 30, 7)).by_homes = false;
  get({"a"}, 40, 50, 5);
  CAF_CHECK(sound());
  log.handed_over(60);
  CAF_CHECK(sound());
  get({"a"}, 60, 70, 5);
  CAF_CHECK(complains("misses b, acknowledged"));
}

CAF_TEST(a lower stamp than one read goes backwards) {
  log.put(stamped("a", 0, 10, 7)).result = outcome::unknown;
  stamped("b", 0, 10, 5);
  get({"a"}, 20, 30, 7);
  get({"b"}, 40, 50, 5);
  CAF_CHECK(complains("goes backwards"));
}

CAF_TEST(another value than the newest is found) {
  stamped("a", 0, 10, 7);
  stamped("b", 0, 10, 5);
  get({"b"}, 40, 50, 7);
  CAF_CHECK(complains("not the newest"));
}

CAF_TEST(several values are too many) {
  stamped("a", 0, 10, 7);
  stamped("b", 0, 10, 7);
  get({"a", "b"}, 40, 50, 7);
  CAF_CHECK(complains("several values"));
}

CAF_TEST(nothing is found only where something may have been deleted) {
  stamped("a", 0, 10, 7);
  get({}, 20, 30, 7);
  CAF_CHECK(complains("nobody deleted it"));
  log.put(stamped("d", 0, 10, 8)).tombstone = true;
  CAF_CHECK(sound() || complains("misses d"));
}

CAF_TEST(a get returns the value of its stamp) {
  stamped("a", 0, 10, 7);
  auto d = stamped("d", 0, 10, 5);
  log.put(d).tombstone = true;
  log.put(put("b", 0, 10)).result = outcome::unknown;
  get({"a"}, 20, 30, 7);
  CAF_CHECK(sound());
  get({}, 20, 30, 7);
  CAF_CHECK(complains("does not return a"));
}

CAF_TEST(a write that failed is not returned under the stamp of another) {
  stamped("a", 0, 10, 7);
  log.put(put("b", 0, 10)).result = outcome::unknown;
  get({"b"}, 40, 50, 7);
  CAF_CHECK(complains("does not return a"));
}

CAF_TEST(a get finds nothing at the stamp of a delete or of what has expired) {
  log.put(stamped("a", 0, 10, 7)).ttl_us = 1000;
  get({}, 1000, 1010, 7);
  log.put(stamped("d", 1020, 1030, 8)).tombstone = true;
  get({}, 1040, 1050, 8);
  CAF_CHECK(sound());
  get({}, 500, 510, 7);
  CAF_CHECK(complains("does not return a"));
}

CAF_TEST(a scan knows no stamp but the values) {
  stamped("a", 0, 10, 7);
  stamped("b", 0, 10, 5);
  get_event e;
  e.key = "k";
  e.lww = true;
  e.scanned = true;
  e.invoked_us = 20;
  e.answered_us = 30;
  e.values = {"a"};
  log.add(e);
  CAF_CHECK(sound());
  e.values = {"b"};
  log.add(e);
  CAF_CHECK(complains("misses a"));
}

CAF_TEST_FIXTURE_SCOPE_END()
