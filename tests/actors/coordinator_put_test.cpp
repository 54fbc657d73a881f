// The coordinator's puts at a home.

#define CAF_SUITE actors.coordinator_put

#include "tests/actors/coordinator_fixture.hpp"

using namespace covey;
using level = core::consistency_level;

namespace {

struct fixture : test::coordinator_fixture {
  client_op put() {
    return request(client_verb::put, "k", "value");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(coordinator_put_tests, fixture)

CAF_TEST(the others get the record only after the commit here) {
  auto op = put();
  submit(op);
  CAF_CHECK_EQUAL(asked(1) + asked(2), 0u);
  auto local = take(0);
  CAF_CHECK(local.verb == replica_verb::put);
  CAF_CHECK_EQUAL(local.key, "k");
  CAF_CHECK_EQUAL(local.bytes, "value");
  CAF_CHECK(local.request == op.request);
  CAF_CHECK_EQUAL(local.deadline_us, op.deadline_us);
  CAF_CHECK(local.epoch == view->id());
  commit(local);
  for (core::member_index m : {1, 2}) {
    auto remote = take(m);
    CAF_CHECK(remote.verb == replica_verb::write);
    CAF_CHECK_EQUAL(remote.bytes, "the record");
    CAF_CHECK_EQUAL(remote.deadline_us, op.deadline_us);
  }
  CAF_CHECK(client.answers.empty());
}

CAF_TEST(a put succeeds once enough homes have it on disk) {
  auto op = put();
  submit(op);
  auto local = take(0);
  commit(local);
  reply(0, local, answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(2, take(2), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].id, op.id);
  CAF_CHECK_EQUAL(client.answers[0].answered, 2u);
  CAF_CHECK_EQUAL(client.answers[0].needed, 2u);
  // The third one comes too late to matter.
  reply(1, take(1), answer_kind::durable);
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
}

CAF_TEST(the others may be faster than the disk of this node) {
  submit(put());
  auto local = take(0);
  commit(local);
  reply(1, take(1), answer_kind::durable);
  reply(2, take(2), answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(the context of the answer covers the write and what its writer saw) {
  auto op = put();
  core::token seen;
  seen.seen.advance({7, 3});
  seen.stamp = 11;
  op.context = core::encode_token(seen, {node->token_key, op.keyspace, op.key});
  submit(op);
  auto local = take(0);
  CAF_CHECK(local.seen.covers(core::dot{7, 3}));
  CAF_CHECK_EQUAL(local.floor_stamp, 11u);
  commit(local, {5, 1});
  reply(0, local, answer_kind::durable);
  reply(1, take(1), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  auto token = token_of(client.answers[0].context, "k");
  CAF_REQUIRE(token);
  CAF_CHECK(token->seen.covers(core::dot{7, 3}));
  CAF_CHECK(token->seen.covers(core::dot{5, 1}));
  CAF_CHECK_EQUAL(token->stamp, now_us);
}

CAF_TEST(ONE is met by the disk of this node and ALL by all) {
  submit(at(put(), level::one));
  auto local = take(0);
  commit(local);
  CAF_CHECK(client.answers.empty());
  reply(0, local, answer_kind::durable);
  CAF_CHECK(answered(errc::none));
  client.answers.clear();
  homes[1]->ops.clear();
  homes[2]->ops.clear();
  submit(at(put(), level::all));
  local = take(0);
  commit(local);
  reply(0, local, answer_kind::durable);
  reply(1, take(1), answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(2, take(2), answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(too few homes with it on disk fail and the write may have happened) {
  submit(put());
  auto local = take(0);
  commit(local);
  reply(0, local, answer_kind::durable);
  refuse(1, take(1), errc::storage_failed);
  CAF_CHECK(client.answers.empty());
  refuse(2, take(2), errc::connection_lost);
  CAF_REQUIRE(answered(errc::quorum_not_met));
  const auto& a = client.answers[0];
  CAF_CHECK(a.maybe_written);
  CAF_CHECK_EQUAL(a.answered, 1u);
  CAF_CHECK_EQUAL(a.needed, 2u);
  CAF_CHECK(a.text.find("n2: storage_failed") != std::string::npos);
  CAF_CHECK(a.text.find("n3: connection_lost") != std::string::npos);
}

CAF_TEST(with too few homes up a put is unavailable at once and sends nothing) {
  down(1);
  down(2);
  submit(put());
  CAF_REQUIRE(answered(errc::unavailable));
  CAF_CHECK(!client.answers[0].maybe_written);
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a home that is down is not asked and not needed) {
  down(1);
  submit(put());
  auto local = take(0);
  commit(local);
  CAF_CHECK_EQUAL(asked(1), 0u);
  reply(2, take(2), answer_kind::durable);
  reply(0, local, answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(homes that go down before the commit count as failed) {
  submit(put());
  auto local = take(0);
  down(1);
  down(2);
  commit(local);
  CAF_REQUIRE(answered(errc::quorum_not_met));
  CAF_CHECK(client.answers[0].maybe_written);
  reply(0, local, answer_kind::durable);
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
}

CAF_TEST(a home that is up again is asked again) {
  down(1);
  up(1);
  submit(put());
  commit(take(0));
  CAF_CHECK_EQUAL(asked(1), 1u);
}

CAF_TEST(what this node refuses before the commit was not written anywhere) {
  for (auto code : {errc::storage_failed, errc::too_many_siblings,
                    errc::clock_skew, errc::deadline_expired}) {
    client.answers.clear();
    submit(put());
    refuse(0, take(0), code);
    CAF_CHECK(answered(code));
    CAF_CHECK(!client.answers[0].maybe_written);
    CAF_CHECK_EQUAL(asked(), 0u);
  }
}

CAF_TEST(a disk that fails after the commit counts as one home) {
  submit(put());
  auto local = take(0);
  commit(local);
  refuse(0, local, errc::storage_failed);
  reply(1, take(1), answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(2, take(2), answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(at its deadline a put has timed out and may have happened) {
  submit(put());
  auto local = take(0);
  commit(local);
  reply(0, local, answer_kind::durable);
  tick_after_ms(999);
  CAF_CHECK(client.answers.empty());
  tick_after_ms(1);
  CAF_REQUIRE(answered(errc::timed_out));
  CAF_CHECK(client.answers[0].maybe_written);
  CAF_CHECK_EQUAL(client.answers[0].answered, 1u);
  reply(1, take(1), answer_kind::durable);
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
}

CAF_TEST(an expired deadline is refused and nothing is sent) {
  auto op = put();
  op.deadline_us = now_us - 1;
  submit(op);
  CAF_CHECK(answered(errc::deadline_expired));
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a damaged or foreign context is refused and nothing is sent) {
  auto op = put();
  core::token seen;
  seen.seen.advance({7, 3});
  auto sound
    = core::encode_token(seen, {node->token_key, op.keyspace, "another"});
  for (const auto& context : {std::string("garbage"), sound}) {
    client.answers.clear();
    op.context = context;
    submit(op);
    CAF_CHECK(answered(errc::bad_context));
    CAF_CHECK_EQUAL(asked(), 0u);
  }
}

CAF_TEST(levels beyond the homes are unknown and nothing is sent) {
  submit(at(put(), level::number, 4));
  CAF_CHECK(answered(errc::unknown_level));
  client.answers.clear();
  submit(at(request(client_verb::put, key_at_home("pair"), "v", "pair"),
            level::three));
  CAF_CHECK(answered(errc::unknown_level));
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(an unknown keyspace is refused) {
  auto op = put();
  op.keyspace = 12345;
  submit(op);
  CAF_CHECK(answered(errc::unknown_keyspace));
}

CAF_TEST(a delete and an expiry reach the shard) {
  auto op = put();
  op.tombstone = true;
  op.expires_at_ms = 77;
  submit(op);
  auto local = take(0);
  CAF_CHECK(local.tombstone);
  CAF_CHECK_EQUAL(local.expires_at_ms, 77u);
}

CAF_TEST(answers to requests that are gone find no other request) {
  submit(at(put(), level::one));
  auto first = take(0);
  commit(first);
  reply(0, first, answer_kind::durable);
  reply(1, take(1), answer_kind::durable);
  reply(2, take(2), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  // The second put takes the place of the first in the table.
  submit(at(put(), level::one));
  auto second = take(0);
  commit(second);
  reply(0, first, answer_kind::durable);
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
  reply(0, second, answer_kind::durable);
  CAF_CHECK_EQUAL(client.answers.size(), 2u);
}

CAF_TEST(requests that come together are handed on together) {
  std::vector<client_op> ops;
  for (auto i = 0; i < 3; ++i)
    ops.push_back(request(client_verb::put, "k" + std::to_string(i), "v"));
  queue_as(client.handle, aut, client_ops{client.handle, ops});
  // One message, one answer for one replica.
  sched.run();
  CAF_CHECK_EQUAL(asked(0), 3u);
}

CAF_TEST_FIXTURE_SCOPE_END()
