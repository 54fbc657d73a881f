// What a client keeps from an overloaded node.

#define CAF_SUITE client.throttle

#include "client/throttle.hpp"
#include "tests/test.hpp"

#include <random>

using covey::client::throttle;
using std::chrono::milliseconds;

namespace {

struct fixture {
  /// A second in which `offered` are asked of a node that serves `capacity`.
  void pass_second(int offered, int capacity) {
    sent = 0;
    auto served = 0;
    for (int i = 0; i < offered; ++i, now += milliseconds{1000} / offered) {
      if (!aut.admits(now, draw(random)))
        continue;
      ++sent;
      // The node serves at an even pace.
      auto serves = served * offered <= i * capacity && served < capacity;
      served += serves ? 1 : 0;
      aut.on_answer(now, serves, draw(random));
    }
  }

  throttle aut;
  throttle::time_point now{std::chrono::hours{1}};
  std::minstd_rand random{7};
  std::uniform_real_distribution<double> draw;
  int sent = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(throttle_tests, fixture)

CAF_TEST(a node that serves all gets all) {
  pass_second(1000, 1000);
  CAF_CHECK_EQUAL(sent, 1000);
}

CAF_TEST(what is under way is not held against the node) {
  for (int i = 0; i < 10'000; ++i)
    CAF_CHECK(aut.admits(now, 0));
}

CAF_TEST(a node that serves more than half gets all) {
  pass_second(1000, 600);
  CAF_CHECK_EQUAL(sent, 1000);
}

CAF_TEST(ten times too much becomes about twice what is served) {
  for (int i = 0; i < 3; ++i)
    pass_second(1000, 100);
  CAF_CHECK_GREATER(sent, 150);
  CAF_CHECK_LESS(sent, 260);
}

CAF_TEST(a node that serves none is still tried) {
  auto tries = 0;
  for (int i = 0; i < 20; ++i) {
    pass_second(1000, 0);
    tries += sent;
  }
  CAF_CHECK_GREATER(tries, 4);
  CAF_CHECK_LESS(tries, 50);
}

CAF_TEST(a node that is well again soon gets all) {
  for (int i = 0; i < 3; ++i)
    pass_second(1000, 0);
  for (int i = 0; i < 6; ++i)
    pass_second(1000, 1000);
  CAF_CHECK_EQUAL(sent, 1000);
}

CAF_TEST(a pause forgets) {
  pass_second(1000, 0);
  now += milliseconds{2000};
  CAF_CHECK(aut.admits(now, 0));
}

CAF_TEST(a client that is refused again and again is silent for longer) {
  std::vector<milliseconds> gaps;
  auto last = now;
  while (gaps.size() < 12) {
    now += milliseconds{1};
    if (!aut.admits(now, 0.999))
      continue;
    gaps.push_back(std::chrono::duration_cast<milliseconds>(now - last));
    last = now;
    aut.on_answer(now, false, 0.5);
  }
  CAF_CHECK_LESS(gaps[1].count(), 50);
  CAF_CHECK_GREATER_OR_EQUAL(gaps[3], throttle::least_silence);
  CAF_CHECK_GREATER_OR_EQUAL(gaps.back(), throttle::most_silence);
  // One that is served speaks on.
  aut.on_answer(now, true, 0.5);
  CAF_CHECK(!aut.silent(now));
}

CAF_TEST(refusals of what was sent together are one reason to be silent) {
  for (int i = 0; i < 1000; ++i)
    aut.on_answer(now, false, 0.5);
  CAF_CHECK(aut.silent(now));
  CAF_CHECK(!aut.silent(now + throttle::least_silence));
}

CAF_TEST_FIXTURE_SCOPE_END()
