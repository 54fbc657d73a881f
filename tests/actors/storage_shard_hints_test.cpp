// The storage shard's hints: what is kept, merged, handed out and forgotten.

#define CAF_SUITE actors.storage_shard_hints

#include "tests/actors/shard_fixture.hpp"

#include <set>

using namespace covey;

namespace {

struct fixture : test::shard_fixture {
  const core::uuid& target(core::member_index m = 1) const {
    return view->at(m).id;
  }
  replica_op hint(const std::string& key, const std::string& record) {
    auto op = operation(replica_verb::hint, key, record);
    op.hint_for = target();
    return op;
  }
  hint_page page(const std::string& after = {}, uint32_t max_bytes = 1 << 20) {
    hint_page result;
    auto reply = self->request(shard, caf::infinite,
                               hint_query{target(), after, max_bytes});
    sched.run();
    reply.receive(
      [&](hint_page& found) {
        result = std::move(found);
      },
      [&](const caf::error& err) {
        CAF_FAIL(sys.render(err));
      });
    return result;
  }
  std::vector<repair_mark> marks() {
    std::vector<repair_mark> result;
    auto reply = self->request(shard, caf::infinite, repair_mark_query{});
    sched.run();
    reply.receive(
      [&](const repair_mark_list& found) {
        result = found.marks;
      },
      [&](const caf::error& err) {
        CAF_FAIL(sys.render(err));
      });
    return result;
  }
  uint64_t rows() const {
    return node->hints[1].rows;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_shard_hints_tests, fixture)

CAF_TEST(a hint is acknowledged after its flush and survives a crash) {
  ask({hint("k", foreign({7, 1}))});
  CAF_CHECK(asker.answers.empty());
  flush_all();
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK(asker.answers[0].kind == answer_kind::durable);
  CAF_CHECK_EQUAL(rows(), 1u);
  crash();
  node->hints[1].rows = 0;
  start();
  CAF_CHECK_EQUAL(rows(), 1u);
  CAF_REQUIRE_EQUAL(page().rows.size(), 1u);
}

CAF_TEST(hints of one key are merged and are no record of this node) {
  ask({hint("k", foreign({7, 1}, "a"))});
  ask({hint("k", foreign({8, 1}, "b"))});
  auto found = page();
  CAF_REQUIRE_EQUAL(found.rows.size(), 1u);
  auto r = core::decode_record(found.rows[0].record);
  CAF_REQUIRE(r);
  CAF_CHECK_EQUAL(r->siblings.size(), 2u);
  CAF_CHECK_EQUAL(read("k"), "none");
}

CAF_TEST(a home keeps its own record with a put that others cannot take) {
  auto op = operation(replica_verb::put, "k", "v");
  op.absent = {target()};
  ask({op});
  auto found = page();
  CAF_REQUIRE_EQUAL(found.rows.size(), 1u);
  auto r = core::decode_record(found.rows[0].record);
  CAF_REQUIRE(r && r->siblings.size() == 1);
  CAF_CHECK_EQUAL(r->siblings[0].value, "v");
}

CAF_TEST(a home that cannot read its record goes on owing it) {
  auto op = operation(replica_verb::put, "k", "v");
  op.absent = {target()};
  ask({op});
  engine->fail_reads(1);
  CAF_CHECK(page().rows.empty());
  CAF_CHECK_EQUAL(rows(), 1u);
  CAF_CHECK_EQUAL(page().rows.size(), 1u);
}

CAF_TEST(pages of the records of a home are bounded and complete) {
  constexpr size_t n = 10;
  for (size_t i = 0; i < n; ++i) {
    auto op = operation(replica_verb::put, "k" + std::to_string(i),
                        std::string(1000, 'v'));
    op.absent = {target()};
    ask({op});
  }
  std::set<std::string> keys;
  std::string after;
  do {
    auto found = page(after, 2500);
    CAF_REQUIRE(!found.rows.empty());
    CAF_CHECK(found.rows.size() <= 3);
    for (const auto& row : found.rows)
      keys.insert(row.key);
    after = found.next;
  } while (!after.empty());
  CAF_CHECK_EQUAL(keys.size(), n);
}

CAF_TEST(only a hint that has not changed is forgotten) {
  ask({hint("k", foreign({7, 1}))});
  auto before = page().rows.at(0);
  ask({hint("k", foreign({8, 1}))});
  tell(shard, hint_removal{target(), {{before.row, before.version}}});
  CAF_CHECK_EQUAL(rows(), 1u);
  auto after = page().rows.at(0);
  tell(shard, hint_removal{target(), {{after.row, after.version}}});
  CAF_CHECK_EQUAL(rows(), 0u);
  CAF_CHECK(page().rows.empty());
}

CAF_TEST(a parking incarnation ends when something was handed over) {
  auto parked = [this] {
    auto op = operation(replica_verb::put, "k", "v");
    op.parked = true;
    op.absent = {target(1), target(2)};
    ask({op});
    CAF_REQUIRE(!asker.answers.empty());
    CAF_REQUIRE(asker.answers[0].kind == answer_kind::committed);
    return asker.answers[0].dot;
  };
  auto first = parked();
  auto second = parked();
  CAF_CHECK_NOT_EQUAL(first.inc, incarnation());
  CAF_CHECK_EQUAL(first.inc, second.inc);
  auto row = page().rows.at(0);
  tell(shard, hint_removal{target(), {{row.row, row.version}}});
  CAF_CHECK_NOT_EQUAL(parked().inc, first.inc);
}

CAF_TEST(beyond the limit a record is refused and a marker marks the slot) {
  crash();
  config.hint_bytes = 1;
  start();
  ask({hint("k", foreign({7, 1}))});
  CAF_CHECK(refused(errc::overloaded));
  ask({hint("k", {})});
  CAF_CHECK_EQUAL(rows(), 0u);
  CAF_CHECK_EQUAL(node->repair_marks.load(), 1u);
}

CAF_TEST(a mark goes once it is older than what was found equal) {
  auto mark = operation(replica_verb::mark, "k");
  mark.hint_for = target();
  ask({mark});
  CAF_REQUIRE_EQUAL(node->repair_marks.load(), 1u);
  auto list = marks();
  CAF_REQUIRE_EQUAL(list.size(), 1u);
  CAF_CHECK(list[0].target == target());
  CAF_CHECK_EQUAL(list[0].slot, mark.slot);
  // A comparison that began when the mark was new may have missed something.
  tell(shard, repair_mark_removal{now_us, list});
  CAF_CHECK_EQUAL(marks().size(), 1u);
  pass_ms(1'500);
  auto began_us = now_us;
  pass_ms(1'500);
  // The slot is marked again meanwhile.
  mark.deadline_us = now_us + 1'000'000;
  ask({mark});
  tell(shard, repair_mark_removal{began_us, list});
  CAF_CHECK_EQUAL(marks().size(), 1u);
  tell(shard, repair_mark_removal{now_us + 1'000'000, list});
  CAF_CHECK(marks().empty());
  CAF_CHECK_EQUAL(node->repair_marks.load(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
