// Copying of slots: order, sources, failures, and a random model.

#define CAF_SUITE core.slot_copier

#include "core/slot_copier.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>

using namespace covey::core;

namespace {

using indexes = std::vector<member_index>;

slot_copier::source_finder always(indexes xs) {
  return [xs](const group_slot&) {
    return xs;
  };
}

slot_copier two_slots(size_t window = 8) {
  return {{{1, 10}, {1, 11}}, {{1, {100, 200}}}, window, 50};
}

} // namespace

CAF_TEST(a slot is read keyspace by keyspace and then compared) {
  slot_copier x{{{1, 10}}, {{1, {100, 200}}}, 8, 50};
  auto from = always({3});
  auto w = x.next(0, from);
  CAF_REQUIRE_EQUAL(w.pages.size(), 1u);
  CAF_CHECK_EQUAL(w.pages[0].keyspace, 100u);
  CAF_CHECK_EQUAL(w.pages[0].from, 3u);
  CAF_CHECK(w.pages[0].after.empty());
  // Given once.
  CAF_CHECK(x.next(0, from).pages.empty());
  x.stored(w.pages[0].ticket, "k5", 5, 500);
  w = x.next(0, from);
  CAF_CHECK_EQUAL(w.pages.at(0).keyspace, 100u);
  CAF_CHECK_EQUAL(w.pages[0].after, "k5");
  x.stored(w.pages[0].ticket, "", 1, 100);
  w = x.next(0, from);
  CAF_CHECK_EQUAL(w.pages.at(0).keyspace, 200u);
  CAF_CHECK(w.pages[0].after.empty());
  CAF_CHECK(w.comparisons.empty());
  x.stored(w.pages[0].ticket, "", 0, 0);
  w = x.next(0, from);
  CAF_CHECK(w.pages.empty());
  CAF_REQUIRE_EQUAL(w.comparisons.size(), 1u);
  CAF_CHECK_EQUAL(w.comparisons[0].with, 3u);
  CAF_CHECK(!x.finished());
  CAF_CHECK(x.compared(w.comparisons[0].ticket, true, 0));
  CAF_CHECK(x.finished());
  CAF_CHECK_EQUAL(x.so_far().done, 1u);
  CAF_CHECK_EQUAL(x.so_far().records, 6u);
  CAF_CHECK_EQUAL(x.so_far().bytes, 600u);
}

CAF_TEST(every source is read and compared) {
  slot_copier x{{{1, 10}}, {{1, {100}}}, 8, 50};
  auto from = always({3, 5});
  indexes read;
  indexes compared;
  while (!x.finished()) {
    auto w = x.next(0, from);
    CAF_REQUIRE(!w.pages.empty() || !w.comparisons.empty());
    for (auto& p : w.pages) {
      read.push_back(p.from);
      x.stored(p.ticket, "", 0, 0);
    }
    for (auto& c : w.comparisons) {
      compared.push_back(c.with);
      x.compared(c.ticket, true, 0);
    }
  }
  CAF_CHECK_EQUAL(read, (indexes{3, 5}));
  CAF_CHECK_EQUAL(compared, (indexes{3, 5}));
}

CAF_TEST(the window bounds what is under way) {
  auto x = two_slots(1);
  auto w = x.next(0, always({3}));
  CAF_CHECK_EQUAL(w.pages.size(), 1u);
  CAF_CHECK_EQUAL(x.so_far().under_way, 1u);
  auto y = two_slots(2);
  CAF_CHECK_EQUAL(y.next(0, always({3})).pages.size(), 2u);
}

CAF_TEST(a slot that differs is copied again after a while) {
  slot_copier x{{{1, 10}}, {{1, {100}}}, 8, 50};
  auto from = always({3});
  x.stored(x.next(0, from).pages.at(0).ticket, "", 0, 0);
  auto c = x.next(0, from).comparisons.at(0);
  CAF_CHECK(!x.compared(c.ticket, false, 100));
  CAF_CHECK(x.next(149, from).pages.empty());
  CAF_CHECK_EQUAL(x.next(150, from).pages.size(), 1u);
  // A second answer to it says nothing.
  CAF_CHECK(!x.compared(c.ticket, true, 100));
}

CAF_TEST(a source that is lost is replaced by those that are left) {
  slot_copier x{{{1, 10}}, {{1, {100}}}, 8, 0};
  auto p = x.next(0, always({3})).pages.at(0);
  x.lost(4, 0);
  CAF_CHECK(x.next(0, always({3})).pages.empty());
  x.lost(3, 0);
  auto w = x.next(0, always({4, 5}));
  CAF_REQUIRE_EQUAL(w.pages.size(), 1u);
  CAF_CHECK_EQUAL(w.pages[0].from, 4u);
  // What the lost one sent comes too late.
  x.stored(p.ticket, "", 9, 9);
  CAF_CHECK_EQUAL(x.so_far().records, 0u);
  CAF_CHECK(x.next(0, always({4, 5})).pages.empty());
}

CAF_TEST(a slot that nobody has now waits and says so) {
  auto x = two_slots();
  auto nobody = x.next(0, always({}));
  CAF_CHECK(nobody.pages.empty());
  CAF_CHECK_EQUAL(x.so_far().stuck, 2u);
  CAF_CHECK(!x.finished());
  CAF_CHECK_EQUAL(x.next(0, always({3})).pages.size(), 2u);
  CAF_CHECK_EQUAL(x.so_far().stuck, 0u);
}

CAF_TEST(whatever fails everything is copied from sources that held) {
  auto text = std::getenv("COVEY_SEED");
  auto base = text != nullptr ? std::strtoull(text, nullptr, 10) : 4711;
  for (uint64_t seed = base; seed < base + 200; ++seed) {
    std::mt19937_64 random{seed};
    std::vector<group_slot> slots;
    for (uint16_t i = 0; i < 20; ++i)
      slots.push_back({1 + i % 2u, i});
    slot_copier x{slots, {{1, {7}}, {2, {8, 9}}}, 1 + random() % 6, 10};
    // What has been stored here since the copying of a slot began last, from
    // whom: pages of each keyspace.
    std::map<group_slot, std::set<std::pair<member_index, uint32_t>>> have;
    std::map<group_slot, indexes> sources;
    std::set<group_slot> done;
    uint64_t now = 0;
    auto find = [&](const group_slot& what) {
      indexes result;
      if (random() % 4 == 0)
        return result;
      result.push_back(static_cast<member_index>(random() % 5));
      if (random() % 2 == 0)
        result.push_back(static_cast<member_index>(5 + random() % 5));
      have[what].clear();
      sources[what] = result;
      return result;
    };
    auto steps = 0;
    while (!x.finished() && ++steps < 20000) {
      now += random() % 10;
      auto w = x.next(now, find);
      std::shuffle(w.pages.begin(), w.pages.end(), random);
      for (auto& p : w.pages) {
        if (random() % 10 == 0) {
          x.failed(p.ticket, now);
          continue;
        }
        auto more = random() % 3 == 0;
        if (!more)
          have[p.what].insert({p.from, p.keyspace});
        x.stored(p.ticket, more ? p.after + "k" : "", 1, 10);
      }
      for (auto& c : w.comparisons) {
        auto fails = random() % 10;
        if (fails == 0)
          x.failed(c.ticket, now);
        else if (x.compared(c.ticket, fails != 1, now)) {
          size_t keyspaces = c.what.group == 1 ? 1 : 2;
          CAF_REQUIRE_EQUAL(have[c.what].size(),
                            sources[c.what].size() * keyspaces);
          CAF_REQUIRE(done.insert(c.what).second);
        }
      }
      if (random() % 20 == 0)
        x.lost(static_cast<member_index>(random() % 10), now);
    }
    CAF_MESSAGE("COVEY_SEED=" << seed);
    CAF_REQUIRE(x.finished());
    CAF_REQUIRE_EQUAL(done.size(), slots.size());
    CAF_REQUIRE_EQUAL(x.so_far().done, slots.size());
  }
}
