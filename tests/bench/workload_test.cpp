#define CAF_SUITE bench.workload

#include "bench/workload.hpp"

#include <caf/test/unit_test.hpp>

#include <cmath>
#include <numeric>

using namespace covey::bench;

namespace {

constexpr size_t draws = 100'000;

workload named(const char* name) {
  auto result = parse_workload(name);
  CAF_REQUIRE(result);
  return *result;
}

} // namespace

CAF_TEST(the shares of each workload add up) {
  for (const auto* name : {"A", "B", "C", "D", "E", "F", "W"}) {
    auto x = named(name);
    CAF_CHECK_EQUAL(
      std::accumulate(x.percent.begin(), x.percent.end(), uint32_t{0}), 100u);
    CAF_CHECK_EQUAL(x.name, name);
  }
  for (const auto* name : {"", "a", "G", "AB"})
    CAF_CHECK(!parse_workload(name));
}

CAF_TEST(the words for choices of keys are read back) {
  for (auto x : {key_choice::uniform, key_choice::zipfian, key_choice::latest})
    CAF_CHECK(parse_key_choice(to_string(x)) == x);
  CAF_CHECK(!parse_key_choice("random"));
}

CAF_TEST(operations come in the shares of the workload) {
  for (const auto* name : {"A", "B", "C", "D", "E", "F", "W"}) {
    auto what = named(name);
    key_space keys{1000};
    operation_source source{what, keys, 3};
    std::array<uint64_t, op_kinds> seen{};
    for (size_t i = 0; i < draws; ++i) {
      auto x = source.next();
      ++seen[static_cast<size_t>(x.kind)];
      if (x.kind == op_kind::insert)
        keys.end_insert(x.key);
      else
        CAF_CHECK(x.key < keys.size());
      if (x.kind == op_kind::scan)
        CAF_CHECK(x.length >= 1 && x.length <= max_scan_length);
    }
    for (size_t i = 0; i < op_kinds; ++i) {
      auto p = what.percent[i] / 100.0;
      auto deviation = std::sqrt(draws * p * (1 - p));
      CAF_CHECK(std::abs(static_cast<double>(seen[i]) - draws * p)
                <= 5 * deviation);
    }
  }
}

CAF_TEST(the same seed gives the same operations and another one others) {
  key_space keys{1000};
  operation_source x{named("A"), keys, 1};
  operation_source y{named("A"), keys, 1};
  operation_source z{named("A"), keys, 2};
  auto differs = false;
  for (int i = 0; i < 100; ++i) {
    auto a = x.next();
    auto b = y.next();
    auto c = z.next();
    CAF_CHECK(a.kind == b.kind && a.key == b.key);
    differs = differs || a.key != c.key;
  }
  CAF_CHECK(differs);
}

CAF_TEST(a key may be read once its insert and all before have ended) {
  key_space keys{10};
  CAF_CHECK_EQUAL(keys.size(), 10u);
  CAF_CHECK_EQUAL(keys.begin_insert(), 10u);
  CAF_CHECK_EQUAL(keys.begin_insert(), 11u);
  CAF_CHECK_EQUAL(keys.begin_insert(), 12u);
  keys.end_insert(12);
  keys.end_insert(11);
  CAF_CHECK_EQUAL(keys.size(), 10u);
  keys.end_insert(10);
  CAF_CHECK_EQUAL(keys.size(), 13u);
}

CAF_TEST(keys are of 16 bytes and all different) {
  CAF_CHECK_EQUAL(key_of(0), "user000000000000");
  CAF_CHECK_EQUAL(key_of(1234567), "user000001234567");
  CAF_CHECK_EQUAL(key_of(999'999'999'999), "user999999999999");
}
