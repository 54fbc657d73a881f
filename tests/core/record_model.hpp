// The slow obvious model of records.

#pragma once

#include "core/dot.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace covey::test {

using core::dot;
using dots = std::set<dot>;

/// One execution of a write, with every dot that its writer had seen.
struct execution {
  size_t logical = 0;
  uint64_t stamp = 0;
  dots saw;
};

/// The slow obvious model: a replica is the set of all executions it ever took
/// in; everything else is derived from it.
class model {
public:
  void add(const dot& id, execution e) {
    all_.emplace(id, std::move(e));
  }

  const execution& at(const dot& id) const {
    return all_.at(id);
  }

  /// All dots that `known` or the writers of `known` have seen.
  dots seen(const dots& known) const {
    auto result = known;
    for (const auto& id : known)
      result.insert(at(id).saw.begin(), at(id).saw.end());
    return result;
  }

  /// Logical writes of `known` that no writer of `known` had seen, under any
  /// dot of theirs in `known`, with the smallest of these dots.
  std::map<size_t, dot> alive(const dots& known) const {
    std::set<size_t> replaced;
    for (const auto& id : known)
      for (const auto& old : at(id).saw)
        if (known.count(old) > 0)
          replaced.insert(at(old).logical);
    std::map<size_t, dot> result;
    for (const auto& id : known)
      if (replaced.count(at(id).logical) == 0)
        result.emplace(at(id).logical, id);
    return result;
  }

  /// The winner under lww.
  dot highest(const dots& known) const {
    return *std::max_element(
      known.begin(), known.end(), [this](const dot& x, const dot& y) {
        return std::tie(at(x).stamp, x) < std::tie(at(y).stamp, y);
      });
  }

  const std::map<dot, execution>& all() const {
    return all_;
  }

private:
  std::map<dot, execution> all_;
};

} // namespace covey::test
