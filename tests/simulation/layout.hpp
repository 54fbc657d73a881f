// Shapes of simulated clusters: nodes, data centres, levels.

#pragma once

#include "core/epoch.hpp"
#include "runtime/wiring.hpp"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace covey::simulation {

/// Keyspaces of every simulated cluster, both with hash tags: one that keeps
/// siblings, one where the last write wins.
inline constexpr auto siblings_keyspace = "default";
inline constexpr auto lww_keyspace = "last";

/// A level as seen from a data centre: what an acknowledgement is worth.
struct access {
  core::consistency level;
  /// Matters to the LOCAL levels only.
  std::string data_centre;
};

/// For each pair of accesses, whether homes that met the one always share a
/// home with those that met the other.
using overlap_table = std::vector<std::vector<bool>>;

struct layout {
  std::shared_ptr<const core::epoch> epoch;
  view_ptr view;
  /// Data centre of each home of a key: the same for every key.
  std::vector<std::string> homes;
  /// What clients may ask for; the first is QUORUM, the second ALL.
  std::vector<access> accesses;
  overlap_table overlaps;

  /// Place of `level` in `accesses`, as a node in `data_centre` sees it.
  size_t access_of(const core::consistency& level,
                   const std::string& data_centre) const;
};

/// Every level, from every data centre, against every other by brute force.
overlap_table overlaps_of(const std::vector<access>& accesses,
                          const std::vector<std::string>& homes);

/// `nodes` in one data centre, in as many racks as they like; with `two`, five
/// or six nodes in two, three replicas in the one and two in the other.
layout make_layout(uint32_t nodes, bool racks, bool two);

/// One of three nodes, five nodes, five in racks, and two data centres.
layout draw_layout(std::mt19937_64& random);

} // namespace covey::simulation
