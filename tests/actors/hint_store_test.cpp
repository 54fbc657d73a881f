// The hint store: what was kept for a member that was away reaches it once.

#define CAF_SUITE actors.hint_store

#include "actors/hint_store.hpp"
#include "tests/actors/fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::node_fixture {
  fixture() : shard(play_shard()), link(play_replica()) {
    aut = keep(sys.spawn(hint_store, config, node_context_ptr{node},
                         std::vector<storage_shard_actor>{shard.handle}));
    sched.run();
  }

  void keep_hints(size_t n) {
    for (size_t i = 0; i < n; ++i) {
      hint_row row;
      row.row = "row" + std::to_string(i);
      row.version = 1;
      row.key = "k" + std::to_string(i);
      row.record = "record";
      shard.hints.push_back(std::move(row));
    }
    node->hints[1].rows = shard.hints.size();
  }
  void member_up() {
    tell(aut, peer_up_atom::value, uint16_t{1}, link.handle);
  }
  void tick_after_ms(uint64_t ms) {
    pass_ms(ms);
    tell(aut, tick_atom::value);
  }
  void answer(answer_kind kind) {
    auto ops = std::move(link.ops);
    link.ops.clear();
    replica_answers batch;
    batch.from = 1;
    for (auto& op : ops) {
      replica_answer a;
      a.id = op.id;
      a.kind = kind;
      batch.answers.push_back(std::move(a));
    }
    tell(aut, std::move(batch));
    node->hints[1].rows = shard.hints.size();
  }
  void see(core::health state) {
    auto beliefs = std::make_shared<core::liveness_view>();
    beliefs->members.resize(3);
    beliefs->members[1].state = state;
    tell(aut, view_atom::value, liveness_ptr{beliefs});
  }

  hint_store_config config;
  test::played_shard& shard;
  test::played_replica& link;
  hint_store_actor aut;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(hint_store_tests, fixture)

CAF_TEST(a member that is back is written what was kept for it) {
  keep_hints(3);
  member_up();
  CAF_REQUIRE_EQUAL(link.ops.size(), 3u);
  CAF_CHECK(link.ops[0].verb == replica_verb::write);
  CAF_CHECK_EQUAL(link.ops[0].key, "k0");
  CAF_CHECK_EQUAL(link.ops[0].bytes, "record");
  CAF_CHECK_EQUAL(shard.hints.size(), 3u);
  answer(answer_kind::durable);
  CAF_CHECK(shard.hints.empty());
  CAF_CHECK_EQUAL(node->counters.hints_replayed.load(), 3u);
}

CAF_TEST(what is not acknowledged as durable stays and is tried again later) {
  keep_hints(2);
  member_up();
  answer(answer_kind::failed);
  CAF_CHECK_EQUAL(shard.hints.size(), 2u);
  tick_after_ms(50);
  CAF_CHECK(link.ops.empty());
  tick_after_ms(config.retry_max_ms);
  CAF_CHECK_EQUAL(link.ops.size(), 2u);
}

CAF_TEST(a hint that changed meanwhile stays) {
  keep_hints(1);
  member_up();
  shard.hints[0].version = 2;
  answer(answer_kind::durable);
  CAF_CHECK_EQUAL(shard.hints.size(), 1u);
}

CAF_TEST(an answer that is lost does not hold up the others for ever) {
  keep_hints(2);
  member_up();
  CAF_CHECK_EQUAL(link.ops.size(), 2u);
  link.ops.clear();
  tick_after_ms(2 * config.patience_us / 1000);
  tick_after_ms(config.retry_max_ms);
  CAF_CHECK_EQUAL(link.ops.size(), 2u);
  answer(answer_kind::durable);
  CAF_CHECK(shard.hints.empty());
}

CAF_TEST(a late answer to a page that was given up counts for nothing) {
  keep_hints(1);
  member_up();
  auto late = std::move(link.ops);
  link.ops.clear();
  tell(aut, peer_down_atom::value, uint16_t{1});
  member_up();
  link.ops = std::move(late);
  answer(answer_kind::durable);
  CAF_CHECK_EQUAL(shard.hints.size(), 1u);
}

CAF_TEST(nothing is sent to a member that is suspect) {
  see(core::health::suspect);
  keep_hints(1);
  member_up();
  CAF_CHECK(link.ops.empty());
  see(core::health::up);
  tick_after_ms(50);
  CAF_CHECK_EQUAL(link.ops.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
