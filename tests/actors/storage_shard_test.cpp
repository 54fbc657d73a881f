// The storage shard's writes and reads: what is answered, and when.

#define CAF_SUITE actors.storage_shard

#include "tests/actors/shard_fixture.hpp"

using namespace covey;

CAF_TEST_FIXTURE_SCOPE(storage_shard_tests, test::shard_fixture)

CAF_TEST(a put is answered committed at once and durable after the flush) {
  const auto& answers = put("k", "v");
  CAF_REQUIRE_EQUAL(answers.size(), 1u);
  CAF_CHECK(answers[0].kind == answer_kind::committed);
  CAF_CHECK_EQUAL(answers[0].dot.inc, incarnation());
  CAF_CHECK_EQUAL(answers[0].dot.counter, 1u);
  CAF_CHECK_EQUAL(answers[0].stamp, now_us);
  auto r = core::decode_record(answers[0].bytes);
  CAF_REQUIRE(r);
  CAF_REQUIRE_EQUAL(r->siblings.size(), 1u);
  CAF_CHECK_EQUAL(r->siblings[0].value, "v");
  CAF_REQUIRE_EQUAL(flusher.wishes.size(), 1u);
  CAF_CHECK_EQUAL(flusher.wishes[0].shard, 0u);
  flush_all();
  CAF_REQUIRE_EQUAL(answers.size(), 2u);
  CAF_CHECK(answers[1].kind == answer_kind::durable);
  CAF_CHECK_EQUAL(answers[1].id, answers[0].id);
}

CAF_TEST(answers name the member and go to whoever asked) {
  auto& other = play_asker();
  queue_as(other.handle, shard,
           replica_ops{other.handle, {operation(replica_verb::put, "a", "v")}});
  put("b");
  CAF_CHECK_EQUAL(other.answers.size(), 1u);
  CAF_CHECK_EQUAL(asker.answers.size(), 1u);
  CAF_REQUIRE_EQUAL(asker.froms.size(), 1u);
  CAF_CHECK_EQUAL(asker.froms[0], node->self);
}

CAF_TEST(what waits together is one transaction and one flush) {
  for (auto i = 0; i < 5; ++i)
    queue_as(
      asker.handle, shard,
      replica_ops{asker.handle,
                  {operation(replica_verb::put, "k" + std::to_string(i))}});
  sched.run();
  CAF_CHECK_EQUAL(asker.answers.size(), 5u);
  CAF_CHECK_EQUAL(engine->unflushed(), 1u);
  CAF_CHECK_EQUAL(flusher.wishes.size(), 1u);
}

CAF_TEST(a flush up to an earlier commit does not cover a later one) {
  put("k");
  put("k");
  CAF_REQUIRE_EQUAL(flusher.wishes.size(), 2u);
  flush(flusher, 0);
  CAF_CHECK_EQUAL(asker.answers.size(), 2u);
  CAF_CHECK(asker.answers[1].kind == answer_kind::durable);
  CAF_CHECK_NOT_EQUAL(asker.answers[1].id, asker.answers[0].id);
  flush(flusher, 1);
  CAF_REQUIRE_EQUAL(asker.answers.size(), 3u);
  CAF_CHECK_EQUAL(asker.answers[2].id, asker.answers[0].id);
}

CAF_TEST(the node knows since when something is not on disk) {
  const auto& since = node->unflushed_since_us[0];
  CAF_CHECK_EQUAL(since.load(), 0u);
  auto first = now_us;
  put("a");
  pass_ms(10);
  auto second = now_us;
  put("b");
  CAF_CHECK_EQUAL(since.load(), first);
  pass_ms(10);
  flush(flusher, 0);
  CAF_CHECK_EQUAL(since.load(), second);
  flush(flusher, 1);
  CAF_CHECK_EQUAL(since.load(), 0u);
}

CAF_TEST(a plain read sees what is not on disk yet) {
  put("k", "v");
  CAF_CHECK_EQUAL(read("k"), "v");
  CAF_CHECK_EQUAL(read("other"), "none");
}

CAF_TEST(a read of what is on disk waits for the flush of that key) {
  put("k", "v");
  auto op = operation(replica_verb::read, "k");
  op.flushed = true;
  ask({op});
  CAF_CHECK(asker.answers.empty());
  flush_all();
  // The put's own answer, then the read's.
  CAF_REQUIRE_EQUAL(asker.answers.size(), 2u);
  CAF_CHECK_EQUAL(asker.answers[1].id, op.id);
  CAF_CHECK(asker.answers[1].kind == answer_kind::record);
  CAF_CHECK(!asker.answers[1].bytes.empty());
}

CAF_TEST(a read of what is on disk waits for the last write of the key) {
  put("k", "v1");
  put("k", "v2");
  auto op = operation(replica_verb::read, "k");
  op.flushed = true;
  ask({op});
  flush(flusher, 0);
  // One that comes after the first flush waits likewise.
  auto later = operation(replica_verb::read, "k");
  later.flushed = true;
  tell(shard, replica_ops{asker.handle, {later}});
  for (const auto& a : asker.answers)
    CAF_CHECK(a.kind != answer_kind::record);
  flush(flusher, 1);
  CAF_REQUIRE(asker.answers.size() > 2);
  CAF_CHECK_EQUAL(asker.answers.rbegin()[1].id, op.id);
  CAF_CHECK_EQUAL(asker.answers.rbegin()[0].id, later.id);
}

CAF_TEST(a read of what is on disk is not held up by other keys) {
  put("k");
  flush_all();
  put("other");
  auto op = operation(replica_verb::read, "k");
  op.flushed = true;
  auto absent = operation(replica_verb::read, "absent");
  absent.flushed = true;
  ask({op, absent});
  CAF_CHECK_EQUAL(asker.answers.size(), 2u);
}

CAF_TEST(reads of a batch see its writes) {
  ask({operation(replica_verb::read, "k"),
       operation(replica_verb::put, "k", "v")});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 2u);
  for (const auto& a : asker.answers)
    CAF_CHECK(!a.bytes.empty());
}

CAF_TEST(a failed commit refuses every write and sends nothing else) {
  engine->fail_commits(1);
  ask({operation(replica_verb::put, "a"), operation(replica_verb::put, "b"),
       operation(replica_verb::write, "c", foreign({77, 1}))});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 3u);
  for (const auto& a : asker.answers) {
    CAF_CHECK(a.kind == answer_kind::failed);
    CAF_CHECK(a.code == errc::storage_failed);
    CAF_CHECK(a.bytes.empty());
  }
  CAF_CHECK(flusher.wishes.empty());
  CAF_CHECK_EQUAL(read("a"), "none");
  CAF_CHECK_EQUAL(read("c"), "none");
}

CAF_TEST(a dot of a failed commit is never given again) {
  auto before = dot_of_put("k");
  engine->fail_commits(1);
  ask({operation(replica_verb::put, "a"), operation(replica_verb::put, "b")});
  auto after = dot_of_put("k");
  CAF_CHECK_EQUAL(after.inc, before.inc);
  CAF_CHECK(after.counter > before.counter + 2);
}

CAF_TEST(a retry with the same request id gets the same dot) {
  auto op = operation(replica_verb::put, "k", "v");
  op.request = {1, 2};
  ask({op});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  auto first = asker.answers[0];
  // Before the flush: durable only after it.
  now_us += 1000;
  ask({op});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK(asker.answers[0].kind == answer_kind::committed);
  CAF_CHECK(asker.answers[0].dot == first.dot);
  CAF_CHECK_EQUAL(asker.answers[0].stamp, first.stamp);
  CAF_CHECK(asker.answers[0].bytes == first.bytes);
  flush_all();
  CAF_CHECK_EQUAL(asker.answers.size(), 3u);
  // After the flush: at once.
  ask({op});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 2u);
  CAF_CHECK(asker.answers[0].dot == first.dot);
  CAF_CHECK(asker.answers[1].kind == answer_kind::durable);
  CAF_CHECK_EQUAL(read("k"), "v");
}

CAF_TEST(a request that comes twice in one batch is executed once) {
  auto op = operation(replica_verb::put, "k", "v");
  op.request = {1, 2};
  auto twin = op;
  ++twin.id;
  ask({op, twin});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 2u);
  CAF_CHECK(asker.answers[0].dot == asker.answers[1].dot);
  CAF_CHECK_EQUAL(read("k"), "v");
}

CAF_TEST(an expired deadline is refused and gives no dot) {
  auto before = dot_of_put("k");
  auto op = operation(replica_verb::put, "k");
  op.deadline_us = now_us - 1;
  ask({op});
  CAF_CHECK(refused(errc::deadline_expired));
  op.deadline_us = now_us;
  ask({op});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK_EQUAL(asker.answers[0].dot.counter, before.counter + 1);
}

CAF_TEST(a put that its client gave up while the node was paused is refused) {
  queue_as(asker.handle, shard,
           replica_ops{asker.handle, {operation(replica_verb::put, "k")}});
  now_us += 2'000'000;
  sched.run();
  CAF_CHECK(refused(errc::deadline_expired));
  CAF_CHECK_EQUAL(read("k"), "none");
}

CAF_TEST(a full disk refuses writes while reads go on) {
  put("k", "v");
  flush_all();
  engine->set_disk_full(true);
  put("k", "w");
  CAF_CHECK(refused(errc::disk_full));
  // For another home.
  CAF_CHECK_EQUAL(asker.answers[0].bytes, "w");
  tell(shard, tick_atom::value);
  ask({operation(replica_verb::write, "k", foreign({77, 1}))});
  CAF_CHECK(refused(errc::disk_full));
  CAF_CHECK_EQUAL(read("k"), "v");
  engine->set_disk_full(false);
  for (auto i = 0; i < 16; ++i)
    tell(shard, tick_atom::value);
  CAF_CHECK_EQUAL(put("other").size(), 1u);
  CAF_CHECK(asker.answers[0].kind == answer_kind::committed);
}

CAF_TEST(as many siblings as allowed refuse one more until one is replaced) {
  crash();
  config.max_siblings = 2;
  start();
  auto first = dot_of_put("k");
  put("k");
  put("k");
  CAF_CHECK(refused(errc::too_many_siblings));
  auto op = operation(replica_verb::put, "k", "merged");
  op.seen.add(first);
  ask({op});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK(asker.answers[0].kind == answer_kind::committed);
}

CAF_TEST(under lww there are no siblings to be too many) {
  crash();
  config.max_siblings = 1;
  start();
  for (auto value : {"a", "b", "c"}) {
    ask({operation(replica_verb::put, "k", value, "lww")});
    CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
    CAF_CHECK(asker.answers[0].kind == answer_kind::committed);
  }
  auto r = core::decode_record(asker.answers[0].bytes);
  CAF_REQUIRE(r);
  CAF_REQUIRE_EQUAL(r->siblings.size(), 1u);
  CAF_CHECK_EQUAL(r->siblings[0].value, "c");
}

CAF_TEST(a put that comes late does not win over what was written meanwhile) {
  auto late = operation(replica_verb::put, "k", "old", "lww");
  late.asked_us = now_us;
  now_us += 300'000;
  auto meanwhile = operation(replica_verb::put, "k", "new", "lww");
  ask({meanwhile});
  CAF_REQUIRE(!asker.answers.empty());
  auto stamp = asker.answers[0].stamp;
  now_us += 300'000;
  // At a home that has met neither.
  late.slot = core::slot_of("other", false);
  late.key = "other";
  ask({late});
  CAF_REQUIRE(!asker.answers.empty());
  CAF_CHECK(asker.answers[0].stamp < stamp);
}

CAF_TEST(a stamp from the far future is refused and gives no dot) {
  auto before = dot_of_put("k");
  auto op = operation(replica_verb::put, "k", "v", "lww");
  op.floor_stamp = now_us + config.max_drift_us + 1;
  ask({op});
  CAF_CHECK(refused(errc::clock_skew));
  CAF_CHECK_EQUAL(dot_of_put("k").counter, before.counter + 1);
}

CAF_TEST(a record is merged and answered once it is on disk) {
  put("k", "ours");
  flush_all();
  ask({operation(replica_verb::write, "k", foreign({77, 1}, "theirs"))});
  CAF_CHECK(asker.answers.empty());
  flush_all();
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK(asker.answers[0].kind == answer_kind::durable);
  auto both = read("k");
  CAF_CHECK(both == "ours theirs" || both == "theirs ours");
}

CAF_TEST(a merge that changes nothing writes nothing) {
  auto op = operation(replica_verb::write, "k", foreign({77, 1}));
  ask({op});
  // Not on disk yet: the second one waits for the flush of the first.
  ask({op});
  CAF_CHECK(asker.answers.empty());
  CAF_CHECK_EQUAL(flusher.wishes.size(), 1u);
  flush_all();
  CAF_CHECK_EQUAL(asker.answers.size(), 2u);
  ask({op});
  CAF_CHECK_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK(flusher.wishes.empty());
}

CAF_TEST(a record that cannot be decoded is refused alone) {
  ask({operation(replica_verb::write, "a", "garbage"),
       operation(replica_verb::put, "b")});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 2u);
  for (const auto& a : asker.answers)
    if (a.kind == answer_kind::failed)
      CAF_CHECK(a.code == errc::bad_message);
  CAF_CHECK_EQUAL(read("b"), "");
}

CAF_TEST(the highest counters met of other shards are told) {
  ask({operation(replica_verb::write, "a", foreign({77, 5})),
       operation(replica_verb::write, "b", foreign({77, 3}))});
  auto reply = self->request(shard, caf::infinite, known_atom::value,
                             incarnation_list{{77, 78}});
  sched.run();
  reply.receive(
    [](const known_counters& known) {
      CAF_REQUIRE_EQUAL(known.dots.size(), 1u);
      CAF_CHECK((known.dots[0] == core::dot{77, 5}));
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
}

CAF_TEST_FIXTURE_SCOPE_END()
