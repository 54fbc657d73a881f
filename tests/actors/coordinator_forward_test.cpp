// The coordinator's puts of keys that are at home elsewhere.

#define CAF_SUITE actors.coordinator_forward

#include "tests/actors/coordinator_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::coordinator_fixture {
  fixture() {
    key = key_elsewhere("pair");
    auto list = homes_of("pair", key);
    first = list[0];
    second = list[1];
  }
  client_op put() {
    return request(client_verb::put, key, "value", "pair");
  }
  /// What the home says in answer to `op`.
  void forwarded(core::member_index m, const replica_op& op,
                 const wire::PutReply& what) {
    reply(m, op, answer_kind::forwarded, what.SerializeAsString());
  }
  static wire::PutReply saying(errc code, bool maybe_written = false) {
    wire::PutReply result;
    result.set_code(static_cast<uint32_t>(code));
    result.set_maybe_written(maybe_written);
    return result;
  }
  static wire::PutRequest content(const replica_op& op) {
    wire::PutRequest result;
    CAF_REQUIRE(op.verb == replica_verb::forward);
    CAF_REQUIRE(result.ParseFromString(op.bytes));
    return result;
  }

  std::string key;
  core::member_index first = 0;
  core::member_index second = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(coordinator_forward_tests, fixture)

CAF_TEST(a put goes to the first home as the client sent it) {
  auto op = put();
  op.level = {core::consistency_level::all, 0};
  op.tombstone = true;
  op.expires_at_ms = 77;
  submit(op);
  CAF_CHECK_EQUAL(asked(), 1u);
  auto sent = take(first);
  CAF_CHECK_EQUAL(sent.deadline_us, op.deadline_us);
  auto in = content(sent);
  CAF_CHECK_EQUAL(in.keyspace(), "pair");
  CAF_CHECK_EQUAL(in.key(), key);
  CAF_CHECK_EQUAL(in.value(), "value");
  CAF_CHECK_EQUAL(in.request_high(), op.request.high);
  CAF_CHECK_EQUAL(in.request_low(), op.request.low);
  CAF_CHECK_EQUAL(in.level(), 5u);
  CAF_CHECK(in.tombstone());
  CAF_CHECK_EQUAL(in.expires_at_ms(), 77u);
}

CAF_TEST(the answer of the home is the answer to the client) {
  auto op = put();
  submit(op);
  auto what = saying(errc::none);
  what.set_acked(2);
  what.set_needed(2);
  what.set_context("token");
  forwarded(first, take(first), what);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].id, op.id);
  CAF_CHECK(client.answers[0].verb == client_verb::put);
  CAF_CHECK_EQUAL(client.answers[0].answered, 2u);
  CAF_CHECK_EQUAL(client.answers[0].context, "token");
}

CAF_TEST(an error of the home that is final is the answer to the client) {
  for (auto code : {errc::bad_context, errc::too_many_siblings,
                    errc::quorum_not_met, errc::unknown_level}) {
    client.answers.clear();
    submit(put());
    forwarded(first, take(first), saying(code, code == errc::quorum_not_met));
    CAF_CHECK(answered(code));
    CAF_CHECK_EQUAL(client.answers[0].maybe_written,
                    code == errc::quorum_not_met);
    CAF_CHECK_EQUAL(asked(), 0u);
  }
}

CAF_TEST(after a failure the next home gets the same request id) {
  auto op = put();
  submit(op);
  refuse(first, take(first), errc::connection_lost);
  CAF_CHECK(client.answers.empty());
  auto again = content(take(second));
  CAF_CHECK_EQUAL(again.request_high(), op.request.high);
  CAF_CHECK_EQUAL(again.request_low(), op.request.low);
  CAF_CHECK_EQUAL(again.value(), "value");
}

CAF_TEST(a put at a local level does not leave its data centre) {
  auto changed = std::make_shared<core::epoch>(view->epoch());
  changed->members[second].data_centre = "elsewhere";
  tell(aut, epoch_atom::value,
       view_ptr{std::make_shared<const core::cluster_view>(changed)});
  auto op = put();
  op.level = {core::consistency_level::local_one, 0};
  submit(op);
  refuse(first, take(first), errc::unavailable);
  CAF_CHECK_EQUAL(asked(), 0u);
  CAF_CHECK(answered(errc::unavailable));
}

CAF_TEST(a home that did nothing is followed by the next one) {
  for (auto code : {errc::overloaded, errc::shutting_down, errc::disk_full,
                    errc::not_owner, errc::stale_epoch}) {
    client.answers.clear();
    submit(put());
    forwarded(first, take(first), saying(code));
    CAF_CHECK(client.answers.empty());
    forwarded(second, take(second), saying(errc::none));
    CAF_CHECK(answered(errc::none));
  }
}

CAF_TEST(when all homes have failed the write may have happened) {
  submit(put());
  refuse(first, take(first), errc::connection_lost);
  refuse(second, take(second), errc::connection_lost);
  CAF_REQUIRE(answered(errc::connection_lost));
  CAF_CHECK(client.answers[0].maybe_written);
}

CAF_TEST(when all homes did nothing nothing was written) {
  submit(put());
  forwarded(first, take(first), saying(errc::overloaded));
  forwarded(second, take(second), saying(errc::overloaded));
  CAF_REQUIRE(answered(errc::overloaded));
  CAF_CHECK(!client.answers[0].maybe_written);
}

CAF_TEST(a home that did nothing does not hide one that may have written) {
  submit(put());
  refuse(first, take(first), errc::connection_lost);
  forwarded(second, take(second), saying(errc::overloaded));
  CAF_REQUIRE_EQUAL(client.answers.size(), 1u);
  CAF_CHECK(client.answers[0].maybe_written);
}

CAF_TEST(a home that did nothing does not end the wait for a slow one) {
  submit(put());
  auto slow = take(first);
  tick_after_ms(150);
  forwarded(second, take(second), saying(errc::overloaded));
  CAF_CHECK(client.answers.empty());
  forwarded(first, slow, saying(errc::none));
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a slow home makes the next one be asked as well) {
  submit(put());
  auto slow = take(first);
  tick_after_ms(99);
  CAF_CHECK_EQUAL(asked(), 0u);
  tick_after_ms(1);
  auto again = take(second);
  forwarded(second, again, saying(errc::none));
  CAF_CHECK(answered(errc::none));
  forwarded(first, slow, saying(errc::none));
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
}

CAF_TEST(a home that is down is passed over) {
  down(first);
  submit(put());
  CAF_CHECK_EQUAL(asked(second), 1u);
}

CAF_TEST(without a home that is up a put is unavailable and sends nothing) {
  down(first);
  down(second);
  submit(put());
  CAF_REQUIRE(answered(errc::unavailable));
  CAF_CHECK(!client.answers[0].maybe_written);
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a home whose disk is full hands a put to the next one) {
  node->disk_full = true;
  auto op = request(client_verb::put, key_at_home("pair"), "value", "pair");
  submit(op);
  CAF_CHECK_EQUAL(asked(0), 0u);
  CAF_REQUIRE_EQUAL(asked(), 1u);
  core::member_index other = asked(1) > 0 ? 1 : 2;
  forwarded(other, take(other), saying(errc::none));
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a put that finds the disk full here is handed to the next home) {
  auto op = request(client_verb::put, key_at_home("pair"), "value", "pair");
  op.tombstone = true;
  op.expires_at_ms = 5;
  submit(op);
  auto local = take(0);
  replica_answer full;
  full.id = local.id;
  full.code = errc::disk_full;
  full.bytes = local.bytes;
  reply(0, std::move(full));
  CAF_REQUIRE_EQUAL(asked(), 1u);
  core::member_index other = asked(1) > 0 ? 1 : 2;
  auto sent = take(other);
  CAF_CHECK(sent.verb == replica_verb::forward);
  wire::PutRequest out;
  CAF_REQUIRE(out.ParseFromString(sent.bytes));
  CAF_CHECK_EQUAL(out.key(), op.key);
  CAF_CHECK_EQUAL(out.value(), "value");
  CAF_CHECK_EQUAL(out.request_high(), op.request.high);
  CAF_CHECK(out.tombstone());
  CAF_CHECK_EQUAL(out.expires_at_ms(), 5u);
  forwarded(other, sent, saying(errc::none));
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a put is as old for every home as for the node that took it) {
  auto op = request(client_verb::put, key, "value", "pair");
  auto asked_us = now_us;
  submit(op);
  CAF_CHECK_EQUAL(content(take(first)).asked_us(), asked_us);
  tick_after_ms(200);
  CAF_CHECK_EQUAL(content(take(second)).asked_us(), asked_us);
  // And for the shard.
  op = request(client_verb::put, key_at_home("pair"), "value", "pair");
  op.forwarded = true;
  op.asked_us = asked_us;
  submit(op);
  CAF_CHECK_EQUAL(take(0).asked_us, asked_us);
}

CAF_TEST(a forwarded put that finds the disk full is refused) {
  auto op = request(client_verb::put, key_at_home("pair"), "value", "pair");
  op.forwarded = true;
  submit(op);
  refuse(0, take(0), errc::disk_full);
  CAF_CHECK(answered(errc::disk_full));
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a put that finds the disk full and no other home up says so) {
  down(1);
  down(2);
  auto op = request(client_verb::put, key_at_home("pair"), "value", "pair");
  submit(at(op, core::consistency_level::one));
  refuse(0, take(0), errc::disk_full);
  CAF_REQUIRE(answered(errc::disk_full));
  CAF_CHECK(!client.answers[0].maybe_written);
}

CAF_TEST(with the disk full and no other home up a put says so) {
  node->disk_full = true;
  down(1);
  down(2);
  submit(request(client_verb::put, key_at_home("pair"), "value", "pair"));
  CAF_REQUIRE(answered(errc::disk_full));
  CAF_CHECK(!client.answers[0].maybe_written);
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a forwarded put that reaches no home is refused and sent nowhere) {
  auto op = put();
  op.forwarded = true;
  submit(op);
  CAF_CHECK(answered(errc::not_owner));
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(at its deadline a forwarded put has timed out and may have happened) {
  submit(put());
  tick_after_ms(1000);
  CAF_REQUIRE(answered(errc::timed_out));
  CAF_CHECK(client.answers[0].maybe_written);
}

CAF_TEST(an answer that cannot be read is a failure of that home) {
  submit(put());
  reply(first, take(first), answer_kind::forwarded, "\xff\xff\xff");
  CAF_CHECK_EQUAL(asked(second), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
