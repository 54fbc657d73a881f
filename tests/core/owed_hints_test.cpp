#define CAF_SUITE core.owed_hints

#include "core/owed_hints.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;

namespace {

struct fixture {
  owed_hints aut{3, 1'000};
  std::optional<bool> none;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(owed_hints_tests, fixture)

CAF_TEST(who returns is told of its hints again and again until none is left) {
  aut.connected(1, true);
  CAF_CHECK(aut.word_for(1, true, 10) == true);
  CAF_CHECK(aut.word_for(1, true, 1'009) == none);
  CAF_CHECK(aut.word_for(1, true, 1'010) == true);
  CAF_CHECK(aut.word_for(1, false, 1'011) == false);
  CAF_CHECK(aut.word_for(1, false, 5'000) == none);
}

CAF_TEST(hints that come up in a session are not spoken of) {
  aut.connected(1, false);
  CAF_CHECK(aut.word_for(1, true, 10) == none);
  aut.connected(1, true);
  aut.disconnected(1);
  CAF_CHECK(aut.word_for(1, true, 20) == none);
}

CAF_TEST(a node catches up until the last peer has nothing more for it) {
  CAF_CHECK(!aut.catching_up(0));
  aut.told(1, true, 0);
  aut.told(2, true, 0);
  CAF_CHECK(aut.catching_up(0));
  aut.told(1, false, 10);
  CAF_CHECK(aut.catching_up(10));
  aut.told(2, false, 20);
  CAF_CHECK(!aut.catching_up(20));
}

CAF_TEST(a peer that is lost or falls silent owes nothing any more) {
  aut.told(1, true, 0);
  aut.disconnected(1);
  CAF_CHECK(!aut.catching_up(0));
  aut.told(1, true, 0);
  CAF_CHECK(aut.catching_up(3'000));
  CAF_CHECK(!aut.catching_up(3'001));
}

CAF_TEST_FIXTURE_SCOPE_END()
