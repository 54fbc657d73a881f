// The arithmetic of consistency levels against brute force.

#define CAF_SUITE core.consistency

#include "core/consistency.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace covey::core;

namespace {

using homes = std::vector<std::string>;

std::vector<consistency> all_levels() {
  std::vector<consistency> result;
  for (auto level :
       {consistency_level::one, consistency_level::two,
        consistency_level::three, consistency_level::quorum,
        consistency_level::all, consistency_level::local_one,
        consistency_level::local_quorum, consistency_level::each_quorum})
    result.push_back({level, 0});
  for (uint32_t n = 0; n <= 9; ++n)
    result.push_back({consistency_level::number, n});
  return result;
}

/// All ways to place `n` homes in the data centres a, b and c; for larger `n`
/// only those in which the homes of a data centre are neighbours.
std::vector<homes> placements(size_t n) {
  std::vector<homes> result;
  homes xs(n, "a");
  for (;;) {
    if (n <= 5 || std::is_sorted(xs.begin(), xs.end()))
      result.push_back(xs);
    size_t i = 0;
    while (i < n && xs[i] == "c")
      xs[i++] = "a";
    if (i == n)
      return result;
    ++xs[i][0];
  }
}

/// The definition of each level, counted home by home.
bool enough(const consistency& level, const homes& xs, const std::string& local,
            home_set answered) {
  std::map<std::string, size_t> size;
  std::map<std::string, size_t> answers;
  size_t total = 0;
  for (size_t i = 0; i < xs.size(); ++i) {
    ++size[xs[i]];
    if ((answered >> i & 1) != 0) {
      ++answers[xs[i]];
      ++total;
    }
  }
  switch (level.level) {
    case consistency_level::one:
      return total >= 1;
    case consistency_level::two:
      return total >= 2;
    case consistency_level::three:
      return total >= 3;
    case consistency_level::number:
      return total >= level.count;
    case consistency_level::quorum:
      return total > xs.size() - total;
    case consistency_level::all:
      return total == xs.size();
    case consistency_level::local_one:
      return answers[local] >= 1;
    case consistency_level::local_quorum:
      return answers[local] > size[local] - answers[local];
    case consistency_level::each_quorum:
      return std::all_of(size.begin(), size.end(), [&](auto& x) {
        return answers[x.first] > x.second - answers[x.first];
      });
    default:
      return false;
  }
}

/// The sets of homes that are enough.
std::vector<home_set> enough_sets(const consistency& level, const homes& xs,
                                  const std::string& local) {
  std::vector<home_set> result;
  for (home_set set = 0; set < home_set{1} << xs.size(); ++set)
    if (enough(level, xs, local, set))
      result.push_back(set);
  return result;
}

std::string describe(const consistency& level, const homes& xs,
                     const std::string& local) {
  auto result = to_string(level) + " seen from " + local + " of";
  for (auto& x : xs)
    result += " " + x;
  return result;
}

/// Calls `f(level, homes, local)` for every combination.
template <class F>
void for_each_case(size_t most, F f) {
  size_t cases = 0;
  for (size_t n = 1; n <= most; ++n)
    for (auto& xs : placements(n))
      for (auto& level : all_levels())
        for (std::string local : {"a", "b", "c", "elsewhere"}) {
          f(level, xs, local);
          ++cases;
        }
  CAF_CHECK_GREATER(cases, 1000u);
}

std::optional<requirement> make(consistency_level level, const homes& xs,
                                uint32_t n = 0) {
  return requirement_of({level, n}, xs, "a");
}

} // namespace

CAF_TEST(a level is refused exactly if all homes together are not enough) {
  for_each_case(7, [](auto& level, auto& xs, auto& local) {
    auto expected
      = enough(level, xs, local, ~home_set{0}) && !enough(level, xs, local, 0);
    if (requirement_of(level, xs, local).has_value() != expected)
      CAF_FAIL(describe(level, xs, local));
  });
}

CAF_TEST(met and possible agree with the definition for every set of homes) {
  for_each_case(7, [](auto& level, auto& xs, auto& local) {
    auto x = requirement_of(level, xs, local);
    if (!x)
      return;
    auto all = (home_set{1} << xs.size()) - 1;
    for (home_set set = 0; set <= all; ++set)
      if (x->met(set) != enough(level, xs, local, set)
          || x->possible(set) != enough(level, xs, local, all & ~set))
        CAF_FAIL(describe(level, xs, local) << ", set " << set);
  });
}

CAF_TEST(a level overlaps itself exactly if any two of its sets share a home) {
  for_each_case(6, [](auto& level, auto& xs, auto& local) {
    auto x = requirement_of(level, xs, local);
    if (!x)
      return;
    auto sets = enough_sets(level, xs, local);
    auto overlaps = std::all_of(sets.begin(), sets.end(), [&](auto s) {
      return std::all_of(sets.begin(), sets.end(), [s](auto t) {
        return (s & t) != 0;
      });
    });
    if (x->overlaps_itself() != overlaps)
      CAF_FAIL(describe(level, xs, local));
  });
}

CAF_TEST(choose takes the first smallest set that the order offers) {
  constexpr uint64_t seed = 11;
  std::mt19937_64 random{seed};
  for_each_case(5, [&](auto& level, auto& xs, auto& local) {
    auto x = requirement_of(level, xs, local);
    if (!x)
      return;
    std::vector<uint8_t> order(xs.size());
    std::iota(order.begin(), order.end(), uint8_t{0});
    std::shuffle(order.begin(), order.end(), random);
    order.resize(random() % (order.size() + 1));
    // Subsets by places in the order: fewer first, then earlier ones.
    home_set best = 0;
    auto rank = [](home_set places) {
      uint64_t late = 0;
      for (int i = 0; i < 16; ++i)
        late = late << 1 | (places >> i & 1);
      return std::make_pair(count(places), ~late);
    };
    for (home_set places = 0; places < home_set{1} << order.size(); ++places) {
      home_set set = 0;
      for (size_t i = 0; i < order.size(); ++i)
        if ((places >> i & 1) != 0)
          set |= home_set{1} << order[i];
      if (enough(level, xs, local, set)
          && (best == 0 || rank(places) < rank(best)))
        best = places;
    }
    home_set expected = 0;
    for (size_t i = 0; i < order.size(); ++i)
      if ((best >> i & 1) != 0)
        expected |= home_set{1} << order[i];
    auto chosen = x->choose(order);
    if (chosen != expected)
      CAF_FAIL("seed " << seed << ": " << describe(level, xs, local)
                       << ", chosen " << chosen << " not " << expected);
    if (chosen != 0 && count(chosen) != x->needed())
      CAF_FAIL("seed " << seed << ": " << describe(level, xs, local)
                       << " needs " << x->needed());
  });
}

CAF_TEST(sets that meet R and W share a home if and only if R and W exceed N) {
  for (uint32_t n = 1; n <= 7; ++n) {
    homes xs(n, "a");
    for (uint32_t r = 1; r <= n; ++r)
      for (uint32_t w = 1; w <= n; ++w) {
        auto read = make(consistency_level::number, xs, r);
        auto write = make(consistency_level::number, xs, w);
        auto share = true;
        for (home_set s = 0; s < home_set{1} << n; ++s)
          for (home_set t = 0; t < home_set{1} << n; ++t)
            if (read->met(s) && write->met(t) && (s & t) == 0)
              share = false;
        CAF_CHECK_EQUAL(share, r + w > n);
      }
  }
}

CAF_TEST(a choice with one home repeated counts it once) {
  auto x = make(consistency_level::two, {"a", "a", "a"});
  CAF_CHECK_EQUAL(x->choose({1, 1}), 0u);
  CAF_CHECK_EQUAL(x->choose({1, 1, 0}), 0b011u);
}

CAF_TEST(fallbacks in an order or among the answers do not count) {
  auto x = make(consistency_level::quorum, {"a", "a", "a"});
  CAF_CHECK_EQUAL(x->choose({3, 31, 0, 4, 2}), 0b101u);
  CAF_CHECK(!x->met(0b11001));
  CAF_CHECK(!x->possible(0b011));
}

CAF_TEST(a local level needs a local home) {
  CAF_CHECK(!make(consistency_level::local_one, {"b", "c"}));
  CAF_CHECK(!make(consistency_level::local_quorum, {"b", "c"}));
  CAF_CHECK(!make(consistency_level::local_quorum, {}));
  CAF_CHECK(!make(consistency_level::each_quorum, {}));
}

CAF_TEST(sixteen homes in one data centre are enough for every level) {
  homes xs(16, "a");
  for (auto& level : all_levels()) {
    auto x = requirement_of(level, xs, "a");
    CAF_CHECK_EQUAL(x.has_value(), level.level != consistency_level::number
                                     || level.count > 0);
    CAF_CHECK(!x || x->met(0xffff));
  }
  CAF_CHECK_EQUAL(make(consistency_level::quorum, xs)->needed(), 9u);
  CAF_CHECK_EQUAL(make(consistency_level::all, xs)->needed(), 16u);
}

CAF_TEST(each quorum needs a majority of every data centre) {
  auto x = make(consistency_level::each_quorum, {"a", "b", "a", "b", "a"});
  CAF_CHECK_EQUAL(x->needed(), 4u);
  CAF_CHECK(x->met(0b01111));
  CAF_CHECK(!x->met(0b10111));
  CAF_CHECK(!x->possible(0b00010));
}
