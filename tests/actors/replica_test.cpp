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

CAF_TEST(another epoch is stale) {
  auto op = read();
  op.epoch.number = 2;
  CAF_CHECK_EQUAL(verdict(op), errc::stale_epoch);
  op.epoch = {2, 1};
  CAF_CHECK_EQUAL(verdict(op), errc::stale_epoch);
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
