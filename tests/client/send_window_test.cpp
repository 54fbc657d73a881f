// How many requests are under way to a node.

#define CAF_SUITE client.send_window

#include "client/send_window.hpp"
#include "tests/test.hpp"

using covey::client::send_window;
using std::chrono::milliseconds;

namespace {

struct fixture {
  /// Answers a full window after `waited`, of a second that was given.
  void round_trip(milliseconds waited, bool served = true) {
    now += waited;
    for (auto n = aut.size(); n > 0; --n)
      aut.on_answer(now, waited, milliseconds{1000}, served, true);
  }

  static constexpr size_t first = 16;
  send_window aut{first};
  send_window::time_point now{std::chrono::hours{1}};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(send_window_tests, fixture)

CAF_TEST(a full window doubles in a round trip) {
  round_trip(milliseconds{1});
  CAF_CHECK_EQUAL(aut.size(), 2 * first);
  round_trip(milliseconds{1});
  CAF_CHECK_EQUAL(aut.size(), 4 * first);
  CAF_CHECK(!aut.late());
}

CAF_TEST(a window that is not full does not grow) {
  for (int i = 0; i < 100; ++i)
    aut.on_answer(now, milliseconds{1}, milliseconds{1000}, true, false);
  CAF_CHECK_EQUAL(aut.size(), first);
}

CAF_TEST(refusals do not make it grow) {
  round_trip(milliseconds{1}, false);
  CAF_CHECK_EQUAL(aut.size(), first);
}

CAF_TEST(late answers cut it to what is answered in a quarter of the time) {
  // 20 answers a second; 250 of 1,000 ms are worth waiting.
  for (int i = 0; i < 40; ++i) {
    now += milliseconds{50};
    aut.on_answer(now, milliseconds{800}, milliseconds{1000}, true, true);
  }
  CAF_CHECK(aut.late());
  CAF_CHECK_EQUAL(aut.size(), 5u);
}

CAF_TEST(a node that serves none in time is still tried) {
  for (int i = 0; i < 40; ++i) {
    now += milliseconds{50};
    aut.on_answer(now, milliseconds{1000}, milliseconds{1000}, false, true);
  }
  CAF_CHECK(aut.late());
  CAF_CHECK_EQUAL(aut.size(), 1u);
}

CAF_TEST(quick answers make it grow again) {
  for (int i = 0; i < 40; ++i) {
    now += milliseconds{50};
    aut.on_answer(now, milliseconds{1000}, milliseconds{1000}, false, true);
  }
  for (int i = 0; i < 12; ++i)
    round_trip(milliseconds{10});
  CAF_CHECK_GREATER(aut.size(), 1000u);
}

CAF_TEST(answers that are in time and not quick make it grow slowly) {
  for (size_t i = 0; i < 2 * send_window::patience; ++i)
    round_trip(milliseconds{100});
  CAF_CHECK_GREATER(aut.size(), first);
  CAF_CHECK_LESS(aut.size(), first + 4);
}

CAF_TEST(what cannot be answered in time is hopeless for a while) {
  CAF_CHECK(!aut.hopeless(now, milliseconds{0}));
  for (int i = 0; i < 8; ++i) {
    now += milliseconds{50};
    aut.on_answer(now, milliseconds{400}, milliseconds{1000}, true, true);
  }
  CAF_CHECK(aut.hopeless(now, milliseconds{590}));
  CAF_CHECK(!aut.hopeless(now, milliseconds{610}));
  now += 2 * send_window::longest;
  CAF_CHECK(!aut.hopeless(now, milliseconds{590}));
}

CAF_TEST(where nothing was served nothing is known to be hopeless) {
  for (int i = 0; i < 8; ++i) {
    now += milliseconds{50};
    aut.on_answer(now, milliseconds{1000}, milliseconds{1000}, false, true);
  }
  CAF_CHECK(aut.late());
  CAF_CHECK(!aut.hopeless(now, milliseconds{1000}));
}

CAF_TEST(an idle time counts for nothing) {
  now += std::chrono::hours{1};
  // Eight at once, each sent 600 ms ago: 8 in 600 ms are 3 in 250 ms.
  for (int i = 0; i < 8; ++i)
    aut.on_answer(now, milliseconds{600}, milliseconds{1000}, true, true);
  CAF_CHECK(aut.late());
  CAF_CHECK_EQUAL(aut.size(), 3u);
}

CAF_TEST_FIXTURE_SCOPE_END()
