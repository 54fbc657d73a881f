#define CAF_SUITE core.purge

#include "core/purge.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;

namespace {

sibling value(dot id, uint64_t stamp_ms, uint64_t expires_at_ms = 0) {
  return {id, stamp_ms * 1000, expires_at_ms, {}, false, "value"};
}

sibling tombstone(dot id, uint64_t stamp_ms) {
  return {id, stamp_ms * 1000, 0, {}, true, {}};
}

record of(std::vector<sibling> siblings) {
  record r;
  for (const auto& s : siblings)
    r.seen.advance(s.id);
  r.siblings = std::move(siblings);
  return r;
}

constexpr uint64_t margin = 100;

} // namespace

CAF_TEST(a record is gone when all of it is deleted or expired) {
  CAF_CHECK(!gone_at({}));
  CAF_CHECK(!gone_at(of({value({1, 1}, 50)})));
  CAF_CHECK(!gone_at(of({tombstone({1, 1}, 50), value({2, 1}, 40)})));
  CAF_CHECK(gone_at(of({tombstone({1, 1}, 50)})) == 50u);
  CAF_CHECK(gone_at(of({tombstone({1, 1}, 50), value({2, 1}, 40, 70)})) == 70u);
  CAF_CHECK(gone_at(of({tombstone({1, 1}, 90), value({2, 1}, 40, 70)})) == 90u);
  auto r = of({tombstone({1, 1}, 50)});
  CAF_CHECK(!may_purge(r, 50));
  CAF_CHECK(may_purge(r, 51));
}

CAF_TEST(an expired value becomes a tombstone of the same version) {
  auto r = of({value({1, 1}, 50, 70), value({2, 1}, 40, 80), value({3, 1}, 40),
               tombstone({4, 1}, 40)});
  auto before = r;
  CAF_CHECK(next_expiry(r) == 70u);
  CAF_CHECK(!expire(r, 69));
  CAF_CHECK(expire(r, 70));
  CAF_CHECK(r.siblings[0].tombstone && r.siblings[0].value.empty());
  CAF_CHECK(!r.siblings[1].tombstone);
  CAF_CHECK(next_expiry(r) == 80u);
  CAF_CHECK(same_version(r, before));
  CAF_CHECK_EQUAL(version_hash(r), version_hash(before));
  std::string bytes;
  encode(r, bytes);
  auto again = decode_record(bytes);
  CAF_REQUIRE(again);
  CAF_CHECK(again->siblings[0].tombstone);
  CAF_CHECK_EQUAL(again->siblings[0].expires_at_ms, 70u);
  // Whoever still has the value does not bring it back.
  auto met = merge(r, before, conflict_policy::siblings);
  CAF_CHECK(met.siblings[0].tombstone);
  met = merge(of({before.siblings[0]}), of({r.siblings[0]}),
              conflict_policy::lww);
  CAF_CHECK(met.siblings[0].tombstone);
}

CAF_TEST(what was purged does not come back and costs nobody an error) {
  auto dead = of({tombstone({1, 1}, 50), value({2, 1}, 40, 60)});
  CAF_CHECK(admit(nullptr, dead, 0, {}) == admission::merge);
  CAF_CHECK(admit(nullptr, dead, 60, {}) == admission::merge);
  CAF_CHECK(admit(nullptr, dead, 61, {}) == admission::purged);
  CAF_CHECK(admit(nullptr, dead, 61, {true, 0}) == admission::purged);
  auto other = of({value({9, 1}, 99)});
  CAF_CHECK(admit(&other, dead, 61, {true, 0}) == admission::merge);
  CAF_CHECK(admit(nullptr, {}, 61, {true, 0}) == admission::merge);
}

CAF_TEST(only values that no owner can have are outdated) {
  auto old = of({value({1, 1}, 50)});
  auto newer = of({value({1, 1}, 50), value({2, 1}, 61)});
  auto stored = of({value({3, 1}, 70)});
  auto knows = stored;
  knows.seen.advance({1, 4});
  CAF_CHECK(admit(nullptr, old, 61, {true, 0}) == admission::outdated);
  CAF_CHECK(admit(&stored, old, 61, {true, 60}) == admission::outdated);
  // A request of a client brings it: that has a deadline.
  CAF_CHECK(admit(nullptr, old, 61, {false, 0}) == admission::merge);
  // Its sender is as far as we are: we have lost it.
  CAF_CHECK(admit(nullptr, old, 61, {true, 61}) == admission::merge);
  CAF_CHECK(admit(nullptr, old, 50, {true, 0}) == admission::merge);
  CAF_CHECK(admit(nullptr, newer, 61, {true, 0}) == admission::merge);
  CAF_CHECK(admit(&knows, old, 61, {true, 0}) == admission::merge);
}

CAF_TEST(a watermark needs hints and comparisons in their order) {
  watermark_proof proof;
  auto step = [&](uint64_t now, uint64_t carriers, uint64_t equal) {
    return proof.advance({now, carriers, equal}, margin);
  };
  CAF_CHECK_EQUAL(step(1'000, 999, 999), 0u);
  // Hints of before, then none.
  CAF_CHECK_EQUAL(step(1'100, 999, 1'099), 0u);
  CAF_CHECK_EQUAL(step(1'200, 1'000, 1'199), 0u);
  // Comparisons that began before do not count.
  CAF_CHECK_EQUAL(step(1'300, 1'290, 1'200), 0u);
  CAF_CHECK_EQUAL(step(1'310, 1'290, 1'201), 0u);
  CAF_CHECK_EQUAL(step(1'400, 1'390, 1'310), 0u);
  CAF_CHECK_EQUAL(step(1'410, 1'390, 1'311), 0u);
  CAF_CHECK_EQUAL(step(1'500, 1'509, 1'311), 0u);
  CAF_CHECK_EQUAL(step(1'520, 1'510, 1'311), 0u);
  CAF_CHECK_EQUAL(step(1'619, 1'510, 1'311), 0u);
  CAF_CHECK_EQUAL(step(1'620, 1'510, 1'311), 800u);
  proof.restart();
  CAF_CHECK_EQUAL(step(2'000, 1'999, 1'999), 0u);
}

CAF_TEST(a member that is silent holds up the watermark for ever) {
  watermark_proof silent;
  watermark_proof down;
  for (uint64_t now = 1'000; now < 100'000; now += 10) {
    CAF_CHECK_EQUAL(silent.advance({now, 0, now}, margin), 0u);
    CAF_CHECK_EQUAL(down.advance({now, now, 900}, margin), 0u);
  }
}
