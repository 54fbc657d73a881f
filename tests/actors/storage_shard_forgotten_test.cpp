// A shard that has forgotten what it wrote, as after an old copy of its disk,
// gives no dot that may exist already (traps.md 2).

#define CAF_SUITE actors.storage_shard_forgotten

#include "tests/actors/shard_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::shard_fixture {
  /// A record that others have of us, and we do not.
  replica_op proof() {
    return operation(replica_verb::write, "proof",
                     foreign({incarnation(), 1000}));
  }
  /// True if a put was given a dot of `inc`.
  bool gave_dot_of(core::incarnation inc) const {
    for (const auto& a : asker.answers)
      if (a.kind == answer_kind::committed && a.dot.inc == inc)
        return true;
    return false;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_shard_forgotten_tests, fixture)

CAF_TEST(a record that knows more of us starts a new incarnation) {
  auto before = incarnation();
  auto op = proof();
  ask({op});
  CAF_CHECK(refused(errc::storage_failed));
  CAF_CHECK_NOT_EQUAL(incarnation(), before);
  CAF_CHECK_EQUAL(dot_of_put("k").inc, incarnation());
  // Sent again it is merged like any other.
  ask({op});
  flush_all();
  CAF_CHECK(asker.answers.back().kind == answer_kind::durable);
  CAF_CHECK_EQUAL(read("proof"), "f");
}

CAF_TEST(the new incarnation survives a clean stop) {
  ask({proof()});
  auto after = incarnation();
  CAF_REQUIRE(drain());
  crash();
  start();
  CAF_CHECK_EQUAL(incarnation(), after);
}

CAF_TEST(what others know of us and we know too changes nothing) {
  auto before = incarnation();
  put("k");
  ask({operation(replica_verb::write, "k", foreign({before, 1}, "v"))});
  flush_all();
  CAF_CHECK_EQUAL(incarnation(), before);
}

CAF_TEST(no put beside the proof is given a dot of the old incarnation) {
  auto before = incarnation();
  ask({proof(), operation(replica_verb::put, "k")});
  CAF_CHECK(!gave_dot_of(before));
}

CAF_TEST(a put that waits behind the proof is not coordinated under the old) {
  auto before = incarnation();
  queue_as(asker.handle, shard, replica_ops{asker.handle, {proof()}});
  queue_as(asker.handle, shard,
           replica_ops{asker.handle, {operation(replica_verb::put, "k")}});
  sched.run();
  CAF_CHECK(!gave_dot_of(before));
}

CAF_TEST(a peer that has seen more of us starts a new incarnation) {
  auto before = incarnation();
  tell(shard, known_atom::value, known_counters{{{before, 1}}});
  CAF_CHECK_NOT_EQUAL(incarnation(), before);
}

CAF_TEST(a peer that has seen no more than we know changes nothing) {
  put("k");
  auto before = incarnation();
  tell(shard, known_atom::value, known_counters{{{before, 1}, {77, 9}}});
  CAF_CHECK_EQUAL(incarnation(), before);
}

CAF_TEST(a put that waits behind what a peer has seen gets a new dot) {
  auto before = incarnation();
  queue_as(asker.handle, shard, known_atom::value,
           known_counters{{{before, 1000}}});
  queue_as(asker.handle, shard,
           replica_ops{asker.handle, {operation(replica_verb::put, "k")}});
  sched.run();
  CAF_CHECK(!gave_dot_of(before));
}

CAF_TEST(a put that waits behind a renewal gets a new dot) {
  auto before = incarnation();
  queue_as(asker.handle, shard, renew_atom::value);
  queue_as(asker.handle, shard,
           replica_ops{asker.handle, {operation(replica_verb::put, "k")}});
  sched.run();
  CAF_CHECK(!gave_dot_of(before));
  CAF_CHECK_EQUAL(asker.answers.size(), 1u);
}

CAF_TEST(the context of a client that has seen more of us ends nothing) {
  auto before = incarnation();
  auto op = operation(replica_verb::put, "k");
  op.seen.advance({before, 1000});
  ask({op});
  CAF_CHECK(!gave_dot_of(before));
}

CAF_TEST_FIXTURE_SCOPE_END()
