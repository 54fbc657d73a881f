// The ring against a slow obvious model of the walk, and its properties.

#define CAF_SUITE core.ring

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "core/ring.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace covey::core;

namespace {

using members = std::vector<member>;
using names = std::vector<std::string>;

uint64_t base_seed() {
  auto text = std::getenv("COVEY_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20210624;
}

struct cluster {
  members nodes;
  replication_spec spec;
};

member make_member(const std::string& name, const std::string& rack = "",
                   const std::string& data_centre = "", uint32_t weight = 1) {
  member result;
  result.name = name;
  result.rack = rack;
  result.data_centre = data_centre;
  result.weight = weight;
  return result;
}

members plain_members(int n) {
  members result;
  for (int i = 0; i < n; ++i)
    result.push_back(make_member("n" + std::to_string(100 + i)));
  return result;
}

replication_spec total(uint32_t n) {
  replication_spec result;
  result.total = n;
  return result;
}

cluster random_cluster(std::mt19937_64& random) {
  cluster result;
  auto n = 1 + random() % 12;
  auto data_centres = 1 + random() % 3;
  auto racks = 1 + random() % 4;
  std::map<std::string, uint32_t> size;
  for (uint64_t i = 0; i < n; ++i) {
    auto dc = "dc" + std::to_string(random() % data_centres);
    ++size[dc];
    result.nodes.push_back(make_member(
      "n" + std::to_string(10 + i), "r" + std::to_string(random() % racks), dc,
      random() % 3 == 0 ? 1 + random() % 4 : 1));
  }
  if (random() % 2 == 0) {
    result.spec.total
      = static_cast<uint32_t>(1 + random() % std::min(n, uint64_t{7}));
    return result;
  }
  // A data centre may stay without replicas, but not all of them.
  for (auto& [dc, count] : size)
    if (random() % 5 != 0)
      result.spec.per_data_centre[dc]
        = static_cast<uint32_t>(1 + random() % std::min(count, uint32_t{4}));
  if (result.spec.per_data_centre.empty())
    result.spec.per_data_centre[size.begin()->first] = 1;
  return result;
}

std::string describe(const cluster& x) {
  auto result = "replication " + to_string(x.spec) + " of";
  for (auto& m : x.nodes)
    result += " " + m.name + "=" + m.data_centre + "/" + m.rack + "*"
              + std::to_string(m.weight);
  return result;
}

/// The names in the preference list of a slot.
names named(const members& nodes, const preference_list& xs) {
  names result;
  for (auto m : xs)
    result.push_back(nodes[m].name);
  return result;
}

std::set<std::string> home_names(const members& nodes, const ring& r,
                                 uint16_t slot) {
  auto xs = r.at(slot);
  auto all = named(nodes, xs);
  return {all.begin(), all.begin() + xs.homes};
}

// -- the model: the members in clockwise order, from which the best is drawn
// again and again, without any state between the draws.

using circle = std::vector<std::pair<uint64_t, const member*>>;

circle circle_of(const members& nodes) {
  circle result;
  for (auto& m : nodes)
    for (uint32_t i = 0; i < m.weight * 256; ++i)
      result.emplace_back(hash64(m.name + "/" + std::to_string(i)), &m);
  std::sort(result.begin(), result.end(), [](auto& x, auto& y) {
    return x.first < y.first;
  });
  return result;
}

/// Distinct members in clockwise order from `slot` on.
std::vector<const member*> walk(const circle& positions, uint16_t slot) {
  std::vector<const member*> result;
  auto once = [&](const member* m) {
    if (std::find(result.begin(), result.end(), m) == result.end())
      result.push_back(m);
  };
  for (auto& [position, m] : positions)
    if (position >= slot_position(slot))
      once(m);
  for (auto& [position, m] : positions)
    once(m);
  return result;
}

/// Draws `n` of `candidates`: each time the first one of the best class.
std::vector<const member*> draw(const std::vector<const member*>& candidates,
                                uint32_t n, bool spread_data_centres) {
  std::vector<const member*> taken;
  auto unlike_all = [&](auto key, const member* m) {
    return std::none_of(taken.begin(), taken.end(), [&](auto x) {
      return key(*x) == key(*m);
    });
  };
  auto data_centre = [](const member& m) {
    return m.data_centre;
  };
  auto rack = [](const member& m) {
    return std::make_pair(m.data_centre, m.rack);
  };
  auto name = [](const member& m) {
    return m.name;
  };
  while (taken.size() < n) {
    const member* best = nullptr;
    auto best_class = 3;
    for (auto m : candidates) {
      if (!unlike_all(name, m))
        continue;
      auto c = spread_data_centres && unlike_all(data_centre, m) ? 0
               : unlike_all(rack, m)                             ? 1
                                                                 : 2;
      if (c < best_class) {
        best = m;
        best_class = c;
      }
    }
    taken.push_back(best);
  }
  return taken;
}

names model(const circle& positions, const replication_spec& spec,
            uint16_t slot) {
  auto order = walk(positions, slot);
  auto place = [&](const member* m) {
    return std::find(order.begin(), order.end(), m) - order.begin();
  };
  std::vector<const member*> homes;
  if (spec.per_data_centre.empty()) {
    homes = draw(order, spec.total, true);
  } else {
    // A member is taken when the walk meets it, or later, together with the
    // one before it whose taking let it in.
    std::map<std::pair<int64_t, size_t>, const member*> by_time;
    for (auto& [dc, n] : spec.per_data_centre) {
      std::vector<const member*> candidates;
      for (auto m : order)
        if (m->data_centre == dc)
          candidates.push_back(m);
      int64_t time = 0;
      size_t i = 0;
      for (auto m : draw(candidates, n, false)) {
        time = std::max<int64_t>(time, place(m));
        by_time[{time, i++}] = m;
      }
    }
    for (auto& entry : by_time)
      homes.push_back(entry.second);
  }
  names result;
  for (auto m : homes)
    result.push_back(m->name);
  auto most = homes.size() + 16;
  for (auto m : order)
    if (result.size() < most
        && std::find(homes.begin(), homes.end(), m) == homes.end())
      result.push_back(m->name);
  return result;
}

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
