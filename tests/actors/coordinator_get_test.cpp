// The coordinator's gets.

#define CAF_SUITE actors.coordinator_get

#include "tests/actors/coordinator_fixture.hpp"

#include <set>

using namespace covey;
using level = core::consistency_level;

namespace {

struct fixture : test::coordinator_fixture {
  fixture() {
    auto list = homes_of("default", "k");
    // After this node comes the next one in the order of the ring.
    next = list[0] == 0 ? list[1] : list[0];
    last = static_cast<core::member_index>(3 - next);
  }
  client_op get(level at_level = level::quorum) {
    return at(request(client_verb::get, "k"), at_level);
  }

  /// `next` answers with the digest of `bytes`.
  void digest(const replica_op& op, const std::string& bytes) {
    replica_answer a;
    a.id = op.id;
    a.kind = answer_kind::digest;
    a.digest = core::version_hash(*core::decode_record(bytes));
    reply(next, std::move(a));
  }

  core::member_index next = 0;
  core::member_index last = 0;
  const std::string x = record_of({{7, 1}});
  const std::string y = record_of({{8, 1}});
};

using values = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(coordinator_get_tests, fixture)

CAF_TEST(a quorum reads this node and the next what is on disk) {
  auto op = get();
  submit(op);
  CAF_CHECK_EQUAL(asked(last), 0u);
  auto here = take(0);
  CAF_CHECK(here.verb == replica_verb::read);
  CAF_CHECK(here.flushed);
  CAF_CHECK_EQUAL(here.key, "k");
  CAF_CHECK_EQUAL(here.deadline_us, op.deadline_us);
  auto there = take(next);
  CAF_CHECK(there.flushed);
  reply(0, here, answer_kind::record, x);
  CAF_CHECK(client.answers.empty());
  reply(next, there, answer_kind::record, x);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].id, op.id);
  CAF_CHECK_EQUAL(client.answers[0].values, values{"v7"});
  CAF_CHECK_EQUAL(client.answers[0].answered, 2u);
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a suspect home is asked last) {
  auto beliefs = std::make_shared<core::liveness_view>();
  beliefs->members.resize(3);
  beliefs->members[next].state = core::health::suspect;
  tell(aut, view_atom::value, liveness_ptr{beliefs});
  submit(get());
  CAF_CHECK_EQUAL(asked(next), 0u);
  CAF_CHECK_EQUAL(asked(last), 1u);
}

CAF_TEST(a home that catches up is asked after those that miss nothing) {
  auto beliefs = std::make_shared<core::liveness_view>();
  beliefs->members.resize(3);
  beliefs->members[next].catching_up = true;
  tell(aut, view_atom::value, liveness_ptr{beliefs});
  submit(get());
  CAF_CHECK_EQUAL(asked(next), 0u);
  CAF_CHECK_EQUAL(asked(last), 1u);
}

CAF_TEST(a node that catches up itself reads from others first) {
  node->catching_up = true;
  submit(get(level::one));
  CAF_CHECK_EQUAL(asked(0), 0u);
  CAF_CHECK_EQUAL(asked(), 1u);
}

CAF_TEST(ONE reads this node alone and what is not on disk too) {
  submit(get(level::one));
  CAF_CHECK_EQUAL(asked(), 1u);
  auto here = take(0);
  CAF_CHECK(!here.flushed);
  reply(0, here, answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a key that no home has is found to have no values) {
  submit(get());
  reply(0, take(0), answer_kind::record);
  reply(next, take(next), answer_kind::record);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK(client.answers[0].values.empty());
  CAF_CHECK(client.answers[0].context.empty());
}

CAF_TEST(differing records are merged and repaired before the answer) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  reply(next, take(next), answer_kind::record, y);
  CAF_CHECK(client.answers.empty());
  auto here = take(0);
  auto there = take(next);
  CAF_CHECK(here.verb == replica_verb::write);
  CAF_CHECK_EQUAL(here.bytes, record_of({{7, 1}, {8, 1}}));
  CAF_CHECK_EQUAL(here.bytes, there.bytes);
  reply(next, there, answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(0, here, answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].values, (values{"v7", "v8"}));
  CAF_CHECK_EQUAL(node->counters.repairs, 2u);
}

CAF_TEST(only the home that lacks something is repaired) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  reply(next, take(next), answer_kind::record);
  CAF_CHECK_EQUAL(asked(0), 0u);
  CAF_CHECK_EQUAL(take(next).bytes, x);
}

CAF_TEST(a home that has no room for its answer is replaced by the next) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  refuse(next, take(next), errc::overloaded);
  CAF_CHECK(client.answers.empty());
  reply(last, take(last), answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(when homes have no room for their answers a get is overloaded) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  refuse(next, take(next), errc::overloaded);
  refuse(last, take(last), errc::overloaded);
  CAF_REQUIRE(answered(errc::overloaded));
  CAF_CHECK(!client.answers[0].text.empty());
}

CAF_TEST(without room in this node a get asks nobody else) {
  node->answers = std::make_shared<core::answer_budget>(10);
  core::answer_charge others{node->answers, 10};
  submit(get());
  auto there = take(next);
  refuse(0, take(0), errc::overloaded);
  CAF_CHECK(answered(errc::overloaded));
  CAF_CHECK_EQUAL(asked(), 0u);
  reply(next, there, answer_kind::record, x);
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
  CAF_CHECK_EQUAL(node->answers->held(), 10u);
}

CAF_TEST(records count until the get is done and values until they are sent) {
  submit(get());
  for (auto m : {core::member_index{0}, next}) {
    replica_answer a;
    a.id = take(m).id;
    a.kind = answer_kind::record;
    a.bytes = x;
    a.charge = {node->answers, x.size()};
    if (m != 0)
      CAF_CHECK_EQUAL(node->answers->held(), 2 * x.size());
    reply(m, std::move(a));
  }
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].charge.bytes(), 2u);
  CAF_CHECK_EQUAL(node->answers->held(), 2u);
}

CAF_TEST(the context of a get covers all that was merged) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  reply(next, take(next), answer_kind::record, y);
  reply(0, take(0), answer_kind::durable);
  reply(next, take(next), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  auto token = token_of(client.answers[0].context, "k");
  CAF_REQUIRE(token);
  CAF_CHECK(token->seen.covers(core::dot{7, 1}));
  CAF_CHECK(token->seen.covers(core::dot{8, 1}));
  CAF_CHECK(!token_of(client.answers[0].context, "another"));
}

CAF_TEST(a home that fails is replaced by another) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  refuse(next, take(next), errc::connection_lost);
  reply(last, take(last), answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a disk that fails here is not an absent key) {
  submit(get());
  refuse(0, take(0), errc::storage_failed);
  CAF_CHECK_EQUAL(asked(last), 1u);
  reply(next, take(next), answer_kind::record, x);
  reply(last, take(last), answer_kind::record, x);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].values, values{"v7"});
}

CAF_TEST(a record that cannot be read counts as a failure) {
  submit(get());
  reply(next, take(next), answer_kind::record, "garbage");
  CAF_CHECK_EQUAL(asked(last), 1u);
}

CAF_TEST(a home slower than patience makes another one be asked once) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  take(next);
  tick_after_ms(99);
  CAF_CHECK_EQUAL(asked(last), 0u);
  tick_after_ms(1);
  auto extra = take(last);
  tick_after_ms(200);
  CAF_CHECK_EQUAL(asked(), 0u);
  reply(last, extra, answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(when too many homes fail the quorum is not met) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  refuse(next, take(next), errc::timed_out);
  refuse(last, take(last), errc::storage_failed);
  CAF_REQUIRE(answered(errc::quorum_not_met));
  CAF_CHECK(!client.answers[0].maybe_written);
  CAF_CHECK_EQUAL(client.answers[0].answered, 1u);
}

CAF_TEST(with too few homes up a get is unavailable at once and asks none) {
  down(1);
  down(2);
  submit(get());
  CAF_CHECK(answered(errc::unavailable));
  CAF_CHECK_EQUAL(asked(), 0u);
  client.answers.clear();
  submit(get(level::one));
  reply(0, take(0), answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(at its deadline a get has timed out) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  auto late = take(next);
  tick_after_ms(1000);
  CAF_REQUIRE(answered(errc::timed_out));
  CAF_CHECK(!client.answers[0].maybe_written);
  CAF_CHECK_EQUAL(client.answers[0].answered, 1u);
  reply(next, late, answer_kind::record, x);
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
}

CAF_TEST(deleted and expired values are not shown but stay in the context) {
  submit(get(level::one));
  reply(0, take(0), answer_kind::record, record_of({{7, 1}}, true));
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK(client.answers[0].values.empty());
  CAF_CHECK(!client.answers[0].context.empty());
  auto now_ms = now_us / 1000;
  for (auto expiry : {now_ms, now_ms + 1}) {
    client.answers.clear();
    submit(get(level::one));
    reply(0, take(0), answer_kind::record, record_of({{7, 1}}, false, expiry));
    CAF_REQUIRE(answered(errc::none));
    CAF_CHECK_EQUAL(client.answers[0].values.size(), expiry - now_ms);
  }
}

CAF_TEST(all homes but the first are asked for digests if records are large) {
  submit(get());
  auto here = take(0);
  CAF_CHECK_EQUAL(here.digest_number, 0u);
  auto there = take(next);
  CAF_CHECK_EQUAL(there.digest_number, core::version_hash_number);
  CAF_CHECK_EQUAL(there.digest_above, config.digest_above_bytes);
  CAF_CHECK(there.flushed);
  reply(0, here, answer_kind::record, x);
  digest(there, x);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].values, values{"v7"});
}

CAF_TEST(a digest that differs has the record read from that home) {
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  digest(take(next), y);
  auto there = take(next);
  CAF_CHECK(there.verb == replica_verb::read);
  CAF_CHECK_EQUAL(there.digest_number, 0u);
  CAF_CHECK(there.flushed);
  CAF_CHECK_EQUAL(node->counters.digest_misses, 1u);
  reply(next, there, answer_kind::record, y);
  reply(0, take(0), answer_kind::durable);
  reply(next, take(next), answer_kind::durable);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].values, (values{"v7", "v8"}));
}

CAF_TEST(gets of a key that come together share their reads) {
  auto first = get();
  auto second = get();
  tell(aut, client_ops{client.handle, {first, second}});
  CAF_CHECK_EQUAL(asked(), 2u);
  reply(0, take(0), answer_kind::record, x);
  reply(next, take(next), answer_kind::record, x);
  CAF_REQUIRE_EQUAL(client.answers.size(), 2u);
  std::set<uint64_t> ids{client.answers[0].id, client.answers[1].id};
  CAF_CHECK(ids == (std::set<uint64_t>{first.id, second.id}));
  for (const auto& a : client.answers)
    CAF_CHECK_EQUAL(a.values, values{"v7"});
  CAF_CHECK_EQUAL(node->counters.joined_gets, 1u);
}

CAF_TEST(a get does not share reads of another level or that were sent) {
  tell(aut, client_ops{client.handle, {get(), get(level::all)}});
  CAF_CHECK_EQUAL(asked(), 5u);
  submit(get());
  CAF_CHECK_EQUAL(asked(), 7u);
  CAF_CHECK_EQUAL(node->counters.joined_gets, 0u);
}

CAF_TEST(a get that shares reads fails with them) {
  tell(aut, client_ops{client.handle, {get(), get()}});
  refuse(0, take(0), errc::storage_failed);
  refuse(next, take(next), errc::storage_failed);
  CAF_REQUIRE_EQUAL(client.answers.size(), 2u);
  CAF_CHECK(client.answers[0].code == errc::quorum_not_met);
  CAF_CHECK(client.answers[1].code == errc::quorum_not_met);
}

CAF_TEST(a get that shares reads keeps its own deadline) {
  auto shorter = get();
  shorter.deadline_us -= 500'000;
  tell(aut, client_ops{client.handle, {get(), shorter}});
  auto here = take(0);
  auto there = take(next);
  tick_after_ms(500);
  CAF_REQUIRE(answered(errc::timed_out));
  CAF_CHECK_EQUAL(client.answers[0].id, shorter.id);
  client.answers.clear();
  reply(0, here, answer_kind::record, x);
  reply(next, there, answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a get reads for itself when those whose reads it shares give up) {
  auto longer = get();
  longer.deadline_us += 500'000;
  tell(aut, client_ops{client.handle, {get(), longer}});
  take(0);
  take(next);
  tick_after_ms(1000);
  CAF_REQUIRE(answered(errc::timed_out));
  size_t again = 0;
  for (auto* home : homes)
    for (auto& op : home->ops)
      if (op.deadline_us == longer.deadline_us)
        ++again;
  CAF_CHECK_EQUAL(again, 2u);
}

CAF_TEST(a home is given one repair of a version at a time) {
  for (int i = 0; i < 2; ++i)
    submit(get());
  for (auto m : {core::member_index{0}, next}) {
    auto ops = std::move(homes[m]->ops);
    homes[m]->ops.clear();
    CAF_REQUIRE_EQUAL(ops.size(), 2u);
    for (auto& op : ops)
      reply(m, op, answer_kind::record, m == 0 ? x : std::string{});
  }
  auto written = take(next);
  CAF_CHECK(written.verb == replica_verb::write);
  CAF_CHECK(client.answers.empty());
  reply(next, written, answer_kind::durable);
  CAF_CHECK_EQUAL(client.answers.size(), 2u);
  CAF_CHECK_EQUAL(node->counters.repairs, 1u);
}

CAF_TEST(one more home is asked once an answer takes longer than usual) {
  // What is usual is learnt from answers after a millisecond.
  for (int i = 0; i < 200; ++i) {
    submit(get());
    pass_ms(1);
    reply(0, take(0), answer_kind::record, x);
    reply(next, take(next), answer_kind::record, x);
  }
  tick_after_ms(0);
  client.answers.clear();
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  CAF_CHECK_EQUAL(asked(last), 0u);
  for (int i = 0; i < 12; ++i)
    pass_ms(1);
  auto extra = take(last);
  CAF_CHECK_EQUAL(node->counters.extra_reads, 1u);
  reply(last, extra, answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a clock that was set back ends no reads of one more home) {
  for (int i = 0; i < 200; ++i) {
    submit(get());
    pass_ms(1);
    reply(0, take(0), answer_kind::record, x);
    reply(next, take(next), answer_kind::record, x);
  }
  tick_after_ms(0);
  submit(get());
  now_us -= 3'600'000'000;
  reply(0, take(0), answer_kind::record, x);
  reply(next, take(next), answer_kind::record, x);
  for (int i = 0; i < 12; ++i)
    pass_ms(1);
  submit(get());
  reply(0, take(0), answer_kind::record, x);
  for (int i = 0; i < 12; ++i)
    pass_ms(1);
  CAF_CHECK_EQUAL(asked(last), 1u);
}

CAF_TEST(a home that has become slow is asked last) {
  for (int i = 0; i < 20 && asked(last) == 0; ++i) {
    submit(get());
    if (asked(next) == 0)
      break;
    auto there = take(next);
    reply(0, take(0), answer_kind::record, x);
    pass_ms(40);
    reply(next, there, answer_kind::record, x);
  }
  homes[0]->ops.clear();
  homes[last]->ops.clear();
  submit(get());
  CAF_CHECK_EQUAL(asked(next), 0u);
  CAF_CHECK_EQUAL(asked(last), 1u);
}

CAF_TEST(a key at home elsewhere is read there) {
  auto key = key_elsewhere("pair");
  submit(request(client_verb::get, key, {}, "pair"));
  CAF_CHECK_EQUAL(asked(0), 0u);
  reply(1, take(1), answer_kind::record, x);
  reply(2, take(2), answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST_FIXTURE_SCOPE_END()
