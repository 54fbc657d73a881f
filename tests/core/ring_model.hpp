// Random clusters, and a slow obvious model of the ring's walk.

#pragma once

#include "core/hash.hpp"
#include "core/ring.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace covey::test {

using namespace covey::core;

using members = std::vector<member>;
using names = std::vector<std::string>;

inline uint64_t base_seed() {
  auto text = std::getenv("COVEY_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20210624;
}

struct cluster {
  members nodes;
  replication_spec spec;
};

inline member make_member(const std::string& name, const std::string& rack = "",
                          const std::string& data_centre = "",
                          uint32_t weight = 1) {
  member result;
  result.name = name;
  result.rack = rack;
  result.data_centre = data_centre;
  result.weight = weight;
  return result;
}

inline members plain_members(int n) {
  members result;
  for (int i = 0; i < n; ++i)
    result.push_back(make_member("n" + std::to_string(100 + i)));
  return result;
}

inline replication_spec total(uint32_t n) {
  replication_spec result;
  result.total = n;
  return result;
}

inline cluster random_cluster(std::mt19937_64& random) {
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

inline std::string describe(const cluster& x) {
  auto result = "replication " + to_string(x.spec) + " of";
  for (auto& m : x.nodes)
    result += " " + m.name + "=" + m.data_centre + "/" + m.rack + "*"
              + std::to_string(m.weight);
  return result;
}

/// The names in the preference list of a slot.
inline names named(const members& nodes, const preference_list& xs) {
  names result;
  for (auto m : xs)
    result.push_back(nodes[m].name);
  return result;
}

inline std::set<std::string> home_names(const members& nodes, const ring& r,
                                        uint16_t slot) {
  auto xs = r.at(slot);
  auto all = named(nodes, xs);
  return {all.begin(), all.begin() + xs.homes};
}

// -- the model: the members in clockwise order, from which the best is drawn
// again and again, without any state between the draws.

using circle = std::vector<std::pair<uint64_t, const member*>>;

inline circle circle_of(const members& nodes) {
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
inline std::vector<const member*> walk(const circle& positions, uint16_t slot) {
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
inline std::vector<const member*>
draw(const std::vector<const member*>& candidates, uint32_t n,
     bool spread_data_centres) {
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

inline names model(const circle& positions, const replication_spec& spec,
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

} // namespace covey::test
