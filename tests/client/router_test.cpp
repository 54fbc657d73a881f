// The client router with a node that works: calls, answers, limits.

#define CAF_SUITE client.router

#include "tests/client/router_fixture.hpp"

#include <exception>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

using namespace covey;
using namespace covey::client;
using std::chrono::milliseconds;

namespace {

using fixture = covey::client::test::router_fixture;
using covey::client::test::server_clock_us;

} // namespace

CAF_TEST_FIXTURE_SCOPE(router_tests, fixture)

CAF_TEST(what is queued rides one burst and answers find their calls) {
  start(1);
  submit(put("a"));
  submit(get("b"));
  submit(put("c"));
  sched.run();
  CAF_CHECK_EQUAL(w->burst_sizes[1].size(), 1u);
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_REQUIRE_EQUAL(w->gets.size(), 1u);
  answer_put_at(1);
  CAF_CHECK(!outcomes[0]);
  CAF_REQUIRE(outcomes[2]);
  CAF_CHECK(outcomes[2]->code == errc::none);
  wire::GetReply reply;
  reply.set_id(w->gets[0].second.id());
  reply.add_values("x");
  std::string burst;
  append_frame(burst, frame_kind::get_reply, reply);
  answer(burst);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK_EQUAL(std::get<wire::GetReply>(outcomes[1]->reply).values(0), "x");
}

CAF_TEST(calls made before the connection wait for it) {
  auto config = many_at_once();
  config.nodes.push_back({"n", 1});
  aut = sys.spawn(router, config, connector);
  submit(put("a"));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
}

CAF_TEST(deadlines are told in the clock of the node) {
  start(1);
  pass(milliseconds{200});
  submit(put("a"), milliseconds{1000});
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 1u);
  // 200 ms after the welcome, less 50 ms for the node's own answer to arrive.
  CAF_CHECK_EQUAL(w->puts[0].second.deadline_us(),
                  server_clock_us + 200'000 + 1'000'000 - 50'000);
}

CAF_TEST(a node that welcomes late takes no deadline for later than it is) {
  w->welcome_after = milliseconds{400};
  start(1);
  pass(milliseconds{600});
  submit(put("a"), milliseconds{1000});
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 1u);
  // Its clock may have been read just before the welcome came.
  CAF_CHECK_EQUAL(w->puts[0].second.deadline_us(),
                  server_clock_us + 200'000 + 1'000'000 - 50'000);
}

CAF_TEST(no more than the credit is in flight) {
  w->credit = 2;
  start(1);
  for (int i = 0; i < 5; ++i)
    submit(put("a"));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 2u);
  answer_put_at(0);
  CAF_CHECK_EQUAL(w->puts.size(), 3u);
}

CAF_TEST(most of what an overloaded node would refuse is not sent) {
  start(1);
  size_t sent = 0;
  for (size_t i = 0; i < 40; ++i) {
    submit(put("a"));
    sched.run();
    if (w->puts.size() > sent)
      answer_put_at(sent++, errc::overloaded);
  }
  CAF_CHECK_LESS(sent, 35u);
  for (auto& o : outcomes) {
    CAF_REQUIRE(o);
    CAF_CHECK(o->code == errc::overloaded);
    CAF_CHECK(!o->maybe_written);
  }
  CAF_CHECK(std::any_of(outcomes.begin(), outcomes.end(), [](auto& o) {
    return o->text == "n:1 is overloaded; not sent, try again later";
  }));
}

CAF_TEST(a slow node gets what it can answer in time and the rest is refused) {
  w->credit = 1000;
  start(1);
  for (int i = 0; i < 40; ++i)
    submit(put("a"), milliseconds{4000});
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), first_window);
  // An answer every 300 ms: of 4 s a quarter is worth waiting.
  for (size_t i = 0; i < 8; ++i) {
    pass(milliseconds{300});
    answer_put_at(i);
  }
  auto sent = w->puts.size();
  submit(put("b"), milliseconds{4000});
  sched.run();
  CAF_REQUIRE(outcomes.back());
  CAF_CHECK(outcomes.back()->code == errc::overloaded);
  CAF_CHECK(!outcomes.back()->maybe_written);
  // All that was sent before the node was known to be slow goes first.
  for (size_t i = 8; i < 12; ++i)
    answer_put_at(i);
  CAF_CHECK_EQUAL(w->puts.size(), sent);
}

CAF_TEST(a client can be told to send whatever a node does) {
  auto config = many_at_once();
  config.hold_back = false;
  start(1, config);
  for (size_t i = 0; i < 40; ++i) {
    submit(put("a"));
    sched.run();
    CAF_REQUIRE_EQUAL(w->puts.size(), i + 1);
    answer_put_at(i, errc::overloaded);
  }
}

CAF_TEST(a call that waits for credit until its deadline was not sent) {
  w->credit = 1;
  start(1);
  submit(put("a"), milliseconds{5000});
  submit(put("b"), milliseconds{100});
  pass(milliseconds{140});
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::overloaded);
  CAF_CHECK(!outcomes[1]->maybe_written);
  CAF_CHECK(!outcomes[0]);
}

CAF_TEST(a full queue refuses at once) {
  w->credit = 1;
  auto config = many_at_once();
  config.max_waiting = 2;
  start(1, config);
  for (int i = 0; i < 4; ++i) {
    submit(put("a"));
    sched.run();
  }
  CAF_CHECK(!outcomes[2]);
  CAF_REQUIRE(outcomes[3]);
  CAF_CHECK(outcomes[3]->code == errc::overloaded);
}

CAF_TEST(a full queue is also one of many bytes) {
  w->credit = 1;
  auto config = many_at_once();
  config.max_waiting_bytes = 1000;
  start(1, config);
  submit(put("a"));
  submit(put("b", std::string(900, 'v')));
  submit(put("c", std::string(900, 'v')));
  sched.run();
  CAF_CHECK(!outcomes[1]);
  CAF_REQUIRE(outcomes[2]);
  CAF_CHECK(outcomes[2]->code == errc::overloaded);
}

CAF_TEST(what can never be sent is refused for what it is) {
  auto config = many_at_once();
  config.max_waiting_bytes = 1000;
  start(1, config);
  submit(put("a", std::string(1001, 'v')));
  submit(put("b"), milliseconds{0});
  submit(put("c"), milliseconds{-1});
  sched.run();
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::value_too_large);
  for (size_t i : {1, 2}) {
    CAF_REQUIRE(outcomes[i]);
    CAF_CHECK(outcomes[i]->code == errc::deadline_expired);
  }
  CAF_CHECK(w->puts.empty());
}

CAF_TEST(bursts are bounded) {
  start(1);
  for (int i = 0; i < 6; ++i)
    submit(put("a", std::string(100 << 10, 'v')));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 6u);
  CAF_CHECK_EQUAL(w->burst_sizes[1].size(), 3u);
  for (auto size : w->burst_sizes[1])
    CAF_CHECK(size <= 256 << 10);
}

CAF_TEST(without an answer a call times out and a late answer is ignored) {
  start(1);
  submit(put("a"), milliseconds{100});
  submit(get("a"), milliseconds{100});
  pass(milliseconds{80});
  CAF_CHECK(!outcomes[0]);
  pass(milliseconds{40});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::timed_out);
  CAF_CHECK(outcomes[0]->maybe_written);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::timed_out);
  CAF_CHECK(!outcomes[1]->maybe_written);
  answer_put_at(0);
}

CAF_TEST(a request given up fills the window until it is answered) {
  router_config config;
  config.first_window = 1;
  start(1, config);
  submit(put("a"), milliseconds{100});
  pass(milliseconds{120});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::timed_out);
  submit(put("b"), milliseconds{500});
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
  answer_put_at(0);
  CAF_CHECK_EQUAL(w->puts.size(), 2u);
  answer_put_at(1);
  // What is not answered at all is forgotten in the end.
  submit(put("c"), milliseconds{100});
  pass(milliseconds{11'000});
  submit(put("d"));
  pass(milliseconds{40});
  CAF_CHECK_EQUAL(w->puts.size(), 4u);
}

CAF_TEST(a node that has answered nothing gets one request) {
  auto config = many_at_once();
  config.first_window = 1;
  start(1, config);
  for (int i = 0; i < 4; ++i)
    submit(put("a"));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
  answer_put_at(0);
  CAF_CHECK_EQUAL(w->puts.size(), 3u);
}

CAF_TEST(damaged bytes end the connection) {
  start(2);
  submit(put("a"));
  sched.run();
  answer("\x11\x7f");
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::connection_lost);
  CAF_CHECK_EQUAL(w->dials, (std::vector<uint16_t>{1, 2}));
}

CAF_TEST(an answer of another kind is an error) {
  start(1);
  submit(get("a"));
  sched.run();
  answer_put(w->gets[0].second.id());
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::bad_message);
}

CAF_TEST(status is asked with a request and ends like others) {
  start(2);
  submit(wire::StatusRequest{});
  submit(wire::RingRequest{}, milliseconds{100});
  submit(wire::RingRequest{}, milliseconds{5000});
  sched.run();
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK_EQUAL(std::get<wire::StatusReply>(outcomes[0]->reply).cluster(),
                  "c1");
  pass(milliseconds{140});
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::timed_out);
  CAF_CHECK(!outcomes[1]->maybe_written);
  kill_node(1);
  CAF_REQUIRE(outcomes[2]);
  CAF_CHECK(outcomes[2]->code == errc::connection_lost);
}

CAF_TEST(closing answers everything) {
  w->credit = 1;
  start(1);
  submit(put("a"));
  submit(put("b"));
  sched.run();
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  sched.run();
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::shutting_down);
  CAF_CHECK(outcomes[0]->maybe_written);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::shutting_down);
  CAF_CHECK(!outcomes[1]->maybe_written);
}

CAF_TEST(a callback that throws ends the process) {
  start(1);
  auto child = ::fork();
  CAF_REQUIRE(child >= 0);
  if (child == 0) {
    std::set_terminate([] {
      ::_exit(7);
    });
    call c;
    c.request = put("a");
    c.deadline = sys.clock().now();
    c.done = [](outcome&) {
      throw std::runtime_error{"thrown by a callback"};
    };
    caf::anon_send(aut, std::move(c));
    sched.run();
    ::_exit(0);
  }
  auto status = 0;
  CAF_REQUIRE(::waitpid(child, &status, 0) == child);
  CAF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

CAF_TEST(no timer runs while nothing is in flight) {
  start(1);
  submit(put("a"));
  sched.run();
  answer_put_at(0);
  // Fires what was armed before, such as the time-out of the dial.
  pass(milliseconds{2000});
  sched.advance_time(std::chrono::hours{1});
  CAF_CHECK(sched.jobs.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
