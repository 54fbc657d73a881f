// The client router when it knows the ring.

#define CAF_SUITE client.router_by_slot

#include "tests/client/slot_fixture.hpp"

using namespace covey;
using namespace covey::client;
using std::chrono::milliseconds;

namespace {

using ports = std::vector<uint16_t>;
using fixture = covey::client::test::slot_fixture;

} // namespace

CAF_TEST_FIXTURE_SCOPE(router_by_slot_tests, fixture)

CAF_TEST(until a home is connected another node serves) {
  start(1);
  submit(put_at({2, 3}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 1u);
  CAF_CHECK_EQUAL(w->dials, (ports{1, 2, 3}));
  submit(put_at({2, 3}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 2u);
}

CAF_TEST(only homes that are needed are dialled) {
  start(1);
  submit(put_at({1, 2}));
  sched.run();
  CAF_CHECK_EQUAL(w->dials, (ports{1}));
}

CAF_TEST(each request goes to the first home of its key) {
  start_connected();
  for (auto& where : std::vector<ports>{{1, 2}, {2, 1}, {3, 1}, {3, 2}}) {
    submit(put_at(where));
    sched.run();
    CAF_CHECK_EQUAL(last_put(), where[0]);
  }
}

CAF_TEST(homes of the own data centre come first) {
  tell_members(3, 2, 1, true);
  CAF_CHECK_EQUAL(homes(key_at({2, 3}), "a"), (ports{3, 2}));
  auto config = many_at_once();
  config.data_centre = "a";
  start(1, config);
  submit(put_at({2, 3}));
  sched.run();
  submit(put_at({2, 3}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 3u);
}

CAF_TEST(a home that is lost is replaced by the next and dialled again) {
  start_connected();
  w->refused = {2};
  w->dials.clear();
  kill_node(2);
  submit(put_at({2, 3}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 3u);
  w->refused.clear();
  start_node(2);
  pass(milliseconds{300});
  CAF_CHECK(!w->dials.empty());
  submit(put_at({2, 3}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 2u);
}

CAF_TEST(what is in flight at a lost home is repeated at the next) {
  start_connected();
  submit(put_at({2, 3}), milliseconds{5000}, 1);
  sched.run();
  kill_node(2);
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_CHECK_EQUAL(last_put(), 3u);
  answer_put_at(1);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::none);
}

CAF_TEST(a home that is unavailable is avoided for a while) {
  start_connected();
  submit(put_at({2, 3}), milliseconds{5000}, 1);
  sched.run();
  answer_put_at(0, errc::unavailable);
  CAF_CHECK_EQUAL(last_put(), 3u);
  submit(put_at({2, 1}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 1u);
  pass(milliseconds{1000});
  submit(put_at({2, 1}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 2u);
}

CAF_TEST(a get without its quorum is repeated and a write is not ) {
  start_connected();
  submit(get_at({2, 3}), milliseconds{5000}, 1);
  submit(put_at({2, 3}), milliseconds{5000}, 1);
  sched.run();
  answer_get_at(0, errc::quorum_not_met);
  answer_put_at(0, errc::quorum_not_met);
  CAF_REQUIRE_EQUAL(w->gets.size(), 2u);
  CAF_CHECK_EQUAL(w->gets[1].first, 3u);
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::quorum_not_met);
}

CAF_TEST(a home without room is passed over) {
  w->credit = 1;
  start_connected();
  submit(put_at({2, 3}));
  submit(put_at({2, 3}));
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_CHECK_EQUAL(last_put(), 3u);
}

CAF_TEST(a get joins the same one of its burst) {
  start_connected();
  for (int i = 0; i < 3; ++i)
    submit(get_at({2, 3}));
  submit(get_at({2, 1}));
  sched.run();
  CAF_CHECK_EQUAL(w->gets.size(), 2u);
  answer_get_at(0);
  for (int i = 0; i < 3; ++i) {
    CAF_REQUIRE(outcomes[i]);
    CAF_CHECK_EQUAL(std::get<wire::GetReply>(outcomes[i]->reply).values(0),
                    "v");
  }
  CAF_CHECK(!outcomes[3]);
}

CAF_TEST(a get joins none that has been sent or asks for something else) {
  start_connected();
  submit(get_at({2, 3}));
  sched.run();
  submit(get_at({2, 3}));
  auto stronger = get_at({2, 3});
  stronger.set_level(static_cast<uint32_t>(core::consistency_level::all));
  submit(stronger);
  // It would have to wait for the other one's deadline.
  submit(get_at({2, 3}), milliseconds{10});
  sched.run();
  CAF_CHECK_EQUAL(w->gets.size(), 4u);
}

CAF_TEST(a get that may wait for longer joins none that ends before) {
  start_connected();
  submit(get_at({2, 3}), milliseconds{100});
  submit(get_at({2, 3}), milliseconds{5000});
  sched.run();
  CAF_CHECK_EQUAL(w->gets.size(), 2u);
  pass(milliseconds{200});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::timed_out);
  CAF_CHECK(!outcomes[1]);
  answer_get_at(1);
  CAF_CHECK(outcomes[1] && outcomes[1]->code == errc::none);
}

CAF_TEST(gets that joined end each by its own retries and deadline) {
  start_connected();
  submit(get_at({2, 3}), milliseconds{500});
  submit(get_at({2, 3}), milliseconds{510}, 1);
  sched.run();
  CAF_REQUIRE_EQUAL(w->gets.size(), 1u);
  answer_get_at(0, errc::unavailable);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::unavailable);
  CAF_CHECK(!outcomes[1]);
  CAF_REQUIRE_EQUAL(w->gets.size(), 2u);
  CAF_CHECK_EQUAL(w->gets[1].first, 3u);
  answer_get_at(1);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::none);
}

CAF_TEST(a newer epoch in an answer is learnt) {
  tell_members(2, 2);
  start(1);
  auto asked = w->hellos.size();
  CAF_CHECK(w->hellos[0].second.wants_epoch());
  tell_members(3, 2, 2);
  submit(put_at({1, 3}));
  sched.run();
  wire::PutReply reply;
  reply.set_id(w->puts[0].second.id());
  reply.set_epoch_generation(1);
  reply.set_epoch_number(2);
  answer(frame_kind::put_reply, reply, errc::none, 1);
  CAF_REQUIRE_EQUAL(w->hellos.size(), asked + 1);
  CAF_CHECK_EQUAL(w->hellos.back().second.epoch_number(), 1u);
  submit(put_at({3, 1}));
  sched.run();
  submit(put_at({3, 1}));
  sched.run();
  CAF_CHECK_EQUAL(last_put(), 3u);
  // The epoch before this one changes nothing.
  CAF_CHECK_EQUAL(w->hellos.size(), asked + 2);
}

CAF_TEST(a node that has not learnt of a keyspace yet is not the last word) {
  tell_members(2, 2, 3);
  start(1);
  auto unknown = [this](uint64_t number) {
    submit(put_at({1, 2}), milliseconds{1000}, 1);
    sched.run();
    auto [port, put] = w->puts.back();
    wire::PutReply reply;
    reply.set_id(put.id());
    reply.set_epoch_generation(1);
    reply.set_epoch_number(number);
    answer(frame_kind::put_reply, reply, errc::unknown_keyspace, port);
  };
  unknown(2);
  CAF_CHECK(!outcomes[0]);
  CAF_CHECK_EQUAL(w->puts.size(), 2u);
  CAF_CHECK_EQUAL(last_put(), 2u);
  unknown(3);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::unknown_keyspace);
}

CAF_TEST(an epoch that a lost node knew is learnt from the next) {
  tell_members(2, 2);
  start(1);
  for (auto where : {ports{1, 2}, ports{2, 1}, ports{2, 1}}) {
    submit(put_at(where), milliseconds{5000});
    sched.run();
  }
  CAF_REQUIRE_EQUAL(last_put(), 2u);
  tell_members(3, 2, 2);
  w->mute_to_hello = {1};
  auto answer_of = [this](size_t i) {
    wire::PutReply reply;
    reply.set_id(w->puts[i].second.id());
    reply.set_epoch_generation(1);
    reply.set_epoch_number(2);
    answer(frame_kind::put_reply, reply, errc::none, w->puts[i].first);
  };
  auto asked = w->hellos.size();
  answer_of(0);
  CAF_REQUIRE_EQUAL(w->hellos.size(), asked + 1);
  w->refused = {1};
  kill_node(1);
  answer_of(2);
  CAF_REQUIRE_EQUAL(w->hellos.size(), asked + 2);
  CAF_CHECK_EQUAL(w->hellos.back().first, 2u);
}

CAF_TEST(a member that left is not asked any more) {
  start_connected();
  tell_members(2, 2, 2);
  submit(put_at({2, 1}));
  sched.run();
  wire::PutReply reply;
  reply.set_id(w->puts[0].second.id());
  reply.set_epoch_generation(1);
  reply.set_epoch_number(2);
  answer(frame_kind::put_reply, reply, errc::none, 2);
  kill_node(1);
  kill_node(2);
  w->refused = {1, 2};
  submit(put_at({2, 1}), milliseconds{200});
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
}

CAF_TEST(a member whose address another node has is not used) {
  w->names[2] = "stranger";
  start(1);
  for (int i = 0; i < 2; ++i) {
    submit(put_at({2, 1}), milliseconds{200});
    sched.run();
    CAF_CHECK_EQUAL(last_put(), 1u);
  }
}

CAF_TEST(with routing off only the given nodes are asked) {
  auto config = many_at_once();
  config.by_slot = false;
  start(1, config);
  CAF_CHECK(!w->hellos[0].second.wants_epoch());
  for (int i = 0; i < 2; ++i) {
    submit(put_at({2, 3}));
    sched.run();
    CAF_CHECK_EQUAL(last_put(), 1u);
  }
  CAF_CHECK_EQUAL(w->dials, (ports{1}));
}

CAF_TEST(repetitions have a budget that requests fill) {
  start_connected();
  auto repeats = 0;
  // Each is answered unavailable twice at most.
  for (int i = 0; i < 400; ++i) {
    w->puts.clear();
    submit(put_at({1, 2}), milliseconds{5000}, 1);
    sched.run();
    answer_put_at(0, errc::unavailable);
    if (w->puts.size() == 2) {
      ++repeats;
      answer_put_at(1);
    }
    CAF_REQUIRE(outcomes.back());
  }
  // The reserve of 100 and a tenth of the requests.
  CAF_CHECK(repeats >= 139 && repeats <= 141);
}

CAF_TEST(the first repetition after a lost link is free) {
  w->credit = 1000;
  auto config = many_at_once();
  config.hold_back = false;
  start_connected(config);
  for (int i = 0; i < 300; ++i)
    submit(put_at({2, 3}), milliseconds{5000}, 1);
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 300u);
  kill_node(2);
  CAF_CHECK_EQUAL(w->puts.size(), 600u);
}

CAF_TEST_FIXTURE_SCOPE_END()
