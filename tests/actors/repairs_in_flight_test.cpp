// Which repairs are sent, joined and dropped.

#define CAF_SUITE actors.repairs_in_flight

#include "actors/repairs_in_flight.hpp"
#include "tests/test.hpp"

using namespace covey;
using verdict = repairs_in_flight::verdict;

namespace {

constexpr uint64_t key = 77;

/// The get `number`, which repairs the home at `place`.
ticket get(uint32_t number, uint8_t place = 0) {
  return {number, 1, place, 1};
}

struct fixture {
  /// Whoever joined, by number.
  std::vector<uint32_t> end(const ticket& t) {
    std::vector<uint32_t> result;
    for (const auto& x : aut.end(key, t))
      result.push_back(x.index);
    return result;
  }

  repairs_in_flight aut{2};
};

using numbers = std::vector<uint32_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(repairs_in_flight_tests, fixture)

CAF_TEST(the same version is sent once and its answer is for all) {
  CAF_CHECK(aut.begin(key, get(1), 5, true) == verdict::send);
  CAF_CHECK(aut.begin(key, get(2), 5, true) == verdict::joined);
  CAF_CHECK(aut.begin(key, get(3), 5, true) == verdict::joined);
  CAF_CHECK_EQUAL(end(get(1)), (numbers{2, 3}));
  CAF_CHECK_EQUAL(aut.size(), 0u);
  CAF_CHECK(aut.begin(key, get(4), 5, true) == verdict::send);
}

CAF_TEST(only the answer of the one that was sent is for those that joined) {
  aut.begin(key, get(1), 5, true);
  aut.begin(key, get(2), 5, true);
  CAF_CHECK_EQUAL(end(get(2)), numbers{});
  // The ticket of an earlier request in the same place.
  auto other = get(1);
  other.generation = 2;
  CAF_CHECK_EQUAL(end(other), numbers{});
  CAF_CHECK_EQUAL(end(get(1)), numbers{2});
  CAF_CHECK_EQUAL(end(get(1)), numbers{});
}

CAF_TEST(another version of a get that waits is sent as well) {
  aut.begin(key, get(1), 5, true);
  CAF_CHECK(aut.begin(key, get(2), 6, true) == verdict::send);
  CAF_CHECK_EQUAL(aut.size(), 1u);
  // Its answer is nobody else's.
  CAF_CHECK_EQUAL(end(get(2)), numbers{});
  CAF_CHECK(aut.begin(key, get(3), 5, true) == verdict::joined);
}

CAF_TEST(homes and keys are apart) {
  aut.begin(key, get(1, 0), 5, true);
  CAF_CHECK(aut.begin(key, get(2, 1), 5, true) == verdict::send);
  CAF_CHECK(aut.begin(key + 1, get(3, 0), 5, true) == verdict::send);
  CAF_CHECK_EQUAL(aut.size(), 3u);
}

CAF_TEST(what nobody waits for is dropped beside another one) {
  aut.begin(key, get(1), 5, true);
  CAF_CHECK(aut.begin(key, get(2), 5, false) == verdict::drop);
  CAF_CHECK(aut.begin(key, get(3), 6, false) == verdict::drop);
  CAF_CHECK_EQUAL(end(get(1)), numbers{});
}

CAF_TEST(what nobody waits for is dropped beyond the limit) {
  CAF_CHECK(aut.begin(1, get(1), 5, false) == verdict::send);
  CAF_CHECK(aut.begin(2, get(2), 5, true) == verdict::send);
  CAF_CHECK(aut.begin(3, get(3), 5, false) == verdict::drop);
  CAF_CHECK(aut.begin(3, get(3), 5, true) == verdict::send);
  aut.end(1, get(1));
  aut.end(2, get(2));
  CAF_CHECK(aut.begin(4, get(4), 5, false) == verdict::send);
}

CAF_TEST_FIXTURE_SCOPE_END()
