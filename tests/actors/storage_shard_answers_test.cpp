// The storage shard's answers to reads: bounded bytes, none after the deadline.

#define CAF_SUITE actors.storage_shard_answers

#include "tests/actors/shard_fixture.hpp"

using namespace covey;

CAF_TEST_FIXTURE_SCOPE(storage_shard_answers_tests, test::shard_fixture)

CAF_TEST(a read that its client gave up is not done) {
  put("k");
  auto op = operation(replica_verb::read, "k");
  op.deadline_us = now_us - 1;
  ask({op});
  CAF_CHECK(refused(errc::deadline_expired));
}

CAF_TEST(a read that expires while it waits for the flush sends no record) {
  put("k");
  auto op = operation(replica_verb::read, "k");
  op.flushed = true;
  ask({op});
  CAF_CHECK(asker.answers.empty());
  now_us = op.deadline_us + 1;
  flush_all();
  auto last = asker.answers.back();
  CAF_CHECK(last.code == errc::deadline_expired);
  CAF_CHECK(last.bytes.empty());
}

CAF_TEST(records beyond what the node may hold are refused) {
  put("k", std::string(100, 'v'));
  node->answers = std::make_shared<core::answer_budget>(300);
  core::answer_charge others{node->answers, 20};
  ask({operation(replica_verb::read, "k"), operation(replica_verb::read, "k"),
       operation(replica_verb::read, "none")});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 3u);
  CAF_CHECK(asker.answers[0].kind == answer_kind::record);
  CAF_CHECK_EQUAL(node->answers->held(), 20 + asker.answers[0].bytes.size());
  CAF_CHECK(asker.answers[1].code == errc::overloaded);
  CAF_CHECK(!asker.answers[1].text.empty());
  CAF_CHECK(asker.answers[2].kind == answer_kind::record);
  CAF_CHECK_EQUAL(node->counters.answers_refused, 1u);
  auto scan = operation(replica_verb::scan, {});
  scan.max_bytes = 140;
  ask({scan});
  CAF_CHECK(refused(errc::overloaded));
  // Who has taken the record makes room.
  CAF_CHECK_EQUAL(node->answers->held(), 20u);
  ask({operation(replica_verb::read, "k")});
  CAF_CHECK(asker.answers[0].kind == answer_kind::record);
}

CAF_TEST(many large reads are answered over several turns) {
  put("k", std::string(100, 'v'));
  crash();
  config.read_bytes_per_turn = 200;
  start();
  put("k", std::string(100, 'v'));
  auto turns = node->counters.batches.load();
  std::vector<replica_op> ops;
  for (auto i = 0; i < 10; ++i)
    ops.push_back(operation(replica_verb::read, "k"));
  asker.froms.clear();
  ask(ops);
  CAF_REQUIRE_EQUAL(asker.answers.size(), 10u);
  for (size_t i = 0; i < 10; ++i)
    CAF_CHECK_EQUAL(asker.answers[i].id, ops[i].id);
  CAF_CHECK_EQUAL(node->counters.batches - turns, 5u);
  CAF_CHECK_EQUAL(asker.froms.size(), 5u);
}

CAF_TEST_FIXTURE_SCOPE_END()
