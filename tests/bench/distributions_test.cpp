#define CAF_SUITE bench.distributions

#include "bench/distributions.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

using namespace covey::bench;

namespace {

constexpr size_t draws = 200'000;

template <class F>
std::vector<uint64_t> histogram_of(uint64_t n, F draw) {
  std::vector<uint64_t> result(n);
  for (size_t i = 0; i < draws; ++i)
    ++result.at(draw());
  return result;
}

/// Whether `seen` of all draws is within five standard deviations of `p`.
bool plausible(uint64_t seen, double p) {
  auto mean = draws * p;
  auto deviation = std::sqrt(draws * p * (1 - p));
  return std::abs(static_cast<double>(seen) - mean) <= 5 * deviation;
}

double zeta(uint64_t n, double theta) {
  double result = 0;
  for (uint64_t i = 1; i <= n; ++i)
    result += 1 / std::pow(static_cast<double>(i), theta);
  return result;
}

} // namespace

CAF_TEST(the same seed draws the same keys) {
  random_source x{42};
  random_source y{42};
  random_source z{43};
  zipfian ranks{1000};
  auto differs = false;
  for (int i = 0; i < 100; ++i) {
    auto drawn = ranks(x);
    CAF_CHECK_EQUAL(drawn, ranks(y));
    differs = differs || drawn != ranks(z);
  }
  CAF_CHECK(differs);
}

CAF_TEST(uniform draws each key equally often) {
  random_source random{1};
  auto seen = histogram_of(50, [&] {
    return uniform_below(random, 50);
  });
  for (auto x : seen)
    CAF_CHECK(plausible(x, 1.0 / 50));
  for (int i = 0; i < 1000; ++i) {
    auto x = uniform_real(random);
    CAF_CHECK(x >= 0 && x < 1);
  }
}

CAF_TEST(the first two zipfian ranks are as frequent as their formula) {
  for (auto n : {uint64_t{3}, uint64_t{100}, uint64_t{10'000}}) {
    random_source random{n};
    zipfian ranks{n};
    auto seen = histogram_of(n, [&] {
      return ranks(random);
    });
    auto sum = zeta(n, 0.99);
    CAF_CHECK(plausible(seen[0], 1 / sum));
    CAF_CHECK(plausible(seen[1], std::pow(0.5, 0.99) / sum));
  }
}

CAF_TEST(the popular tenth of zipfian ranks draws its share) {
  constexpr uint64_t n = 1000;
  random_source random{5};
  zipfian ranks{n};
  auto seen = histogram_of(n, [&] {
    return ranks(random);
  });
  uint64_t popular = 0;
  for (size_t i = 0; i < n / 10; ++i)
    popular += seen[i];
  auto share = static_cast<double>(popular) / draws;
  auto ideal = zeta(n / 10, 0.99) / zeta(n, 0.99);
  // The method of Gray et al. is an approximation beyond rank 1.
  CAF_CHECK(std::abs(share - ideal) < 0.02);
}

CAF_TEST(one and two zipfian ranks are all there is) {
  random_source random{1};
  zipfian one{1};
  zipfian two{2};
  for (int i = 0; i < 1000; ++i) {
    CAF_CHECK_EQUAL(one(random), 0u);
    CAF_CHECK(two(random) < 2);
  }
}

CAF_TEST(zipfian ranks that grew are those of their size) {
  zipfian grown{10};
  grown.grow(5);
  CAF_CHECK_EQUAL(grown.size(), 10u);
  grown.grow(5000);
  zipfian made{5000};
  random_source x{3};
  random_source y{3};
  for (int i = 0; i < 1000; ++i)
    CAF_CHECK_EQUAL(grown(x), made(y));
}

CAF_TEST(the hash is FNV - 1a) {
  // Offset basis times prime, for eight zero bytes; computed independently.
  uint64_t expected = 0xcbf29ce484222325;
  for (int i = 0; i < 8; ++i)
    expected *= 0x100000001b3;
  CAF_CHECK_EQUAL(fnv_hash(0), expected);
  CAF_CHECK_NOT_EQUAL(fnv_hash(1), fnv_hash(2));
  CAF_CHECK_NOT_EQUAL(fnv_hash(1), fnv_hash(uint64_t{1} << 56));
}

CAF_TEST(scrambled zipfian scatters its popular keys as YCSB does) {
  constexpr uint64_t n = 1000;
  random_source random{9};
  scrambled_zipfian keys;
  auto seen = histogram_of(n, [&] {
    return keys(random, n);
  });
  auto first = fnv_hash(0) % n;
  auto second = fnv_hash(1) % n;
  CAF_CHECK(first != 0 && second != first);
  // Ten billion ranks have a sum of 26.469; rank 0 alone has 3.8 %, and all
  // others add about a thousandth to each key.
  auto most = std::max_element(seen.begin(), seen.end());
  CAF_CHECK_EQUAL(static_cast<uint64_t>(most - seen.begin()), first);
  auto share = static_cast<double>(seen[first]) / draws;
  CAF_CHECK(share > 1 / 26.47 && share < 1 / 26.47 + 0.003);
  // Everything is drawn now and then.
  CAF_CHECK(*std::min_element(seen.begin(), seen.end()) > 0);
}

CAF_TEST(latest prefers the newest key and follows it) {
  constexpr uint64_t n = 1000;
  random_source random{11};
  latest keys{100};
  auto seen = histogram_of(n, [&] {
    return keys(random, n);
  });
  auto sum = zeta(n, 0.99);
  CAF_CHECK(plausible(seen[n - 1], 1 / sum));
  CAF_CHECK(plausible(seen[n - 2], std::pow(0.5, 0.99) / sum));
  CAF_CHECK(seen[n - 1] > 50 * seen[0]);
}
