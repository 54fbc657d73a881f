// Rows that the storage shard keeps for other actors.

#define CAF_SUITE actors.storage_shard_rows

#include "tests/actors/shard_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::shard_fixture {
  bool keep_rows(const std::string& value) {
    auto reply = self->request(shard, caf::infinite,
                               kept_rows{{{"vote", value}, {"epoch", "e"}}});
    sched.run();
    auto result = false;
    reply.receive(
      [&](bool saved) {
        result = saved;
      },
      [&](const caf::error& err) {
        CAF_FAIL(sys.render(err));
      });
    return result;
  }
  std::string row(const std::string& name) {
    auto reply
      = self->request(shard, caf::infinite, kept_rows_query{{"none", name}});
    sched.run();
    std::string result = "nothing";
    reply.receive(
      [&](const kept_rows& found) {
        CAF_REQUIRE(found.rows.size() <= 1u);
        for (const auto& [key, bytes] : found.rows) {
          CAF_CHECK_EQUAL(key, name);
          result = bytes;
        }
      },
      [&](const caf::error& err) {
        CAF_FAIL(sys.render(err));
      });
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_shard_rows_tests, fixture)

CAF_TEST(rows are on disk when they are acknowledged) {
  CAF_CHECK_EQUAL(row("vote"), "nothing");
  CAF_CHECK(keep_rows("one"));
  crash();
  start();
  CAF_CHECK_EQUAL(row("vote"), "one");
  CAF_CHECK(keep_rows("two"));
  crash();
  start();
  CAF_CHECK_EQUAL(row("vote"), "two");
  CAF_CHECK_EQUAL(row("epoch"), "e");
}

CAF_TEST(the flusher is told of them like of any commit) {
  CAF_CHECK(keep_rows("one"));
  CAF_REQUIRE_EQUAL(flusher.wishes.size(), 1u);
  put("key");
  CAF_REQUIRE_EQUAL(flusher.wishes.size(), 2u);
  CAF_CHECK(flusher.wishes[0].sequence < flusher.wishes[1].sequence);
}

CAF_TEST(a shard that has stopped keeps no more) {
  CAF_CHECK(drain());
  CAF_CHECK(!keep_rows("late"));
  crash();
  start();
  CAF_CHECK_EQUAL(row("vote"), "nothing");
}

CAF_TEST_FIXTURE_SCOPE_END()
