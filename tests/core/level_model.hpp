// What levels ask for, counted home by home.

#pragma once

#include "core/consistency.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace covey::core::model {

/// Data centres of the homes; the own one is "a".
using homes = std::vector<std::string>;

/// The definition of each level used here, counted home by home: `enough` of
/// the data centre's `size` homes.
inline bool enough(consistency_level level, const homes& xs, home_set good) {
  std::map<std::string, std::pair<uint32_t, uint32_t>> by_centre;
  uint32_t total = 0;
  for (size_t i = 0; i < xs.size(); ++i) {
    auto& [size, have] = by_centre[xs[i]];
    ++size;
    if ((good >> i & 1) != 0) {
      ++have;
      ++total;
    }
  }
  auto majority_in = [&](const std::string& name) {
    auto [size, have] = by_centre[name];
    return 2 * have > size;
  };
  switch (level) {
    case consistency_level::one:
      return total >= 1;
    case consistency_level::two:
      return total >= 2;
    case consistency_level::quorum:
      return 2 * total > xs.size();
    case consistency_level::local_quorum:
      return majority_in("a");
    case consistency_level::each_quorum:
      return majority_in("a")
             && (by_centre.count("b") == 0 || majority_in("b"));
    default:
      return total == xs.size();
  }
}

} // namespace covey::core::model
