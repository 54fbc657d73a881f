#include "tests/simulation/layout.hpp"

#include "core/check.hpp"
#include "core/consistency.hpp"

namespace covey::simulation {

namespace {

using level = core::consistency_level;

std::shared_ptr<const core::epoch> make_epoch(uint32_t nodes, bool racks,
                                              bool two) {
  auto result = std::make_shared<core::epoch>();
  result->id = {1, 1};
  result->cluster = "simulated";
  for (uint32_t i = 0; i < nodes; ++i) {
    core::member m;
    m.name = "n" + std::to_string(i + 1);
    m.id = core::initial_member_id(result->cluster, m.name);
    m.host = "host";
    m.port = static_cast<uint16_t>(i + 1);
    m.rack = "r" + std::to_string(racks ? i % 3 : 0);
    m.data_centre = two && i >= 3 ? "east" : "west";
    result->members.push_back(m);
  }
  for (const auto* name : {siblings_keyspace, lww_keyspace}) {
    core::keyspace ks;
    ks.name = name;
    ks.hash_tags = true;
    if (two)
      ks.replication.per_data_centre = {{"east", 2}, {"west", 3}};
    else
      ks.replication.total = 3;
    if (name == lww_keyspace)
      ks.policy = core::conflict_policy::lww;
    result->keyspaces.push_back(ks);
  }
  COVEY_CHECK(core::validate(*result).empty());
  return result;
}

} // namespace

overlap_table overlaps_of(const std::vector<access>& accesses,
                          const std::vector<std::string>& homes) {
  auto n = accesses.size();
  overlap_table result(n, std::vector<bool>(n, true));
  auto sets = core::home_set{1} << homes.size();
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      auto x = core::requirement_of(accesses[i].level, homes,
                                    accesses[i].data_centre);
      auto y = core::requirement_of(accesses[j].level, homes,
                                    accesses[j].data_centre);
      COVEY_CHECK(x && y);
      for (core::home_set a = 0; a < sets; ++a)
        if (x->met(a) && y->met((sets - 1) & ~a))
          result[i][j] = false;
    }
  return result;
}

size_t layout::access_of(const core::consistency& wanted,
                         const std::string& data_centre) const {
  auto is_local
    = wanted.level == level::local_quorum || wanted.level == level::local_one;
  for (size_t i = 0; i < accesses.size(); ++i)
    if (accesses[i].level.level == wanted.level
        && accesses[i].level.count == wanted.count
        && (!is_local || accesses[i].data_centre == data_centre))
      return i;
  COVEY_CHECK(false);
  return 0;
}

layout make_layout(uint32_t nodes, bool racks, bool two) {
  layout result;
  result.epoch = make_epoch(nodes, racks, two);
  result.view = std::make_shared<const core::cluster_view>(result.epoch);
  result.accesses = {{{level::quorum, 0}, {}},
                     {{level::all, 0}, {}},
                     {{level::one, 0}, {}},
                     {{level::two, 0}, {}},
                     {{level::number, 3}, {}}};
  if (two) {
    result.homes = {"east", "east", "west", "west", "west"};
    result.accesses.push_back({{level::each_quorum, 0}, {}});
    for (const auto* dc : {"east", "west"}) {
      result.accesses.push_back({{level::local_quorum, 0}, dc});
      result.accesses.push_back({{level::local_one, 0}, dc});
    }
  } else {
    result.homes = {"west", "west", "west"};
    result.accesses.push_back({{level::number, 1}, {}});
  }
  result.overlaps = overlaps_of(result.accesses, result.homes);
  return result;
}

layout draw_layout(std::mt19937_64& random) {
  static const std::vector<layout> shapes{
    make_layout(3, false, false), make_layout(5, false, false),
    make_layout(5, true, false), make_layout(5, false, true),
    make_layout(6, false, true)};
  // Three nodes most often: whatever goes wrong is found there first.
  auto i = random() % 10;
  return shapes[i < 4 ? 0 : i < 6 ? 1 : i < 8 ? 2 : i - 5];
}

} // namespace covey::simulation
