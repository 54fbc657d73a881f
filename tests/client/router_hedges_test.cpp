// Gets that a node is slow to answer, and their second homes.

#define CAF_SUITE client.router_hedges

#include "client/hedge.hpp"
#include "tests/client/slot_fixture.hpp"

using namespace covey;
using namespace covey::client;
using std::chrono::milliseconds;

namespace {

using ports = std::vector<uint16_t>;

struct fixture : covey::client::test::slot_fixture {
  /// Sends a get to n2, whose other home is n3.
  void ask(milliseconds timeout = milliseconds{1000}, uint32_t retries = 2) {
    submit(get_at({2, 3}), timeout, retries);
    sched.run();
  }
  ports asked() const {
    ports result;
    for (auto& [port, get] : w->gets)
      result.push_back(port);
    return result;
  }
  static router_config unpaced() {
    auto config = many_at_once();
    config.hold_back = false;
    return config;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(router_hedges_tests, fixture)

CAF_TEST(a get that is slow goes to a second home and the first answer counts) {
  start_connected();
  ask();
  pass(milliseconds{40});
  CAF_CHECK_EQUAL(asked(), (ports{2}));
  pass(milliseconds{40});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3}));
  CAF_CHECK_EQUAL(w->gets[1].second.key(), w->gets[0].second.key());
  CAF_CHECK(!outcomes[0]);
  answer_get_at(1);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::none);
  // The fixture fails a call that ends twice.
  answer_get_at(0);
  pass(milliseconds{2000});
  CAF_CHECK_EQUAL(w->gets.size(), 2u);
}

CAF_TEST(the first home may still be the first to answer) {
  start_connected();
  ask();
  pass(milliseconds{80});
  CAF_REQUIRE_EQUAL(w->gets.size(), 2u);
  answer_get_at(0);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::none);
  // Who was asked later is not to blame.
  submit(put_at({3, 2}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 3u);
  answer_get_at(1);
}

CAF_TEST(a get that is answered in time is sent once) {
  start_connected();
  ask();
  pass(milliseconds{20});
  answer_get_at(0);
  pass(milliseconds{500});
  CAF_CHECK_EQUAL(w->gets.size(), 1u);
}

CAF_TEST(an error of one copy waits for the other) {
  start_connected();
  for (size_t failing : {0, 1}) {
    w->gets.clear();
    outcomes.clear();
    ask(milliseconds{1000}, 1);
    pass(milliseconds{80});
    CAF_REQUIRE_EQUAL(w->gets.size(), 2u);
    answer_get_at(failing, errc::overloaded);
    CAF_CHECK(!outcomes[0]);
    answer_get_at(1 - failing);
    CAF_REQUIRE(outcomes[0]);
    CAF_CHECK(outcomes[0]->code == errc::none);
    pass(milliseconds{2000});
  }
}

CAF_TEST(a get whose copies all fail ends with the last error) {
  start_connected();
  ask(milliseconds{1000}, 1);
  pass(milliseconds{80});
  answer_get_at(1, errc::overloaded);
  CAF_CHECK(!outcomes[0]);
  answer_get_at(0, errc::unavailable);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::unavailable);
}

CAF_TEST(a copy that is lost is replaced while retries last) {
  tell_members(3, 3);
  start(1);
  for (auto where : {ports{1, 2, 3}, ports{2, 3, 1}, ports{3, 1, 2}}) {
    submit(get_at(where));
    sched.run();
    answer_get_at(w->gets.size() - 1);
  }
  w->gets.clear();
  outcomes.clear();
  submit(get_at({2, 3, 1}), milliseconds{1000}, 2);
  pass(milliseconds{200});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3}));
  w->refused = {3};
  kill_node(3);
  CAF_CHECK(!outcomes[0]);
  pass(milliseconds{40});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3, 1}));
  answer_get_at(2);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::none);
}

CAF_TEST(without an answer it ends once at its deadline) {
  start_connected();
  ask(milliseconds{500});
  pass(milliseconds{480});
  CAF_CHECK(!outcomes[0]);
  pass(milliseconds{60});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::timed_out);
  CAF_CHECK_EQUAL(w->gets.size(), 2u);
}

CAF_TEST(a client that is closed ends it once) {
  start_connected();
  for (int i = 0; i < 2; ++i)
    submit(get_at({2, 3}), milliseconds{1000}, 2);
  pass(milliseconds{80});
  CAF_REQUIRE_EQUAL(w->gets.size(), 2u);
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  sched.run();
  for (auto& o : outcomes) {
    CAF_REQUIRE(o);
    CAF_CHECK(o->code == errc::shutting_down);
  }
}

CAF_TEST(writes are sent once) {
  start_connected();
  submit(put_at({2, 3}), milliseconds{1000}, 2);
  pass(milliseconds{800});
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
}

CAF_TEST(without retries or a delay gets are sent once) {
  start_connected();
  ask(milliseconds{1000}, 0);
  pass(milliseconds{800});
  CAF_CHECK_EQUAL(w->gets.size(), 1u);
}

CAF_TEST(a delay of zero means never) {
  auto config = many_at_once();
  config.hedge_after = milliseconds{0};
  start_connected(config);
  ask();
  pass(milliseconds{800});
  CAF_CHECK_EQUAL(w->gets.size(), 1u);
}

CAF_TEST(second homes have the budget of repetitions) {
  w->credit = 1000;
  start_connected(unpaced());
  for (int i = 0; i < 300; ++i)
    submit(get_at({2, 3}), milliseconds{1000 + 30 * i}, 2);
  sched.run();
  CAF_REQUIRE_EQUAL(w->gets.size(), 300u);
  pass(milliseconds{600});
  CAF_CHECK_EQUAL(w->gets.size(), 400u);
}

CAF_TEST(gets that joined end with the first answer) {
  start_connected();
  submit(get_at({2, 3}), milliseconds{1000}, 2);
  submit(get_at({2, 3}), milliseconds{1000}, 2);
  pass(milliseconds{80});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3}));
  answer_get_at(1);
  for (size_t i : {0, 1}) {
    CAF_REQUIRE(outcomes[i]);
    CAF_CHECK(outcomes[i]->code == errc::none);
  }
}

CAF_TEST(a copy joins no other get) {
  start(1);
  w->credit = 1;
  submit(get_at({2, 1}));
  sched.run();
  answer_get_at(0);
  w->credit = 100;
  submit(get_at({3, 1}));
  sched.run();
  answer_get_at(1);
  w->gets.clear();
  ask();
  pass(milliseconds{40});
  // Goes to n3, as n2 has no room: in the burst of the copy, and ends with it.
  submit(get_at({2, 3}), milliseconds{950});
  pass(milliseconds{20});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3, 3}));
}

CAF_TEST(a node that is overtaken and silent comes last for a while) {
  start_connected(unpaced());
  pass(milliseconds{20});
  auto next_for_puts = [this] {
    submit(put_at({2, 3}));
    sched.run();
    answer_put_at(w->puts.size() - 1, errc::unknown_keyspace);
    return last_put();
  };
  for (int i = 0; i < 2; ++i) {
    CAF_CHECK_EQUAL(next_for_puts(), 2u);
    w->gets.clear();
    ask();
    pass(milliseconds{80});
    CAF_REQUIRE_EQUAL(asked(), (ports{2, 3}));
    CAF_CHECK_EQUAL(next_for_puts(), 2u);
    answer_get_at(1);
    CAF_CHECK_EQUAL(next_for_puts(), 3u);
    // A second after its copy has timed out.
    pass(milliseconds{2000});
  }
}

CAF_TEST(a node that is overtaken and answers others stays first) {
  start_connected();
  for (uint32_t i = 0; i < 5; ++i) {
    pass(milliseconds{20});
    w->gets.clear();
    ask();
    pass(milliseconds{20});
    ask();
    answer_get_at(1);
    pass(milliseconds{60});
    CAF_REQUIRE_EQUAL(asked(), (ports{2, 2, 3}));
    answer_get_at(2);
  }
}

CAF_TEST(a node that is usually slow is given that time) {
  w->credit = 1000;
  start_connected(unpaced());
  for (int i = 0; i < 150; ++i)
    submit(get_at({2, 3}), milliseconds{2000 + 30 * i}, 0);
  sched.run();
  pass(milliseconds{200});
  for (size_t i = 0; i < 150; ++i)
    answer_get_at(i);
  w->gets.clear();
  ask(milliseconds{2000});
  pass(milliseconds{180});
  CAF_CHECK_EQUAL(asked(), (ports{2}));
  pass(milliseconds{80});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3}));
  // A quarter of its time at most.
  w->gets.clear();
  ask(milliseconds{400});
  pass(milliseconds{120});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3}));
}

CAF_TEST(local reads stay in the data centre) {
  tell_members(3, 2, 1, true);
  start(1);
  // The homes of every key are n2 and another; all are connected at the end.
  for (auto where : {ports{2, 3}, ports{2, 3}, ports{2, 1}}) {
    submit(get_at(where));
    sched.run();
    answer_get_at(w->gets.size() - 1);
  }
  submit(get_at({3, 2}));
  sched.run();
  answer_get_at(w->gets.size() - 1);
  w->gets.clear();
  auto local = get_at({2, 3});
  local.set_level(static_cast<uint32_t>(core::consistency_level::local_one));
  submit(local, milliseconds{1000}, 2);
  pass(milliseconds{400});
  CAF_CHECK_EQUAL(asked(), (ports{2}));
  submit(get_at({2, 3}), milliseconds{1000}, 2);
  pass(milliseconds{80});
  CAF_CHECK_EQUAL(asked(), (ports{2, 2, 3}));
}

CAF_TEST(a home that is away is not asked) {
  start_connected();
  w->refused = {3};
  kill_node(3);
  ask();
  pass(milliseconds{400});
  CAF_CHECK_EQUAL(asked(), (ports{2}));
}

CAF_TEST(a home that is avoided is asked once it is not ) {
  start_connected();
  submit(put_at({3, 2}));
  sched.run();
  answer_put_at(0, errc::unavailable);
  ask(milliseconds{3000});
  pass(milliseconds{900});
  CAF_CHECK_EQUAL(asked(), (ports{2}));
  pass(milliseconds{200});
  CAF_CHECK_EQUAL(asked(), (ports{2, 3}));
}

CAF_TEST(
  the delay is what is usual but at least so much and at most a quarter) {
  auto delay = [](std::optional<uint64_t> us, int given) {
    return hedge_delay(us, milliseconds{50}, milliseconds{given});
  };
  CAF_CHECK(delay(std::nullopt, 1000) == milliseconds{50});
  CAF_CHECK(delay(1000, 1000) == milliseconds{50});
  CAF_CHECK(delay(120'000, 1000) == milliseconds{120});
  CAF_CHECK(delay(800'000, 1000) == milliseconds{250});
  CAF_CHECK(delay(std::nullopt, 100) == milliseconds{25});
}

CAF_TEST_FIXTURE_SCOPE_END()
