// Rings on the way from one to another, and what has to be copied for them.

#define CAF_SUITE core.move_plan

#include "core/consistency.hpp"
#include "core/move_plan.hpp"
#include "tests/core/ring_model.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;
using namespace covey::test;

namespace {

/// The members in `in`, as if the others were not there.
members only(members all, const std::set<size_t>& in) {
  for (size_t i = 0; i < all.size(); ++i)
    if (in.count(i) == 0)
      all[i].state = member_state::removed;
  return all;
}

std::set<member_index> homes_of(const ring& r, uint16_t slot) {
  auto list = r.at(slot);
  return {list.begin(), list.begin() + list.homes};
}

std::set<member_index> at_places(const preference_list& list, home_set places) {
  std::set<member_index> result;
  for (uint32_t i = 0; i < list.size; ++i)
    if ((places >> i & 1) != 0)
      result.insert(list[i]);
  return result;
}

/// A ring before and after some members came and others went.
struct change {
  members nodes = plain_members(9);
  ring before;
  ring after;

  change(uint32_t replicas, const std::set<size_t>& x,
         const std::set<size_t>& y)
    : before(only(nodes, x), total(replicas)),
      after(only(nodes, y), total(replicas)) {}
};

} // namespace

CAF_TEST(removed members are on no list) {
  auto nodes = plain_members(6);
  ring without{only(nodes, {0, 2, 3, 5}), total(3)};
  members fewer{nodes[0], nodes[2], nodes[3], nodes[5]};
  ring plain{fewer, total(3)};
  const member_index index[] = {0, 2, 3, 5};
  for (uint32_t i = 0; i < slot_count; ++i) {
    auto x = without.at(static_cast<uint16_t>(i));
    auto y = plain.at(static_cast<uint16_t>(i));
    CAF_REQUIRE_EQUAL(x.size, y.size);
    CAF_REQUIRE(std::equal(x.begin(), x.end(), y.begin(),
                           [&](member_index a, member_index b) {
                             return a == index[b];
                           }));
  }
}

CAF_TEST(a slot that moves is written at the homes of both rings) {
  change c{3, {0, 1, 2, 3, 4}, {1, 2, 3, 4, 5, 6}};
  for (auto phase : {move_phase::copying, move_phase::switching}) {
    ring both{c.before, c.after, phase};
    const auto& reads = phase == move_phase::copying ? c.before : c.after;
    CAF_CHECK_EQUAL(both.replicas(), 3u);
    for (uint32_t i = 0; i < slot_count; ++i) {
      auto slot = static_cast<uint16_t>(i);
      auto list = both.at(slot);
      auto x = homes_of(c.before, slot);
      auto y = homes_of(c.after, slot);
      CAF_REQUIRE(homes_of(both, slot) == homes_of(reads, slot));
      CAF_REQUIRE(at_places(list, list.before) == x);
      CAF_REQUIRE(at_places(list, list.after) == y);
      auto writers = x;
      writers.insert(y.begin(), y.end());
      CAF_REQUIRE_EQUAL(list.writers, writers.size());
      CAF_REQUIRE(std::all_of(writers.begin(), writers.end(), [&](auto m) {
        return list.takes_writes(m);
      }));
      CAF_REQUIRE_EQUAL(list.moves(), x != y);
      // Every member once.
      std::set<member_index> all{list.begin(), list.end()};
      CAF_REQUIRE_EQUAL(all.size(), list.size);
      CAF_REQUIRE_EQUAL(list.writers == list.homes, x == y);
    }
  }
}

CAF_TEST(a ring that stands still writes where it reads) {
  ring r{plain_members(5), total(3)};
  auto list = r.at(7);
  CAF_CHECK_EQUAL(list.writers, 3u);
  CAF_CHECK(!list.moves());
  CAF_CHECK_EQUAL(list.after, 7u);
  CAF_CHECK_EQUAL(most_writers(r, r), 3u);
}

CAF_TEST(a join copies exactly what the new member gains) {
  change c{3, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 5}};
  auto plan = plan_moves(c.before, c.after);
  CAF_CHECK_EQUAL(plan.size(), c.after.slots_of(5));
  for (const auto& x : plan) {
    CAF_REQUIRE_EQUAL(x.to, 5u);
    CAF_REQUIRE(x.displaced.has_value());
    CAF_REQUIRE(c.before.at(x.slot).is_home(*x.displaced));
    CAF_REQUIRE(!c.after.at(x.slot).is_home(*x.displaced));
  }
  uint32_t counted = 0;
  for (const auto& [way, n] : count_moves(plan))
    counted += n;
  CAF_CHECK_EQUAL(counted, plan.size());
  CAF_CHECK_EQUAL(most_writers(c.before, c.after), 4u);
}

CAF_TEST(a leave copies what the member held to those who take its place) {
  change c{3, {0, 1, 2, 3, 4}, {0, 1, 2, 3}};
  auto plan = plan_moves(c.before, c.after);
  CAF_CHECK_EQUAL(plan.size(), c.before.slots_of(4));
  for (const auto& x : plan)
    CAF_REQUIRE(x.displaced == member_index{4});
}

CAF_TEST(more replicas displace nobody) {
  auto nodes = plain_members(5);
  ring before{nodes, total(2)};
  ring after{nodes, total(3)};
  auto plan = plan_moves(before, after);
  CAF_CHECK_EQUAL(plan.size(), slot_count);
  CAF_CHECK(std::none_of(plan.begin(), plan.end(), [](const slot_move& x) {
    return x.displaced.has_value();
  }));
}

CAF_TEST(reads move once a majority of each slot that moves has adopted) {
  change c{3, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4, 5}};
  auto adopted_by = [&](const std::set<member_index>& xs) {
    return is_fenced(c.before, c.after, [&](member_index m) {
      return xs.count(m) != 0;
    });
  };
  CAF_CHECK(adopted_by({0, 1, 2, 3, 4}));
  // Of five members any four are two of any three.
  CAF_CHECK(adopted_by({0, 1, 2, 3}));
  CAF_CHECK(!adopted_by({0, 1, 2}));
  CAF_CHECK(!adopted_by({}));
  // The new member's word counts nowhere.
  CAF_CHECK(!adopted_by({5}));
  CAF_CHECK(is_fenced(c.before, c.before, [](member_index) {
    return false;
  }));
}

CAF_TEST(a write to a slot that moves meets its level in both sets) {
  // Places 0 to 2 before; 1, 2 and 3 after.
  std::vector<std::string> same(4, "dc");
  auto level = [&](const char* text) {
    return *requirement_of_move(*parse_consistency(text), same, 0b0111, 0b1110,
                                "dc");
  };
  auto quorum = level("QUORUM");
  CAF_CHECK(quorum.met(0b0110));
  CAF_CHECK(!quorum.met(0b0011));
  CAF_CHECK(!quorum.met(0b1010));
  CAF_CHECK(!quorum.met(0b1001));
  CAF_CHECK(quorum.met(0b1011));
  auto one = level("ONE");
  CAF_CHECK(one.met(0b0010));
  CAF_CHECK(!one.met(0b0001));
  CAF_CHECK(one.met(0b1001));
  CAF_CHECK(!level("ALL").met(0b0111));
  CAF_CHECK(level("ALL").met(0b1111));
  // Both sets have to meet it by themselves.
  CAF_CHECK(
    !requirement_of_move(*parse_consistency("4"), same, 0b0111, 0b1110, "dc"));
  std::vector<std::string> two{"a", "a", "b", "b"};
  auto local = requirement_of_move(*parse_consistency("LOCAL_QUORUM"), two,
                                   0b0111, 0b1110, "b");
  CAF_REQUIRE(local.has_value());
  CAF_CHECK(local->met(0b1100));
  CAF_CHECK(!local->met(0b0100));
  CAF_CHECK(!requirement_of_move(*parse_consistency("LOCAL_ONE"), two, 0b0011,
                                 0b0110, "b"));
}
