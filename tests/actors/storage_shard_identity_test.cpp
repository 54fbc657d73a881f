// Between two runs of a storage shard: its incarnation, counter and filter.

#define CAF_SUITE actors.storage_shard_identity

#include "storage/layout.hpp"
#include "tests/actors/shard_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::shard_fixture {
  void restart_cleanly() {
    CAF_REQUIRE(drain());
    crash();
    start();
  }
  /// True if a read of an absent key touched no disk.
  bool filter_works() {
    auto before = node->counters.filter_skips.load();
    CAF_CHECK_EQUAL(read("an absent key"), "none");
    return node->counters.filter_skips > before;
  }
  void tick() {
    tell(shard, tick_atom::value);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_shard_identity_tests, fixture)

CAF_TEST(a clean stop keeps the incarnation and goes on counting) {
  auto before = dot_of_put("k");
  restart_cleanly();
  auto after = dot_of_put("k");
  CAF_CHECK_EQUAL(after.inc, before.inc);
  CAF_CHECK_EQUAL(after.counter, before.counter + 1);
}

CAF_TEST(a start without the clean mark mints a new incarnation) {
  auto before = dot_of_put("k");
  flush_all();
  crash();
  start();
  auto after = dot_of_put("k");
  CAF_CHECK_NOT_EQUAL(after.inc, before.inc);
  CAF_CHECK_EQUAL(after.counter, 1u);
}

CAF_TEST(the clean mark holds for one start only) {
  auto before = incarnation();
  restart_cleanly();
  CAF_CHECK_EQUAL(incarnation(), before);
  // Nothing was put; the crash comes right after the start.
  crash();
  start();
  CAF_CHECK_NOT_EQUAL(incarnation(), before);
}

CAF_TEST(the new incarnation is on disk before the shard gives dots) {
  auto first = incarnation();
  CAF_CHECK_EQUAL(engine->unflushed(), 0u);
  crash();
  start();
  CAF_CHECK_NOT_EQUAL(incarnation(), first);
  CAF_CHECK_EQUAL(engine->unflushed(), 0u);
}

CAF_TEST(what was not on disk at a crash is gone and what was is there) {
  put("kept", "v");
  flush_all();
  put("lost", "v");
  crash();
  start();
  CAF_CHECK_EQUAL(read("kept"), "v");
  CAF_CHECK_EQUAL(read("lost"), "none");
}

CAF_TEST(sequences go on after a restart) {
  put("k");
  auto before = flusher.wishes.back().sequence;
  restart_cleanly();
  put("k");
  CAF_REQUIRE(!flusher.wishes.empty());
  CAF_CHECK(flusher.wishes.back().sequence > before);
}

CAF_TEST(a drained shard has answered all and refuses more) {
  const auto& answers = put("k");
  CAF_CHECK_EQUAL(answers.size(), 1u);
  CAF_CHECK(drain());
  CAF_REQUIRE_EQUAL(answers.size(), 2u);
  CAF_CHECK(answers[1].kind == answer_kind::durable);
  put("k");
  CAF_CHECK(refused(errc::shutting_down));
  ask({operation(replica_verb::read, "k")});
  CAF_CHECK(refused(errc::shutting_down));
}

CAF_TEST(a drain applies what was queued before it) {
  queue_as(asker.handle, shard,
           replica_ops{asker.handle, {operation(replica_verb::put, "k", "v")}});
  restart_cleanly();
  CAF_CHECK_EQUAL(read("k"), "v");
}

CAF_TEST(a drain that the disk refuses is not clean) {
  auto before = incarnation();
  put("k");
  engine->fail_commits(1);
  CAF_CHECK(!drain());
  crash();
  start();
  CAF_CHECK_NOT_EQUAL(incarnation(), before);
}

CAF_TEST(a drain asked again after a failure says clean only if it is) {
  auto before = incarnation();
  put("k");
  engine->fail_commits(1);
  CAF_CHECK(!drain());
  auto clean = drain();
  crash();
  start();
  CAF_CHECK_EQUAL(clean, incarnation() == before);
}

CAF_TEST(a new shard needs no disk to know that a key is absent) {
  tick();
  CAF_CHECK(filter_works());
}

CAF_TEST(the filter survives a clean stop) {
  put("k", "v");
  flush_all();
  tick();
  restart_cleanly();
  CAF_CHECK(filter_works());
  CAF_CHECK_EQUAL(read("k"), "v");
}

CAF_TEST(after a crash the filter is rebuilt tick by tick) {
  for (auto i = 0; i < 5; ++i)
    put("key " + std::to_string(i), "v");
  flush_all();
  crash();
  config.filter_rows_per_tick = 2;
  start();
  CAF_CHECK(!filter_works());
  tick();
  // Written while it is rebuilt, on either side of where it has come to.
  put("a", "v");
  put("z", "v");
  tick();
  CAF_CHECK(!filter_works());
  for (auto i = 0; i < 4; ++i)
    tick();
  CAF_CHECK(filter_works());
  for (auto i = 0; i < 5; ++i)
    CAF_CHECK_EQUAL(read("key " + std::to_string(i)), "v");
  CAF_CHECK_EQUAL(read("a"), "v");
  CAF_CHECK_EQUAL(read("z"), "v");
}

CAF_TEST(a filter saved before an unclean run is not used again) {
  tick();
  restart_cleanly();
  put("k", "v");
  flush_all();
  crash();
  start();
  CAF_CHECK_EQUAL(read("k"), "v");
  CAF_CHECK(!filter_works());
}

CAF_TEST(a filter found beside a missing clean mark is not trusted) {
  tick();
  CAF_REQUIRE(drain());
  crash();
  // A crash between the two steps of a start leaves the filter behind.
  auto saved = disk->durable[storage::system_table][storage::filter_row(0, 0)];
  CAF_REQUIRE(!saved.empty());
  start();
  put("k", "v");
  flush_all();
  crash();
  disk->durable[storage::system_table][storage::filter_row(0, 0)] = saved;
  start();
  CAF_CHECK_EQUAL(read("k"), "v");
  CAF_CHECK(!filter_works());
}

CAF_TEST(a filter that was not complete is not saved) {
  for (auto i = 0; i < 5; ++i)
    put("key " + std::to_string(i), "v");
  flush_all();
  crash();
  config.filter_rows_per_tick = 2;
  start();
  tick();
  restart_cleanly();
  CAF_CHECK(!filter_works());
  for (auto i = 0; i < 5; ++i)
    CAF_CHECK_EQUAL(read("key " + std::to_string(i)), "v");
}

CAF_TEST_FIXTURE_SCOPE_END()
