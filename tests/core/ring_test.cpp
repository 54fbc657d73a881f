// The ring against a slow obvious model of the walk, and its properties.

#define CAF_SUITE core.ring

#include "core/bytes.hpp"
#include "tests/core/ring_model.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;
using namespace covey::test;

namespace {

/// Calls `f(random, cluster)` for `n` random clusters; what it returns says
/// what is wrong, if anything.
template <class F>
void for_random_clusters(int n, F f) {
  for (int i = 0; i < n; ++i) {
    auto seed = base_seed() + static_cast<uint64_t>(i);
    std::mt19937_64 random{seed};
    auto x = random_cluster(random);
    std::string wrong = f(random, x);
    CAF_CHECK(wrong.empty());
    if (!wrong.empty())
      CAF_FAIL("COVEY_SEED=" << seed << ": " << wrong << "; " << describe(x));
  }
}

std::string at_slot(uint32_t slot, const std::string& what) {
  return "slot " + std::to_string(slot) + " " + what;
}

uint16_t random_slot(std::mt19937_64& random) {
  return static_cast<uint16_t>(random() % slot_count);
}

} // namespace

CAF_TEST(every list is the one of the obvious model) {
  for_random_clusters(100, [](auto& random, const cluster& x) {
    ring r{x.nodes, x.spec};
    auto positions = circle_of(x.nodes);
    for (int i = 0; i < 40; ++i) {
      auto slot = i == 0 ? uint16_t{slot_count - 1} : random_slot(random);
      auto list = named(x.nodes, r.at(slot));
      auto expected = model(positions, x.spec, slot);
      if (list != expected)
        return at_slot(slot, caf::deep_to_string(list) + " not "
                               + caf::deep_to_string(expected));
    }
    return std::string{};
  });
}

CAF_TEST(homes are distinct and spread over racks and data centres as asked) {
  for_random_clusters(60, [](auto&, const cluster& x) {
    ring r{x.nodes, x.spec};
    std::map<std::string, std::set<std::string>> racks;
    std::set<std::pair<std::string, std::string>> all_racks;
    for (auto& m : x.nodes) {
      racks[m.data_centre].insert(m.rack);
      all_racks.emplace(m.data_centre, m.rack);
    }
    for (uint32_t slot = 0; slot < slot_count; slot += 7) {
      auto list = r.at(static_cast<uint16_t>(slot));
      std::set<member_index> distinct{list.begin(), list.end()};
      std::map<std::string, std::set<std::string>> used;
      std::map<std::string, uint32_t> homes;
      size_t used_racks = 0;
      for (uint32_t i = 0; i < list.homes; ++i) {
        auto& m = x.nodes[list[i]];
        ++homes[m.data_centre];
        used_racks += used[m.data_centre].insert(m.rack).second ? 1 : 0;
      }
      auto good
        = distinct.size() == list.size && list.homes == x.spec.replicas()
          && list.size == std::min<size_t>(x.nodes.size(), list.homes + 16);
      if (x.spec.per_data_centre.empty()) {
        good = good && used.size() == std::min<size_t>(racks.size(), list.homes)
               && used_racks == std::min<size_t>(all_racks.size(), list.homes);
      } else {
        good = good && homes == x.spec.per_data_centre;
        for (auto& [dc, n] : x.spec.per_data_centre)
          good
            = good && used[dc].size() == std::min<size_t>(racks[dc].size(), n);
      }
      if (!good)
        return at_slot(slot, "is not spread");
    }
    return std::string{};
  });
}

CAF_TEST(the order of the members does not matter) {
  for_random_clusters(20, [](auto& random, const cluster& x) {
    auto shuffled = x.nodes;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    ring r{x.nodes, x.spec};
    ring s{shuffled, x.spec};
    for (uint32_t i = 0; i < slot_count; i += 3) {
      auto slot = static_cast<uint16_t>(i);
      if (named(x.nodes, r.at(slot)) != named(shuffled, s.at(slot)))
        return at_slot(slot, "differs");
    }
    return std::string{};
  });
}

CAF_TEST(a member that joins displaces one home in each slot that it gains) {
  for_random_clusters(60, [](auto& random, const cluster& x) {
    auto grown = x;
    auto& like = x.nodes[random() % x.nodes.size()];
    // Now and then into a rack of its own.
    auto rack = random() % 3 == 0 ? "r9" : like.rack;
    grown.nodes.push_back(make_member("new", rack, like.data_centre));
    ring before{x.nodes, x.spec};
    ring after{grown.nodes, grown.spec};
    for (uint32_t i = 0; i < slot_count; ++i) {
      auto slot = static_cast<uint16_t>(i);
      auto old_homes = home_names(x.nodes, before, slot);
      auto new_homes = home_names(grown.nodes, after, slot);
      names gained;
      std::set_difference(new_homes.begin(), new_homes.end(), old_homes.begin(),
                          old_homes.end(), std::back_inserter(gained));
      if (!gained.empty() && gained != names{"new"})
        return at_slot(slot, "gained " + caf::deep_to_string(gained));
    }
    return std::string{};
  });
}

CAF_TEST(without racks a member that joins only pushes the others back) {
  auto old_members = plain_members(20);
  auto new_members = old_members;
  new_members.push_back(make_member("new"));
  ring before{old_members, total(3)};
  ring after{new_members, total(3)};
  size_t gained = 0;
  for (uint32_t i = 0; i < slot_count; ++i) {
    auto slot = static_cast<uint16_t>(i);
    auto list = named(new_members, after.at(slot));
    gained += after.at(slot).is_home(20) ? 1 : 0;
    list.erase(std::remove(list.begin(), list.end(), "new"), list.end());
    auto old_list = named(old_members, before.at(slot));
    CAF_REQUIRE(std::equal(list.begin(), list.end(), old_list.begin()));
  }
  // 3/21 of the slots, give or take the unevenness of 256 virtual nodes.
  auto ideal = slot_count * 3 / 21;
  CAF_CHECK_GREATER(gained, ideal * 8 / 10);
  CAF_CHECK_LESS(gained, ideal * 12 / 10);
  CAF_CHECK_EQUAL(gained, after.slots_of(20));
}

CAF_TEST(slots are shared evenly among equal members) {
  auto nodes = plain_members(10);
  ring r{nodes, total(3)};
  uint32_t sum = 0;
  for (member_index m = 0; m < nodes.size(); ++m) {
    auto slots = r.slots_of(m);
    sum += slots;
    CAF_CHECK_GREATER(slots, slot_count * 3 / 10 * 80 / 100);
    CAF_CHECK_LESS(slots, slot_count * 3 / 10 * 120 / 100);
  }
  CAF_CHECK_EQUAL(sum, slot_count * 3);
}

CAF_TEST(a member of double weight gets about double the slots) {
  auto nodes = plain_members(10);
  nodes[4].weight = 2;
  ring one{nodes, total(1)};
  CAF_CHECK_GREATER(one.slots_of(4), slot_count * 2 / 11 * 85 / 100);
  CAF_CHECK_LESS(one.slots_of(4), slot_count * 2 / 11 * 115 / 100);
  ring three{nodes, total(3)};
  // Three distinct homes take from the heavy one: 0.490 of the slots, not 6/11.
  CAF_CHECK_GREATER(three.slots_of(4), slot_count * 0.42);
  CAF_CHECK_LESS(three.slots_of(4), slot_count * 0.56);
}

CAF_TEST(with as many members as replicas everyone is home everywhere) {
  auto nodes = plain_members(3);
  ring r{nodes, total(3)};
  for (uint32_t slot = 0; slot < slot_count; ++slot) {
    auto list = r.at(static_cast<uint16_t>(slot));
    CAF_REQUIRE_EQUAL(list.homes, 3u);
    CAF_REQUIRE_EQUAL(list.size, 3u);
  }
  CAF_CHECK_EQUAL(r.slots_of(0), slot_count);
  CAF_CHECK_EQUAL(r.replicas(), 3u);
}

CAF_TEST(a single member is the home of every slot) {
  ring r{plain_members(1), total(1)};
  CAF_CHECK_EQUAL(r.slots_of(0), slot_count);
  CAF_CHECK_EQUAL(r.at(slot_count - 1).size, 1u);
}

CAF_TEST(at most sixteen fallbacks follow the homes) {
  ring r{plain_members(30), total(3)};
  auto list = r.at(77);
  CAF_CHECK_EQUAL(list.homes, 3u);
  CAF_CHECK_EQUAL(list.size, 19u);
  CAF_CHECK(list.is_home(list[0]));
  CAF_CHECK(list.is_home(list[2]));
  CAF_CHECK(!list.is_home(list[3]));
}

CAF_TEST(racks of one name in two data centres are two racks) {
  members nodes{make_member("a", "r", "dc1"), make_member("b", "r", "dc1"),
                make_member("c", "r", "dc2"), make_member("d", "s", "dc2")};
  ring r{nodes, total(3)};
  for (uint32_t i = 0; i < slot_count; ++i) {
    auto slot = static_cast<uint16_t>(i);
    CAF_REQUIRE(r.at(slot).is_home(2) && r.at(slot).is_home(3));
  }
}

CAF_TEST(the table of lists is frozen) {
  members nodes;
  for (int i = 0; i < 24; ++i)
    nodes.push_back(make_member("n" + std::to_string(i), i % 3 ? "r1" : "r2",
                                i % 2 ? "dc1" : "dc2", i == 5 ? 2 : 1));
  auto digest = [&](const char* spec) {
    ring r{nodes, parse_replication(spec).value()};
    std::string text;
    byte_writer out{text};
    for (uint32_t slot = 0; slot < slot_count; ++slot)
      for (auto m : r.at(static_cast<uint16_t>(slot)))
        out.u16(m);
    return hash64(text);
  };
  // A change here moves the data of every cluster there is.
  CAF_CHECK_EQUAL(digest("3"), 514406716090392657u);
  CAF_CHECK_EQUAL(digest("dc1:3,dc2:2"), 12909436429677162792u);
}
