// Purging against owners, hints and messages that are late in every way.

#define CAF_SUITE core.purge_model

#include "tests/core/purge_model.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey;
using test::purge_model;
using test::purge_rule;

namespace {

struct outcome {
  uint64_t purged = 0;
  uint64_t resurrected = 0;
  uint64_t refused = 0;
};

outcome of_many(purge_rule rule, uint64_t seeds) {
  outcome result;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    purge_model x{seed, rule};
    x.live();
    result.purged += x.purged();
    result.resurrected += x.resurrected() > 0 ? 1 : 0;
    result.refused += x.refused();
    if (rule == purge_rule::proof && x.resurrected() + x.refused() > 0)
      CAF_MESSAGE("seed " << seed);
  }
  return result;
}

} // namespace

CAF_TEST(below a proven watermark nothing comes back and nothing is refused) {
  auto x = of_many(purge_rule::proof, 1'000);
  CAF_MESSAGE(x.purged << " purged");
  CAF_CHECK_EQUAL(x.resurrected, 0u);
  CAF_CHECK_EQUAL(x.refused, 0u);
  // All of this is about something.
  CAF_CHECK_GREATER(x.purged, 1'000u);
}

CAF_TEST(purging by time alone brings deleted values back) {
  CAF_CHECK_GREATER(of_many(purge_rule::time_alone, 200).resurrected, 0u);
}

CAF_TEST(purging without a look at hints brings deleted values back) {
  CAF_CHECK_GREATER(of_many(purge_rule::without_hints, 1'000).resurrected, 0u);
}

CAF_TEST(one equal comparison with each owner does not suffice) {
  CAF_CHECK_GREATER(of_many(purge_rule::one_look, 1'000).resurrected, 0u);
}
