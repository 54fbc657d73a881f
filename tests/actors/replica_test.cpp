#define CAF_SUITE actors.replica

#include "actors/replica.hpp"
#include "tests/actors/fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::node_fixture {
  fixture() {
    become(0, 4);
    config.shard = 1;
    config.max_key_bytes = 16;
    aut
      = keep(sys.spawn(replica, config, node_context_ptr{node}, shard.handle));
    sched.run();
    key = key_where("default", [this](const auto&) {
      return true;
    });
    for (size_t n = 0; !ours(key); ++n)
      key = key_at_home("default", n);
  }
  bool ours(const std::string& k) const {
    return core::shard_of(core::slot_of(k, false), node->shards)
           == config.shard;
  }
  replica_op read(const std::string& ks = "default") {
    return operation(replica_verb::read, key, {}, ks);
  }
  replica_op scan() {
    auto op = operation(replica_verb::scan, {});
    op.slot = 5000;
    op.last_slot = 16383;
    return op;
  }
  void ask(std::vector<replica_op> ops) {
    tell(aut, replica_ops{asker.handle, std::move(ops)});
  }
  /// Why `op` alone is refused; none if it went to the shard.
  errc verdict(const replica_op& op) {
    asker.answers.clear();
    shard.ops.clear();
    ask({op});
    CAF_REQUIRE_EQUAL(asker.answers.size() + shard.ops.size(), 1u);
    if (asker.answers.empty())
      return errc::none;
    CAF_CHECK_EQUAL(asker.answers[0].id, op.id);
    CAF_CHECK(asker.answers[0].kind == answer_kind::failed);
    return asker.answers[0].code;
  }

  replica_config config;
  test::played_shard& shard = play_shard();
  test::played_asker& asker = play_asker();
  replica_actor aut;
  std::string key;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(replica_tests, fixture)

CAF_TEST(what belongs here goes to the shard with whoever asked) {
  CAF_CHECK_EQUAL(verdict(read()), errc::none);
  CAF_REQUIRE_EQUAL(shard.ops.size(), 1u);
  CAF_CHECK_EQUAL(shard.ops[0].key, key);
  CAF_CHECK(shard.from == asker.handle);
  CAF_CHECK_EQUAL(verdict(operation(replica_verb::write, key, "record")),
                  errc::none);
  CAF_CHECK_EQUAL(verdict(operation(replica_verb::put, key, "value")),
                  errc::none);
}

CAF_TEST(the refused are answered and the rest goes on in order) {
  auto first = read();
  auto late = read();
  late.deadline_us = now_us - 1;
  auto last = read();
  ask({first, late, last});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK_EQUAL(asker.answers[0].id, late.id);
  CAF_REQUIRE_EQUAL(asker.froms.size(), 1u);
  CAF_CHECK_EQUAL(asker.froms[0], node->self);
  CAF_REQUIRE_EQUAL(shard.ops.size(), 2u);
  CAF_CHECK_EQUAL(shard.ops[0].id, first.id);
  CAF_CHECK_EQUAL(shard.ops[1].id, last.id);
}

CAF_TEST(an earlier epoch is stale only where homes have changed) {
  auto op = read("pair");
  auto before = homes_of("pair", key);
  auto unchanged = next_view([&](core::epoch& e) {
    e.keyspaces.push_back(make_keyspace("zebras", 3));
  });
  tell(aut, epoch_atom::value, unchanged);
  CAF_CHECK_EQUAL(verdict(op), errc::none);
  // One of its homes goes.
  auto moved = next_view([&](core::epoch& e) {
    e.members[before[1]].state = core::member_state::removed;
    e.members.push_back(make_member("n4"));
  });
  tell(aut, epoch_atom::value, moved);
  CAF_CHECK_EQUAL(verdict(op), errc::stale_epoch);
  CAF_CHECK_EQUAL(node->counters.stale_operations, 1u);
  op.epoch = moved->id();
  CAF_CHECK_NOT_EQUAL(verdict(op), errc::stale_epoch);
}

CAF_TEST(a scan is stale if homes of one of its slots have changed) {
  auto op = scan();
  auto moved = next_view([&](core::epoch& e) {
    e.members.push_back(make_member("n4"));
  });
  tell(aut, epoch_atom::value, moved);
  auto changed = [&](uint32_t slot) {
    return op.epoch
           < keyspace("default").changed_in(static_cast<uint16_t>(slot));
  };
  while (changed(op.slot))
    ++op.slot;
  op.last_slot = op.slot;
  CAF_CHECK_EQUAL(verdict(op), errc::none);
  while (!changed(op.last_slot))
    ++op.last_slot;
  CAF_CHECK_EQUAL(verdict(op), errc::stale_epoch);
}

CAF_TEST(a stale put gives its value back) {
  auto op = operation(replica_verb::put, key, "value", "pair");
  auto home = homes_of("pair", key)[1];
  auto moved = next_view([&](core::epoch& e) {
    e.members[home].state = core::member_state::removed;
    e.members.push_back(make_member("n4"));
  });
  tell(aut, epoch_atom::value, moved);
  CAF_CHECK_EQUAL(verdict(op), errc::stale_epoch);
  CAF_CHECK_EQUAL(asker.answers[0].bytes, "value");
}

CAF_TEST(what is of a later epoch waits until the node knows it) {
  auto first = read();
  auto second = read();
  auto late = read();
  late.deadline_us = now_us + 10;
  auto next = next_view([&](core::epoch& e) {
    e.keyspaces.push_back(make_keyspace("zebras", 3));
  });
  auto fresh = read("zebras");
  for (auto* op : {&first, &second, &late, &fresh})
    op->epoch = next->id();
  ask({first, late, fresh});
  ask({second});
  CAF_CHECK(asker.answers.empty());
  CAF_CHECK(shard.ops.empty());
  CAF_CHECK_EQUAL(node->epochs_missed, 4u);
  now_us += 100;
  tell(aut, epoch_atom::value, next);
  CAF_REQUIRE_EQUAL(shard.ops.size(), 3u);
  CAF_CHECK_EQUAL(shard.ops[0].id, first.id);
  CAF_CHECK_EQUAL(shard.ops[1].id, fresh.id);
  CAF_CHECK_EQUAL(shard.ops[2].id, second.id);
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK_EQUAL(asker.answers[0].id, late.id);
  CAF_CHECK_EQUAL(asker.answers[0].code, errc::deadline_expired);
}

CAF_TEST(when too much waits for an epoch more is refused) {
  auto op = read();
  op.epoch.number = 2;
  std::vector<replica_op> many(4'096, op);
  ask(many);
  CAF_CHECK(asker.answers.empty());
  CAF_CHECK_EQUAL(verdict(op), errc::behind);
  // Those that have given up make room.
  now_us = op.deadline_us + 1;
  op.deadline_us += 1'000'000;
  ask({op});
  CAF_CHECK_EQUAL(asker.answers.size(), 1u);
}

CAF_TEST(a keyspace that the epoch lacks is unknown) {
  auto op = read();
  op.keyspace = 12345;
  CAF_CHECK_EQUAL(verdict(op), errc::unknown_keyspace);
}

CAF_TEST(a deadline that has passed is refused and one of now is not ) {
  auto op = read();
  op.deadline_us = now_us;
  CAF_CHECK_EQUAL(verdict(op), errc::none);
  ++now_us;
  CAF_CHECK_EQUAL(verdict(op), errc::deadline_expired);
}

CAF_TEST(empty and large keys are refused) {
  auto op = read();
  op.key.clear();
  CAF_CHECK_EQUAL(verdict(op), errc::empty_key);
  op = operation(replica_verb::read, std::string(17, 'k'));
  CAF_CHECK_EQUAL(verdict(op), errc::key_too_large);
}

CAF_TEST(a slot of another key or of another shard is refused) {
  auto op = read();
  op.slot ^= 1;
  CAF_CHECK_EQUAL(verdict(op), errc::bad_message);
  auto other = key_at_home("default");
  for (size_t n = 0; ours(other); ++n)
    other = key_at_home("default", n);
  CAF_CHECK_EQUAL(verdict(operation(replica_verb::read, other)),
                  errc::bad_message);
  op = read();
  op.slot = 20'000;
  CAF_CHECK_EQUAL(verdict(op), errc::bad_message);
}

CAF_TEST(a slot of which this node is no home is refused) {
  auto elsewhere = key_elsewhere("pair");
  for (size_t n = 0; !ours(elsewhere); ++n)
    elsewhere = key_elsewhere("pair", n);
  CAF_CHECK_EQUAL(verdict(operation(replica_verb::read, elsewhere, {}, "pair")),
                  errc::not_owner);
}

CAF_TEST(a scan needs slots in order and may start without a key) {
  CAF_CHECK_EQUAL(verdict(scan()), errc::none);
  auto op = scan();
  op.last_slot = op.slot;
  CAF_CHECK_EQUAL(verdict(op), errc::none);
  op.last_slot = static_cast<uint16_t>(op.slot - 1);
  CAF_CHECK_EQUAL(verdict(op), errc::bad_message);
  op.last_slot = 16384;
  CAF_CHECK_EQUAL(verdict(op), errc::bad_message);
}

CAF_TEST_FIXTURE_SCOPE_END()
