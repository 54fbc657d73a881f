#define CAF_SUITE simulation.witness

#include "storage/memory_engine.hpp"
#include "tests/simulation/layout.hpp"
#include "tests/simulation/witness.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey;
using namespace covey::simulation;

namespace {

constexpr core::incarnation mine = 1;
constexpr core::incarnation other = 2;

struct fixture {
  history log{{{{true}}, 0}};
  witness guard{log};

  static core::record holding(core::dot id, std::string_view value,
                              core::request_id request = {}) {
    core::record r;
    r.seen.advance(id);
    core::sibling s;
    s.id = id;
    s.value = value;
    s.request = request;
    r.siblings.push_back(s);
    return r;
  }
  bool found(const std::string& what) const {
    const auto& lines = guard.violations();
    return lines.size() == 1 && lines.begin()->find(what) != std::string::npos;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(witness_tests, fixture)

CAF_TEST(a replacement that has seen the value is sound) {
  auto before = holding({mine, 1}, "a");
  auto after = holding({mine, 2}, "b");
  guard.stored(10, mine, "k", {}, before);
  guard.stored(20, mine, "k", before, after);
  CAF_CHECK(guard.violations().empty());
}

CAF_TEST(a value dropped by a record that has not seen it is lost) {
  guard.stored(20, mine, "k", holding({other, 1}, "a"),
               holding({mine, 1}, "b"));
  CAF_CHECK(found("loses a"));
}

CAF_TEST(a dot given twice is found on whatever nodes it lies) {
  guard.stored(10, mine, "k", {}, holding({mine, 1}, "a"));
  guard.stored(20, other, "k", {}, holding({mine, 1}, "b"));
  CAF_CHECK(found("gives the dot of a to b"));
}

CAF_TEST(a dot given after the deadline is found and one merged is not ) {
  put_event put;
  put.key = "k";
  put.value = "a";
  put.deadline_us = 1000;
  log.add(put);
  guard.set_slack(100);
  guard.stored(1100, mine, "k", {}, holding({mine, 1}, "a"));
  guard.stored(9000, mine, "k", {}, holding({other, 1}, "a"));
  CAF_CHECK(guard.violations().empty());
  guard.stored(1101, mine, "k", {}, holding({mine, 2}, "a"));
  CAF_CHECK(found("whose deadline"));
}

CAF_TEST(a second dot for a request that is remembered is found) {
  core::request_id request{7, 8};
  auto before = holding({other, 1}, "a", request);
  before.executed.push_back({request, {other, 1}, 5, false});
  auto after = before;
  core::sibling s;
  s.id = {mine, 1};
  s.value = "a";
  s.request = request;
  after.siblings.push_back(s);
  after.seen.advance(s.id);
  guard.stored(20, mine, "k", before, after);
  CAF_CHECK(found("second dot"));
}

CAF_TEST(a record is removed only when nothing in it lives) {
  auto gone = holding({mine, 1}, "");
  gone.siblings.front().tombstone = true;
  guard.stored(10, mine, "k", gone, {});
  CAF_CHECK(guard.violations().empty());
  guard.stored(20, mine, "k", holding({mine, 2}, "a"), {});
  CAF_CHECK(found("loses a"));
}

CAF_TEST(a value that expires keeps its dot and a delete may not take it) {
  auto value = holding({mine, 1}, "a", {7, 8});
  guard.stored(10, mine, "k", {}, value);
  auto expired = value;
  expired.siblings.front().tombstone = true;
  guard.stored(20, mine, "k", value, expired);
  CAF_CHECK(guard.violations().empty());
  auto removal = holding({mine, 1}, "", {7, 9});
  removal.siblings.front().tombstone = true;
  guard.stored(30, other, "k", {}, removal);
  CAF_CHECK(found("gives the dot of a to a delete"));
}

CAF_TEST(a put has been repeated once its value was stored under two dots) {
  guard.stored(10, mine, "k", {}, holding({mine, 1}, "a"));
  guard.stored(20, other, "k", {}, holding({mine, 1}, "a"));
  CAF_CHECK(!guard.repeated("a"));
  guard.stored(30, other, "k", {}, holding({other, 1}, "a"));
  CAF_CHECK(guard.repeated("a"));
  CAF_CHECK(!guard.repeated("never stored"));
  CAF_CHECK(guard.violations().empty());
}

CAF_TEST(an observed engine shows what was there and what comes) {
  auto disk = std::make_shared<storage::memory_disk>();
  storage::memory_engine inner{disk};
  std::string seen;
  observed_engine engine{
    inner, [&](auto table, auto key, auto before, auto after) {
      seen += std::to_string(table) + std::string{key} + "="
              + std::string{before} + ">" + std::string{after} + ";";
    }};
  auto s = engine.open_session();
  for (const auto* value : {"x", "y"}) {
    s->begin();
    s->put(0, "k", value);
    s->put(storage::system_table, "hidden", value);
    CAF_CHECK(s->commit() == storage::status::ok);
  }
  s->begin();
  s->put(0, "k", "z");
  s->put(0, "k", "a");
  s->rollback();
  s->begin();
  s->put(0, "k", "b");
  s->remove(0, "k");
  s->put(0, "k", "c");
  CAF_CHECK_EQUAL(seen, "0k=>x;0k=x>y;0k=y>z;0k=z>a;0k=y>b;0k=b>;0k=>c;");
}

CAF_TEST(an observer neither meets nor uses up the faults of an engine) {
  storage::memory_engine inner{std::make_shared<storage::memory_disk>()};
  std::string seen;
  observed_engine engine{inner, [&](auto, auto key, auto before, auto after) {
                           seen += std::string{key} + "=" + std::string{before}
                                   + ">" + std::string{after} + ";";
                         }};
  auto s = engine.open_session();
  for (const auto* key : {"k", "k0"}) {
    s->begin();
    s->put(0, key, "x");
    CAF_CHECK(s->commit() == storage::status::ok);
  }
  inner.fail_reads(1);
  s->begin();
  s->put(0, "k", "y");
  s->put(0, "j", "y");
  CAF_CHECK(s->commit() == storage::status::ok);
  CAF_CHECK_EQUAL(seen, "k=>x;k0=>x;k=x>y;j=>y;");
  std::string_view value;
  CAF_CHECK(s->get(0, "k", value) == storage::status::failed);
  CAF_CHECK(s->get(0, "k", value) == storage::status::ok);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(levels overlap as their arithmetic says) {
  auto one_dc = make_layout(3, false, false);
  auto meets = [](const layout& x, size_t a, size_t b) {
    return x.overlaps[a][b];
  };
  constexpr size_t quorum = 0;
  constexpr size_t all = 1;
  constexpr size_t one = 2;
  CAF_CHECK(meets(one_dc, quorum, quorum));
  CAF_CHECK(meets(one_dc, all, one));
  CAF_CHECK(!meets(one_dc, quorum, one));
  auto two_dc = make_layout(5, false, true);
  auto east
    = two_dc.access_of({core::consistency_level::local_quorum, 0}, "east");
  auto west
    = two_dc.access_of({core::consistency_level::local_quorum, 0}, "west");
  auto each = two_dc.access_of({core::consistency_level::each_quorum, 0}, "");
  CAF_CHECK(meets(two_dc, east, east));
  CAF_CHECK(!meets(two_dc, east, west));
  CAF_CHECK(meets(two_dc, each, west));
  CAF_CHECK(!meets(two_dc, quorum, west));
}
