#define CAF_SUITE core.record

#include "core/record.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>

using namespace covey::core;

namespace {

constexpr auto siblings = conflict_policy::siblings;
constexpr auto lww = conflict_policy::lww;

constexpr incarnation sx = 1;
constexpr incarnation sy = 2;
constexpr incarnation sz = 3;

write put(dot id, std::string_view value, context seen = {},
          request_id request = {}) {
  write result;
  result.seen = std::move(seen);
  result.fresh.id = id;
  result.fresh.stamp = id.counter;
  result.fresh.request = request;
  result.fresh.value = value;
  return result;
}

write remove(dot id, context seen) {
  auto result = put(id, "", std::move(seen));
  result.fresh.tombstone = true;
  return result;
}

write stamped(write w, uint64_t stamp) {
  w.fresh.stamp = stamp;
  return w;
}

record after(record r, const write& w, conflict_policy policy = siblings) {
  apply(r, w, policy);
  return r;
}

/// What the writer of `w` gets as its next context.
context answer(const write& w) {
  auto result = w.seen;
  result.add(w.fresh.id);
  return result;
}

/// The values alive, a tombstone as "-", sorted and joined by spaces.
std::string values(const record& r) {
  std::vector<std::string> alive;
  for (const auto& s : r.siblings)
    alive.push_back(s.tombstone ? "-" : std::string{s.value});
  std::sort(alive.begin(), alive.end());
  std::string result;
  for (const auto& value : alive)
    result += (result.empty() ? "" : " ") + value;
  return result;
}

bool saw(const record& r, const context::entries& vector) {
  return r.seen.vector() == vector && r.seen.singles().empty();
}

record met(const record& x, const record& y) {
  return merge(x, y, siblings);
}

} // namespace

CAF_TEST(the worked example of version vectors comes out as published) {
  auto d1 = after({}, put({sx, 1}, "D1"));
  CAF_CHECK(saw(d1, {{sx, 1}}));
  auto d2 = after(d1, put({sx, 2}, "D2", d1.seen));
  CAF_CHECK(saw(d2, {{sx, 2}}));
  CAF_CHECK_EQUAL(values(d2), "D2");
  auto d3 = after(d2, put({sy, 1}, "D3", d2.seen));
  CAF_CHECK(saw(d3, {{sx, 2}, {sy, 1}}));
  auto d4 = after(d2, put({sz, 1}, "D4", d2.seen));
  CAF_CHECK(saw(d4, {{sx, 2}, {sz, 1}}));
  auto both = met(d3, d4);
  CAF_CHECK_EQUAL(values(both), "D3 D4");
  auto d5 = after(both, put({sx, 3}, "D5", both.seen));
  CAF_CHECK(saw(d5, {{sx, 3}, {sy, 1}, {sz, 1}}));
  CAF_CHECK_EQUAL(values(d5), "D5");
  for (const auto& old : {d1, d2, d3, d4})
    CAF_CHECK_EQUAL(values(met(d5, old)), "D5");
}

CAF_TEST(interleaved clients do not explode siblings) {
  record r;
  context ann;
  context ben;
  for (uint64_t i = 0; i < 100; ++i) {
    auto by_ann = put({sx, 2 * i + 1}, "ann", ann);
    apply(r, by_ann, siblings);
    ann = answer(by_ann);
    auto by_ben = put({sx, 2 * i + 2}, "ben", ben);
    apply(r, by_ben, siblings);
    ben = answer(by_ben);
    CAF_REQUIRE_EQUAL(values(r), "ann ben");
  }
  CAF_CHECK(saw(r, {{sx, 200}}));
}

CAF_TEST(a put without context is concurrent with everything) {
  auto r = after(after({}, put({sx, 1}, "a")), put({sx, 2}, "b"));
  CAF_CHECK_EQUAL(values(r), "a b");
  CAF_CHECK_EQUAL(values(after(r, put({sx, 9}, "c", r.seen))), "c");
}

CAF_TEST(the answer to a put does not cover what was concurrent to it) {
  auto r = after({}, put({sx, 1}, "a"));
  auto blind = put({sx, 2}, "b");
  apply(r, blind, siblings);
  apply(r, put({sx, 3}, "b2", answer(blind)), siblings);
  CAF_CHECK_EQUAL(values(r), "a b2");
}

CAF_TEST(an update concurrent to a delete survives it) {
  auto base = after({}, put({sx, 1}, "a"));
  auto deleted = after(base, remove({sy, 1}, base.seen));
  auto updated = after(base, put({sz, 1}, "b", base.seen));
  CAF_CHECK_EQUAL(values(deleted), "-");
  CAF_CHECK_EQUAL(values(met(deleted, updated)), "- b");
  CAF_CHECK_EQUAL(values(met(deleted, base)), "-");
}

CAF_TEST(an expired value meets its tombstone of the same dot as a tombstone) {
  auto r = after({}, put({sx, 1}, "a"));
  auto expired = r;
  expired.siblings[0].tombstone = true;
  expired.siblings[0].value = "";
  CAF_CHECK_EQUAL(values(met(r, expired)), "-");
  CAF_CHECK_EQUAL(values(met(expired, r)), "-");
  CAF_CHECK_EQUAL(values(merge(r, expired, lww)), "-");
  CAF_CHECK_EQUAL(values(merge(expired, r, lww)), "-");
}

CAF_TEST(a retry finds its dot in the memory and in the siblings) {
  request_id q{7, 7};
  auto r = after({}, put({sx, 1}, "a", {}, q));
  CAF_REQUIRE(find_executed(r, q).has_value());
  CAF_CHECK((find_executed(r, q)->id == dot{sx, 1}));
  CAF_CHECK(!find_executed(r, {7, 8}));
  CAF_CHECK(!find_executed(r, {}));
  for (uint64_t i = 2; i < 20; ++i)
    apply(r, put({sx, i}, "b", {}, {1, i}), siblings);
  CAF_CHECK_EQUAL(r.executed.size(), record::max_executed);
  CAF_CHECK((r.executed.front().id == dot{sx, 19}));
  CAF_REQUIRE(find_executed(r, q).has_value());
  CAF_CHECK((find_executed(r, q)->id == dot{sx, 1}));
}

CAF_TEST(a request executed twice leaves one sibling) {
  request_id q{7, 7};
  auto x = after({}, put({sx, 1}, "a", {}, q));
  auto y = after({}, put({sy, 1}, "a", {}, q));
  auto r = met(x, y);
  CAF_CHECK_EQUAL(values(r), "a");
  CAF_CHECK((r.siblings[0].id == dot{sx, 1}));
  CAF_CHECK((find_executed(r, q)->id == dot{sx, 1}));
  CAF_CHECK_EQUAL(values(met(r, y)), "a");
  CAF_CHECK_EQUAL(values(met(y, r)), "a");
}

CAF_TEST(requests without an id are never collapsed) {
  auto r = met(after({}, put({sx, 1}, "a")), after({}, put({sy, 1}, "a")));
  CAF_CHECK_EQUAL(values(r), "a a");
  CAF_CHECK(r.executed.empty());
}

CAF_TEST(a replaced write does not come back under the dot of its retry) {
  request_id q{7, 7};
  for (auto [first, second] : {std::pair{sx, sy}, std::pair{sy, sx}}) {
    auto x = after({}, put({first, 1}, "a", {}, q));
    auto replaced = after(x, put({first, 2}, "b", x.seen));
    CAF_CHECK(find_executed(replaced, q)->superseded);
    auto late = after({}, put({second, 1}, "a", {}, q));
    CAF_CHECK_EQUAL(values(met(replaced, late)), "b");
    CAF_CHECK_EQUAL(values(met(late, replaced)), "b");
  }
}

CAF_TEST(a writer that knows one dot of a request replaces all of them) {
  request_id q{7, 7};
  auto retried = put({sy, 1}, "a", {}, q);
  auto r = met(after({}, put({sx, 1}, "a", {}, q)), after({}, retried));
  CAF_CHECK((r.siblings[0].id == dot{sx, 1}));
  apply(r, put({sx, 2}, "b", answer(retried)), siblings);
  CAF_CHECK_EQUAL(values(r), "b");
  CAF_CHECK((find_executed(r, q)->id == dot{sx, 1}));
  CAF_CHECK(find_executed(r, q)->superseded);
}

CAF_TEST(collapsing in different places never empties a request) {
  // Three dots of one request whose memory has been pushed out of two records
  // in different ways.
  request_id q{7, 7};
  auto x = after({}, put({sx, 1}, "a", {}, q));
  auto y = after({}, put({sy, 1}, "a", {}, q));
  auto z = after({}, put({sz, 1}, "a", {}, q));
  x.executed.clear();
  CAF_CHECK_EQUAL(values(met(met(x, y), met(x, z))), "a");
  CAF_CHECK_EQUAL(values(met(met(y, z), met(x, z))), "a");
  CAF_CHECK_EQUAL(values(met(met(y, x), z)), "a");
  CAF_CHECK((met(met(y, z), x).siblings[0].id == dot{sx, 1}));
}

CAF_TEST(the memory of requests keeps the newest wherever they come from) {
  record x;
  record y;
  for (uint64_t i = 1; i <= 8; ++i) {
    apply(x, put({sx, 2 * i}, "a", {}, {1, i}), siblings);
    apply(y, put({sy, 2 * i + 1}, "a", {}, {2, i}), siblings);
  }
  auto r = met(x, y);
  CAF_REQUIRE_EQUAL(r.executed.size(), record::max_executed);
  for (uint64_t i = 0; i < 8; ++i)
    CAF_CHECK_EQUAL(r.executed[i].stamp, 17 - i);
}

CAF_TEST(the highest stamp wins under last write wins) {
  auto x = after({}, stamped(put({sx, 1}, "a"), 10), lww);
  auto y = after({}, stamped(put({sy, 1}, "b"), 20), lww);
  CAF_CHECK_EQUAL(values(merge(x, y, lww)), "b");
  CAF_CHECK_EQUAL(values(merge(y, x, lww)), "b");
  CAF_CHECK_EQUAL(values(after(y, stamped(put({sy, 2}, "c"), 21), lww)), "c");
  auto late = after(y, stamped(put({sy, 2}, "c"), 19), lww);
  CAF_CHECK_EQUAL(values(late), "b");
  CAF_CHECK(late.seen.covers(dot{sy, 2}));
  CAF_CHECK_EQUAL(late.highest_stamp(), 20u);
}

CAF_TEST(equal stamps are decided by the dot under last write wins) {
  auto x = after({}, stamped(put({sx, 5}, "a"), 10), lww);
  auto y = after({}, stamped(put({sy, 1}, "b"), 10), lww);
  CAF_CHECK_EQUAL(values(merge(x, y, lww)), "b");
  CAF_CHECK_EQUAL(values(merge(y, x, lww)), "b");
}

CAF_TEST(replaced single dots are bounded and those of siblings stay) {
  context many;
  for (uint64_t i = 1; i <= 40; ++i)
    many.add({100, i});
  record r;
  apply(r, put({sx, 1}, "a", many), siblings);
  CAF_CHECK_EQUAL(r.seen.singles().size(), record::max_singles);
  CAF_CHECK((r.seen.singles().front() == dot{100, 25}));
  record live;
  for (uint64_t i = 1; i <= 40; ++i) {
    sibling s;
    s.id = {i, 5};
    s.value = "a";
    live.siblings.push_back(s);
    live.seen.add(s.id);
  }
  auto all = met(live, r);
  CAF_CHECK_EQUAL(all.siblings.size(), 41u);
  for (const auto& s : all.siblings)
    CAF_CHECK(all.seen.covers(s.id));
  CAF_CHECK(same_version(met(all, all), all));
}

CAF_TEST(clocks shrink by retired incarnations that no sibling uses) {
  record r;
  for (incarnation inc = 1; inc <= 6; ++inc)
    apply(r, put({inc, 1}, "a", inc < 3 ? context{} : r.seen), siblings);
  CAF_CHECK_EQUAL(r.siblings.size(), 1u);
  auto unused = r;
  bound_clock(unused, {}, 1);
  CAF_CHECK_EQUAL(unused.seen.vector().size(), 6u);
  bound_clock(unused, {6, 4, 2, 5}, 4);
  CAF_CHECK(
    (unused.seen.vector() == context::entries{{1, 1}, {3, 1}, {5, 1}, {6, 1}}));
  bound_clock(unused, {1, 3, 5, 6}, 0);
  CAF_CHECK((unused.seen.vector() == context::entries{{6, 1}}));
}

CAF_TEST(single dots of retired incarnations stay with a full vector part) {
  auto r = after({}, put({sx, 1}, "a"));
  r.seen.add({sy, 5});
  bound_clock(r, {sy}, 0);
  CAF_CHECK(r.seen.covers(dot{sy, 5}));
}

CAF_TEST(a writer elsewhere that knew one dot of a request replaces it) {
  // The writer had read x, but its write is applied where x is unknown.
  request_id q{7, 7};
  for (auto [first, second] : {std::pair{sx, sy}, std::pair{sy, sx}}) {
    auto x = after({}, put({first, 1}, "a", {}, q));
    auto y = after({}, put({second, 1}, "a", {}, q));
    auto z = after({}, put({sz, 1}, "b", x.seen));
    CAF_CHECK_EQUAL(values(met(met(x, y), z)), "b");
    CAF_CHECK_EQUAL(values(met(met(y, z), x)), "b");
    CAF_CHECK_EQUAL(values(met(met(z, x), y)), "b");
  }
}

CAF_TEST(a request pushed out of the memory is not taken for replaced) {
  request_id q{7, 7};
  auto x = after({}, put({sx, 1}, "a", {}, q));
  auto y = after({}, put({sy, 1}, "a", {}, q));
  auto both = met(x, y);
  for (uint64_t i = 2; i < 12; ++i)
    apply(both, put({sx, i}, "b", {}, {1, i}), siblings);
  auto r = met(both, y);
  CAF_CHECK((r.siblings[0].id == dot{sx, 1}));
  CAF_CHECK_EQUAL(values(r), "a b b b b b b b b b b");
}

CAF_TEST(a forgotten entry costs a false sibling and never a value) {
  auto old = after({}, put({sx, 1}, "old"));
  auto r = after(old, put({sy, 1}, "new", old.seen));
  bound_clock(r, {sx}, 1);
  CAF_CHECK_EQUAL(values(met(r, old)), "new old");
}

CAF_TEST(versions are compared by what was seen and by the dots alive) {
  auto x = after({}, put({sx, 1}, "a", {}, {7, 7}));
  auto y = x;
  y.executed.clear();
  y.siblings[0].value = "other bytes of the same dot";
  CAF_CHECK(same_version(x, y));
  CAF_CHECK_EQUAL(version_hash(x), version_hash(y));
  auto later = after(x, put({sx, 2}, "b"));
  auto replaced = after(x, put({sx, 2}, "b", x.seen));
  auto single = x;
  single.seen.add({sy, 3});
  auto vector = x;
  vector.seen.advance({sy, 3});
  std::vector<record> all{{}, x, later, replaced, single, vector};
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < all.size(); ++j) {
      CAF_CHECK_EQUAL(same_version(all[i], all[j]), i == j);
      CAF_CHECK_EQUAL(version_hash(all[i]) == version_hash(all[j]), i == j);
    }
  }
}

CAF_TEST(version hashes are frozen) {
  CAF_CHECK_EQUAL(version_hash({}), 8376124999220038186u);
  auto x = after({}, put({sx, 1}, "a"));
  x.seen.add({sy, 3});
  CAF_CHECK_EQUAL(version_hash(x), 8815175102126826878u);
}
