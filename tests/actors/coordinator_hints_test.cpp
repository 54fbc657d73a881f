// The coordinator's stand-ins: who keeps what a home cannot take.

#define CAF_SUITE actors.coordinator_hints

#include "tests/actors/coordinator_fixture.hpp"

using namespace covey;
using level = core::consistency_level;

namespace {

// In the keyspace `pair` every key has two homes and one fallback.
struct fixture : test::coordinator_fixture {
  fixture() {
    key = key_at_home("pair");
    auto list = homes_of("pair", key);
    other = list[0] == 0 ? list[1] : list[0];
    fallback = list[2];
  }
  client_op put(core::quorum_kind quorum = core::quorum_kind::sloppy) {
    auto op = request(client_verb::put, key, "value", "pair");
    op.quorum = quorum;
    return op;
  }
  core::uuid id_of(core::member_index m) const {
    return view->at(m).id;
  }
  /// Takes the put from the shard here, commits it and has it on disk.
  replica_op store_here() {
    auto local = take(0);
    commit(local);
    reply(0, local, answer_kind::durable);
    return local;
  }
  /// The hint for the other home that the fallback was asked to keep.
  replica_op take_hint() {
    auto hint = take(fallback);
    CAF_CHECK(hint.verb == replica_verb::hint);
    CAF_CHECK(hint.hint_for == id_of(other));
    CAF_CHECK_EQUAL(hint.bytes, "the record");
    return hint;
  }
  /// The order to keep the record here for the other home.
  replica_op take_keeping(replica_verb verb = replica_verb::hint) {
    auto op = take(0);
    CAF_CHECK(op.verb == verb);
    CAF_CHECK(op.hint_for == id_of(other));
    CAF_CHECK(op.bytes.empty());
    return op;
  }

  /// The deadline, and then what requests linger after it.
  void outlive() {
    tick_after_ms(20'000);
    tick_after_ms(20'000);
  }

  std::string key;
  core::member_index other = 0;
  core::member_index fallback = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(coordinator_hints_tests, fixture)

CAF_TEST(a fallback stands in for a home that is down and counts) {
  down(other);
  submit(put());
  auto local = take(0);
  CAF_CHECK(local.absent.empty());
  // Nothing leaves before the commit.
  CAF_CHECK_EQUAL(asked(), 0u);
  commit(local);
  reply(0, local, answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(fallback, take_hint(), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].answered, 2u);
  CAF_CHECK(!client.answers[0].homes);
}

CAF_TEST(a hint is good for longer than its client waits) {
  submit(put());
  commit(take(0));
  refuse(other, take(other), errc::storage_failed);
  CAF_CHECK_EQUAL(take_hint().deadline_us, now_us + config.linger_us);
}

CAF_TEST(a hint for a home that was away from the start is good for as long) {
  down(other);
  submit(put());
  commit(take(0));
  CAF_CHECK_EQUAL(take_hint().deadline_us, now_us + config.linger_us);
}

CAF_TEST(homes alone are said so) {
  submit(put());
  store_here();
  reply(other, take(other), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK(client.answers[0].homes);
  CAF_CHECK_EQUAL(asked(fallback), 0u);
}

CAF_TEST(a strict put counts no fallback) {
  down(other);
  submit(put(core::quorum_kind::strict));
  CAF_CHECK(answered(errc::unavailable));
  CAF_CHECK(!client.answers[0].maybe_written);
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a strict put leaves a hint all the same) {
  auto op = put(core::quorum_kind::strict);
  submit(at(op, level::one));
  auto local = take(0);
  commit(local);
  refuse(other, take(other), errc::storage_failed);
  reply(fallback, take_hint(), answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(0, local, answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].answered, 1u);
  CAF_CHECK(client.answers[0].homes);
}

CAF_TEST(a fallback stands in for a home that fails) {
  submit(put());
  store_here();
  refuse(other, take(other), errc::storage_failed);
  CAF_CHECK(client.answers.empty());
  reply(fallback, take_hint(), answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a fallback stands in for a home that is lost under way) {
  submit(put());
  store_here();
  take(other);
  down(other);
  reply(fallback, take_hint(), answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a fallback stands in for a home that is silent) {
  submit(put());
  store_here();
  take(other);
  tick_after_ms(499);
  CAF_CHECK_EQUAL(asked(fallback), 0u);
  tick_after_ms(1);
  reply(fallback, take_hint(), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK(!client.answers[0].homes);
}

CAF_TEST(a silent home that answers at last counts itself) {
  submit(put());
  store_here();
  auto write = take(other);
  tick_after_ms(500);
  take_hint();
  reply(other, write, answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK(client.answers[0].homes);
}

CAF_TEST(a home and its stand - in are one) {
  submit(at(put(), level::all));
  auto local = take(0);
  commit(local);
  auto write = take(other);
  tick_after_ms(500);
  reply(fallback, take_hint(), answer_kind::durable);
  reply(other, write, answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(0, local, answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(with no fallback left this home keeps the hint and does not count it) {
  submit(put());
  store_here();
  refuse(other, take(other), errc::storage_failed);
  refuse(fallback, take_hint(), errc::overloaded);
  auto keeping = take_keeping();
  CAF_REQUIRE(answered(errc::quorum_not_met));
  CAF_CHECK_EQUAL(client.answers[0].answered, 1u);
  CAF_CHECK(client.answers[0].maybe_written);
  reply(0, keeping, answer_kind::durable);
  // Settled: nothing comes of it any more.
  outlive();
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(hints of homes that are known to be away ride the commit) {
  down(1);
  auto op = request(client_verb::put, "k", "value");
  submit(op);
  auto local = take(0);
  CAF_REQUIRE_EQUAL(local.absent.size(), 1u);
  CAF_CHECK(local.absent[0] == id_of(1));
  commit(local);
  reply(0, local, answer_kind::durable);
  reply(2, take(2), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK(client.answers[0].homes);
  outlive();
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(after the answer this home stands in) {
  submit(at(put(), level::one));
  store_here();
  CAF_REQUIRE(answered(errc::none));
  refuse(other, take(other), errc::storage_failed);
  CAF_CHECK_EQUAL(asked(fallback), 0u);
  reply(0, take_keeping(), answer_kind::durable);
  outlive();
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a home that is slower than hints allow has its slot marked) {
  config.slow_hints_per_s = 0;
  aut = keep(sys.spawn(coordinator, config, node_context_ptr{node},
                       std::vector<replica_actor>{homes[0]->handle}));
  sched.run();
  up(1);
  up(2);
  submit(at(put(), level::one));
  store_here();
  take(other);
  CAF_REQUIRE(answered(errc::none));
  tick_after_ms(500);
  CAF_CHECK_EQUAL(asked(), 0u);
  // The deadline, and what it lingers after it.
  tick_after_ms(500);
  tick_after_ms(4'999);
  CAF_CHECK_EQUAL(asked(), 0u);
  tick_after_ms(1);
  take_keeping(replica_verb::mark);
}

CAF_TEST(with no home left a fallback parks the put for each home) {
  key = key_elsewhere("pair");
  auto list = homes_of("pair", key);
  down(1);
  down(2);
  submit(at(put(), level::one));
  auto local = take(0);
  CAF_CHECK(local.verb == replica_verb::put);
  CAF_CHECK(local.parked);
  CAF_REQUIRE_EQUAL(local.absent.size(), 2u);
  CAF_CHECK(local.absent[0] == id_of(list[0]));
  CAF_CHECK(local.absent[1] == id_of(list[1]));
  commit(local);
  CAF_CHECK(client.answers.empty());
  reply(0, local, answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].answered, 1u);
  CAF_CHECK(!client.answers[0].homes);
}

CAF_TEST(a parked put counts for one home) {
  key = key_elsewhere("pair");
  down(1);
  down(2);
  submit(put());
  CAF_CHECK(answered(errc::unavailable));
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a strict put is not parked) {
  key = key_elsewhere("pair");
  down(1);
  down(2);
  submit(at(put(core::quorum_kind::strict), level::one));
  CAF_CHECK(answered(errc::unavailable));
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a home that refuses is not circumvented) {
  key = key_elsewhere("pair");
  auto list = homes_of("pair", key);
  submit(at(put(), level::one));
  wire::PutReply refusal;
  refusal.set_code(static_cast<uint32_t>(errc::overloaded));
  auto first = take(list[0]);
  reply(list[0], first, answer_kind::forwarded, refusal.SerializeAsString());
  auto second = take(list[1]);
  down(list[0]);
  down(list[1]);
  CAF_REQUIRE_EQUAL(client.answers.size(), 1u);
  CAF_CHECK(client.answers[0].code != errc::none);
  CAF_CHECK_EQUAL(asked(0), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
