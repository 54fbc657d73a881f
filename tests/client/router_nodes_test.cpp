// The client router among nodes that refuse, fail and come back.

#define CAF_SUITE client.router_nodes

#include "tests/client/router_fixture.hpp"

using namespace covey;
using namespace covey::client;
using std::chrono::milliseconds;

namespace {

using fixture = covey::client::test::router_fixture;

} // namespace

CAF_TEST_FIXTURE_SCOPE(router_nodes_tests, fixture)

CAF_TEST(a node that refuses is passed over at once) {
  w->refused = {1};
  start(2);
  CAF_CHECK_EQUAL(w->dials, (std::vector<uint16_t>{1, 2}));
  submit(put("a"));
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 1u);
  CAF_CHECK_EQUAL(w->puts[0].first, 2u);
}

CAF_TEST(with no node left a call ends at its deadline with the reasons) {
  w->refused = {1, 2};
  start(2);
  submit(put("a"), milliseconds{500});
  pass(milliseconds{480});
  CAF_CHECK(!outcomes[0]);
  pass(milliseconds{40});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::unavailable);
  CAF_CHECK(!outcomes[0]->maybe_written);
  CAF_CHECK_EQUAL(
    outcomes[0]->text,
    "no connection to n:1 (connection refused), n:2 (connection refused)");
  // Rounds are further and further apart.
  CAF_CHECK(w->dials.size() >= 4);
  CAF_CHECK(w->dials.size() <= 12);
}

CAF_TEST(a node that comes back is found again) {
  w->refused = {1};
  start(1);
  pass(milliseconds{100});
  w->refused.clear();
  submit(put("a"), milliseconds{5000});
  pass(milliseconds{2000});
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
}

CAF_TEST(a node that comes back is not held for what it was) {
  start(1);
  // Silent after two that were refused and nothing served.
  for (size_t i = 0; i < 2; ++i) {
    submit(put("a"));
    sched.run();
    answer_put_at(i, errc::overloaded);
  }
  submit(put("a"));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 2u);
  kill_node(1);
  start_node(1);
  submit(put("b"), milliseconds{5000});
  pass(milliseconds{100});
  CAF_REQUIRE_EQUAL(w->puts.size(), 3u);
  CAF_CHECK_EQUAL(w->puts[2].second.key(), "b");
}

CAF_TEST(a node that does not say welcome is given up) {
  w->mute_to_hello = {1};
  start(2);
  submit(put("a"), milliseconds{5000});
  pass(milliseconds{960});
  CAF_CHECK(w->puts.empty());
  pass(milliseconds{80});
  CAF_REQUIRE_EQUAL(w->puts.size(), 1u);
  CAF_CHECK_EQUAL(w->puts[0].first, 2u);
}

CAF_TEST(a node of another protocol is not used) {
  w->protocol = protocol_version + 1;
  start(1);
  submit(put("a"), milliseconds{200});
  pass(milliseconds{260});
  CAF_CHECK(w->puts.empty());
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->text.find("version 2") != std::string::npos);
}

CAF_TEST(calls on their way end when the gateway is lost and others go on) {
  w->credit = 2;
  start(2);
  submit(put("a"), milliseconds{5000});
  submit(get("b"), milliseconds{5000});
  submit(put("c"), milliseconds{5000});
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
  kill_node(1);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::connection_lost);
  CAF_CHECK(outcomes[0]->maybe_written);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::connection_lost);
  CAF_CHECK(!outcomes[1]->maybe_written);
  CAF_CHECK(!outcomes[2]);
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_CHECK_EQUAL(w->puts[1].first, 2u);
  CAF_CHECK_EQUAL(w->puts[1].second.key(), "c");
}

CAF_TEST(a repeated write keeps its request id and its doubt) {
  start(2);
  submit(put("a"), milliseconds{5000}, 1);
  submit(put("b"), milliseconds{5000}, 1);
  sched.run();
  kill_node(1);
  CAF_REQUIRE_EQUAL(w->puts.size(), 4u);
  CAF_CHECK_EQUAL(w->puts[2].first, 2u);
  CAF_CHECK_EQUAL(w->puts[2].second.key(), "a");
  CAF_CHECK_EQUAL(w->puts[2].second.request_low(), 42u);
  CAF_CHECK(w->puts[2].second.id() != w->puts[0].second.id());
  answer_put_at(2);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::none);
  CAF_CHECK(!outcomes[0]->maybe_written);
  // The second attempt was refused, the first may have happened.
  answer_put_at(3, errc::overloaded);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::overloaded);
  CAF_CHECK(outcomes[1]->maybe_written);
}

CAF_TEST(a write in doubt is never reported as not done) {
  start(1);
  submit(put("a"), milliseconds{500}, 2);
  sched.run();
  w->refused = {1};
  kill_node(1);
  pass(milliseconds{540});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::connection_lost);
  CAF_CHECK(outcomes[0]->maybe_written);
}

CAF_TEST(an unavailable call is repeated at the next node) {
  start(2);
  submit(put("a"), milliseconds{5000}, 1);
  sched.run();
  answer_put_at(0, errc::unavailable);
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_CHECK_EQUAL(w->puts[1].first, 2u);
  answer_put_at(1, errc::unavailable);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::unavailable);
  CAF_CHECK(!outcomes[0]->maybe_written);
}

CAF_TEST(a node that stops may answer what it has and others get the rest) {
  start(2);
  submit(put("a"));
  submit(put("b"));
  sched.run();
  answer_put_at(0, errc::shutting_down);
  submit(put("c"));
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 3u);
  CAF_CHECK_EQUAL(w->puts[2].first, 2u);
  answer_put_at(1);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::none);
  CAF_CHECK_EQUAL(w->dials, (std::vector<uint16_t>{1, 2}));
}

CAF_TEST(while a node stops the others are dialled with pauses) {
  w->refused = {2};
  start(2);
  submit(put("a"), milliseconds{5000});
  submit(put("b"), milliseconds{5000});
  sched.run();
  answer_put_at(0, errc::shutting_down);
  submit(put("c"), milliseconds{5000});
  pass(milliseconds{1000});
  CAF_CHECK(w->dials.size() >= 3);
  CAF_CHECK(w->dials.size() <= 12);
  w->refused.clear();
  pass(milliseconds{2000});
  CAF_REQUIRE_EQUAL(w->puts.size(), 3u);
  CAF_CHECK_EQUAL(w->puts[2].first, 2u);
}

CAF_TEST(a lone node that stops is not asked again without a pause) {
  start(1);
  for (int i = 0; i < 10; ++i)
    submit(put("a"), milliseconds{1000}, 2);
  sched.run();
  for (size_t i = 0; i < w->puts.size(); ++i)
    answer_put_at(i, errc::shutting_down);
  CAF_CHECK_EQUAL(w->dials.size(), 1u);
  CAF_CHECK_EQUAL(w->puts.size(), 10u);
  pass(milliseconds{100});
  CAF_CHECK(w->dials.size() >= 2);
}

CAF_TEST_FIXTURE_SCOPE_END()
