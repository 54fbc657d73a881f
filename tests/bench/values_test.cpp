#define CAF_SUITE bench.values

#include "bench/executor.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace covey::bench;

CAF_TEST(values are of their size and differ) {
  for (auto size : {size_t{1}, size_t{100}, size_t{10'000}}) {
    value_source x{{size, false, 1}};
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
      auto value = x.next();
      CAF_CHECK_EQUAL(value.size(), size);
      seen.insert(std::move(value));
    }
    CAF_CHECK(seen.size() > (size == 1 ? 100u : 199u));
  }
  value_source empty{{0, false, 1}};
  CAF_CHECK_EQUAL(empty.next(), "");
  value_source nothing{{0, true, 1}};
  CAF_CHECK_EQUAL(nothing.next(), "");
}

CAF_TEST(the same seed makes the same values) {
  value_source x{{50, false, 1}};
  value_source y{{50, false, 1}};
  value_source z{{50, false, 2}};
  auto first = x.next();
  CAF_CHECK_EQUAL(first, y.next());
  CAF_CHECK_NOT_EQUAL(first, z.next());
}

CAF_TEST(values can be compressed only if asked) {
  auto letters = [](bool compressible) {
    auto value = value_source{{1000, compressible, 1}}.next();
    return std::set<char>{value.begin(), value.end()}.size();
  };
  CAF_CHECK(letters(true) <= 2);
  CAF_CHECK(letters(false) > 200);
}
