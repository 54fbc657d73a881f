// The coordinator's requests while epochs come.

#define CAF_SUITE actors.coordinator_epoch

#include "tests/actors/coordinator_fixture.hpp"

using namespace covey;
using level = core::consistency_level;

namespace {

/// A key whose homes n1, `stays` and `goes` become n1, `stays` and n4.
struct fixture : test::coordinator_fixture {
  fixture() {
    auto before = view;
    after = next_view([](core::epoch& e) {
      e.members.push_back(make_member("n4"));
    });
    key = key_where("default", [](const auto& list) {
      return list.is_home(0) && list.is_home(3);
    });
    stays = homes_of("default", key).is_home(1) ? 1 : 2;
    goes = static_cast<core::member_index>(3 - stays);
    view = before;
  }
  client_op get(level at_level = level::all) {
    return at(request(client_verb::get, key), at_level);
  }
  client_op put() {
    return request(client_verb::put, key, "value");
  }
  void adopt() {
    tell(aut, epoch_atom::value, view_ptr{after});
    tell(aut, peer_up_atom::value, core::member_index{3}, fourth.handle);
  }
  /// n4 is known and linked, and a get of the old plan is under way.
  void link_fourth() {
    tell(aut, peer_up_atom::value, core::member_index{3}, fourth.handle);
  }

  test::played_replica& fourth = play_replica();
  view_ptr after;
  std::string key;
  core::member_index stays = 0;
  core::member_index goes = 0;
  const std::string x = record_of({{7, 1}});
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(coordinator_epoch_tests, fixture)

CAF_TEST(a get that a home calls stale is read anew in the next epoch) {
  submit(get(level::quorum));
  auto asked_first = asked(stays) > 0 ? stays : goes;
  reply(0, take(0), answer_kind::record, x);
  refuse(asked_first, take(asked_first), errc::stale_epoch);
  CAF_CHECK_EQUAL(node->epochs_missed, 1u);
  CAF_CHECK(client.answers.empty());
  CAF_CHECK_EQUAL(asked(), 0u);
  tick_after_ms(200);
  CAF_CHECK_EQUAL(asked(), 0u);
  adopt();
  auto here = take(0);
  CAF_CHECK(here.epoch == after->id());
  CAF_CHECK_EQUAL(asked(goes), 0u);
  auto there = take(stays);
  CAF_CHECK(there.epoch == after->id());
  reply(0, here, answer_kind::record, x);
  reply(stays, there, answer_kind::record, x);
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK_EQUAL(client.answers[0].values.size(), 1u);
  CAF_CHECK_EQUAL(node->counters.replanned, 1u);
}

CAF_TEST(answers to the plan before are no answers to the new one) {
  submit(get(level::quorum));
  auto old_here = take(0);
  auto asked_first = asked(stays) > 0 ? stays : goes;
  auto old_there = take(asked_first);
  adopt();
  auto here = take(0);
  auto there = take(stays);
  reply(0, old_here, answer_kind::record, x);
  reply(asked_first, old_there, answer_kind::record, x);
  CAF_CHECK(client.answers.empty());
  reply(0, here, answer_kind::record, x);
  reply(stays, there, answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a get that waits for an epoch in vain ends at its deadline) {
  auto op = get(level::quorum);
  submit(op);
  refuse(0, take(0), errc::stale_epoch);
  now_us = op.deadline_us;
  tell(aut, tick_atom::value);
  CAF_CHECK(answered(errc::timed_out));
  adopt();
  CAF_CHECK_EQUAL(client.answers.size(), 1u);
}

CAF_TEST(gets that share reads are all refused when the next epoch is no help) {
  queue_as(client.handle, aut, client_ops{client.handle, {get(), get()}});
  sched.run();
  CAF_CHECK_EQUAL(node->counters.joined_gets, 1u);
  refuse(goes, take(goes), errc::stale_epoch);
  homes[0]->ops.clear();
  homes[stays]->ops.clear();
  adopt();
  // Nothing links to n4 when the epoch comes: the level cannot be met.
  CAF_CHECK_EQUAL(client.answers.size(), 2u);
  for (const auto& a : client.answers)
    CAF_CHECK_EQUAL(a.code, errc::unavailable);
}

CAF_TEST(gets that share reads are all answered in the next epoch) {
  auto two = get(level::quorum);
  queue_as(client.handle, aut, client_ops{client.handle, {two, two}});
  sched.run();
  CAF_CHECK_EQUAL(node->counters.joined_gets, 1u);
  auto asked_first = asked(stays) > 0 ? stays : goes;
  refuse(asked_first, take(asked_first), errc::stale_epoch);
  homes[0]->ops.clear();
  adopt();
  reply(0, take(0), answer_kind::record, x);
  reply(stays, take(stays), answer_kind::record, x);
  CAF_REQUIRE_EQUAL(client.answers.size(), 2u);
  for (const auto& a : client.answers)
    CAF_CHECK_EQUAL(a.code, errc::none);
}

CAF_TEST(a committed put goes on with the homes of the next epoch) {
  submit(put());
  auto local = take(0);
  commit(local);
  auto to_stays = take(stays);
  refuse(goes, take(goes), errc::stale_epoch);
  CAF_CHECK(client.answers.empty());
  CAF_CHECK_EQUAL(asked(), 0u);
  tell(aut, epoch_atom::value, view_ptr{after});
  // Whoever has not said that it has it is asked again.
  auto again = take(stays);
  CAF_CHECK(again.verb == replica_verb::write);
  CAF_CHECK(again.epoch == after->id());
  CAF_CHECK_EQUAL(again.bytes, "the record");
  // It is a fallback now, and n4 has no link yet.
  CAF_CHECK(take(goes).verb == replica_verb::hint);
  // What is on disk is on disk, whichever plan asked for it.
  reply(0, local, answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(stays, to_stays, answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a home of before counts for nothing in the next epoch) {
  auto op = put();
  op.level = {level::quorum, 0};
  op.quorum = core::quorum_kind::strict;
  submit(op);
  auto local = take(0);
  commit(local);
  auto to_goes = take(goes);
  homes[stays]->ops.clear();
  tell(aut, epoch_atom::value, view_ptr{after});
  link_fourth();
  reply(0, local, answer_kind::durable);
  reply(goes, to_goes, answer_kind::durable);
  CAF_CHECK(client.answers.empty());
  reply(stays, take(stays), answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a commit that comes after the epoch goes to the homes of now) {
  submit(put());
  auto local = take(0);
  tell(aut, epoch_atom::value, view_ptr{after});
  CAF_CHECK_EQUAL(asked(), 0u);
  commit(local);
  CAF_CHECK(take(goes).verb == replica_verb::hint);
  auto write = take(stays);
  CAF_CHECK(write.epoch == after->id());
  reply(stays, write, answer_kind::durable);
  reply(0, local, answer_kind::durable);
  CAF_CHECK(answered(errc::none));
}

CAF_TEST(a put that its own replica calls stale is begun again) {
  auto op = put();
  submit(op);
  auto local = take(0);
  replica_answer stale = refusal(local.id, errc::stale_epoch);
  stale.bytes = "value";
  reply(0, stale);
  CAF_CHECK(client.answers.empty());
  CAF_CHECK_EQUAL(asked(), 0u);
  adopt();
  auto again = take(0);
  CAF_CHECK(again.verb == replica_verb::put);
  CAF_CHECK_EQUAL(again.bytes, "value");
  CAF_CHECK(again.request == op.request);
  CAF_CHECK(again.epoch == after->id());
  commit(again);
  // No link to n4 was up when it was planned: who was a home is a fallback now.
  CAF_CHECK(take(goes).verb == replica_verb::hint);
  reply(0, again, answer_kind::durable);
  reply(stays, take(stays), answer_kind::durable);
  CAF_CHECK(answered(errc::none));
  CAF_CHECK_EQUAL(node->counters.puts, 1u);
}

CAF_TEST(a put that waits for an epoch in vain was not written) {
  auto op = put();
  submit(op);
  auto stale = refusal(take(0).id, errc::stale_epoch);
  stale.bytes = "value";
  reply(0, stale);
  now_us = op.deadline_us;
  tell(aut, tick_atom::value);
  CAF_REQUIRE(answered(errc::timed_out));
  CAF_CHECK(!client.answers[0].maybe_written);
}

CAF_TEST(a put whose homes are others is forwarded anew) {
  auto old_key = key_elsewhere("pair");
  submit(request(client_verb::put, old_key, "value", "pair"));
  auto not_owner = [&](core::member_index m) {
    wire::PutReply says;
    says.set_code(static_cast<uint32_t>(errc::not_owner));
    reply(m, take(m), answer_kind::forwarded, says.SerializeAsString());
  };
  auto first = homes_of("pair", old_key)[0];
  auto second = homes_of("pair", old_key)[1];
  not_owner(first);
  not_owner(second);
  CAF_CHECK(client.answers.empty());
  CAF_CHECK_EQUAL(node->epochs_missed, 1u);
  auto changed = next_view([&](core::epoch& e) {
    e.members[second].state = core::member_state::removed;
    e.keyspaces[0].replication.total = 2;
    e.keyspaces[1].replication.total = 2;
  });
  tell(aut, epoch_atom::value, changed);
  // With two members left, this node is a home.
  auto here = take(0);
  CAF_CHECK(here.verb == replica_verb::put);
  CAF_CHECK_EQUAL(here.bytes, "value");
}

CAF_TEST(what a peer sends of a later epoch waits for it) {
  auto op = put();
  op.forwarded = true;
  op.epoch = after->id();
  op.keyspace = core::keyspace_id("default");
  submit(op);
  CAF_CHECK_EQUAL(asked(), 0u);
  CAF_CHECK(client.answers.empty());
  CAF_CHECK_EQUAL(node->epochs_missed, 1u);
  adopt();
  CAF_CHECK(take(0).epoch == after->id());
}

CAF_TEST(a keyspace that is added disturbs no request and can be used) {
  submit(put());
  auto local = take(0);
  submit(get(level::quorum));
  auto read = take(0);
  auto next = next_view([](core::epoch& e) {
    e.keyspaces.push_back(make_keyspace("zebras", 3));
  });
  auto asked_first = asked(stays) > 0 ? stays : goes;
  auto other = take(asked_first);
  tell(aut, epoch_atom::value, next);
  CAF_CHECK_EQUAL(asked(), 0u);
  reply(0, read, answer_kind::record, x);
  reply(asked_first, other, answer_kind::record, x);
  CAF_CHECK(answered(errc::none));
  commit(local);
  reply(0, local, answer_kind::durable);
  reply(stays, take(stays), answer_kind::durable);
  CAF_CHECK_EQUAL(client.answers.size(), 2u);
  CAF_CHECK_EQUAL(client.answers[1].code, errc::none);
  homes[goes]->ops.clear();
  submit(request(client_verb::put, key, "value", "zebras"));
  CAF_CHECK(take(0).epoch == next->id());
  CAF_CHECK_EQUAL(node->counters.replanned, 0u);
}

CAF_TEST(a removed member is asked for nothing) {
  submit(get());
  auto next = next_view([&](core::epoch& e) {
    e.members[goes].state = core::member_state::removed;
    e.members.push_back(make_member("n4"));
  });
  take(goes);
  homes[0]->ops.clear();
  homes[stays]->ops.clear();
  tell(aut, epoch_atom::value, next);
  CAF_CHECK_EQUAL(asked(goes), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
