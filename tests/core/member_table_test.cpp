#define CAF_SUITE core.member_table

#include "core/watchers.hpp"
#include "tests/core/membership_fixture.hpp"

#include <caf/test/unit_test.hpp>

#include <map>

using namespace covey::core;
using covey::core::test::member_ids;

namespace {

constexpr uint64_t now_s = 1'700'000'000;

member_row row_of(const uuid& id, uint64_t run, uint64_t version) {
  member_row row;
  row.id = id;
  row.run = run;
  row.version = version;
  row.heartbeat = version;
  return row;
}

} // namespace

CAF_TEST(the later run or version of a row wins) {
  auto ids = member_ids(3);
  member_table table{ids, 0};
  using outcome = member_table::outcome;
  CAF_CHECK(table.merge(row_of(ids[1], 5, 2), 1, now_s) == outcome::new_run);
  CAF_CHECK(table.merge(row_of(ids[1], 5, 2), 1, now_s) == outcome::old);
  CAF_CHECK(table.merge(row_of(ids[1], 5, 3), 1, now_s) == outcome::newer);
  CAF_CHECK(table.merge(row_of(ids[1], 4, 9), 1, now_s) == outcome::old);
  CAF_CHECK(table.merge(row_of(ids[1], 6, 1), 1, now_s) == outcome::new_run);
  CAF_CHECK_EQUAL(table.row(1).run, 6u);
  CAF_CHECK(table.merge(row_of(ids[0], 6, 1), 1, now_s) == outcome::refused);
}

CAF_TEST(digests are answered with what is newer and asked for what is older) {
  auto ids = member_ids(4);
  member_table table{ids, 0};
  table.merge(row_of(ids[1], 5, 5), 1, now_s);
  table.merge(row_of(ids[2], 5, 5), 1, now_s);
  gossip_message in;
  in.digests = {{ids[1], 5, 4}, {ids[2], 5, 6}, {ids[3], 0, 0}};
  auto out = table.answer(in);
  CAF_REQUIRE_EQUAL(out.rows.size(), 1u);
  CAF_CHECK(out.rows[0].id == ids[1]);
  CAF_REQUIRE_EQUAL(out.digests.size(), 1u);
  CAF_CHECK(out.digests[0].id == ids[2]);
  CAF_CHECK_EQUAL(out.digests[0].version, 5u);
}

CAF_TEST(a table of a thousand members travels in bounded messages) {
  auto ids = member_ids(1000);
  member_table full{ids, 0, 17};
  member_table empty{ids, 999};
  for (size_t i = 1; i < 1000; ++i)
    full.merge(row_of(ids[i], 5, 5), 1, now_s);
  size_t messages = 0;
  auto give = [&](const gossip_message& in) {
    CAF_CHECK(in.rows.size() <= max_gossip_rows);
    CAF_CHECK(in.digests.size() <= max_gossip_digests);
    ++messages;
  };
  for (int i = 0; i < 5; ++i) {
    auto offer = full.offer();
    give(offer);
    for (const auto& row : offer.rows)
      empty.merge(row, 1, now_s);
    auto wants = empty.answer(offer);
    give(wants);
    auto rows = full.answer(wants);
    give(rows);
    for (const auto& row : rows.rows)
      empty.merge(row, 1, now_s);
  }
  for (member_index i = 1; i < 999; ++i)
    CAF_CHECK_EQUAL(empty.row(i).run, 5u);
  CAF_CHECK_EQUAL(messages, 15u);
}

CAF_TEST(news go with offers unasked and not for ever) {
  auto ids = member_ids(1000);
  member_table table{ids, 0};
  auto row = row_of(ids[5], 5, 1);
  table.merge(row, 1, now_s);
  auto carries = [&] {
    for (const auto& x : table.offer().rows)
      if (x.id == ids[5])
        return true;
    return false;
  };
  CAF_CHECK(carries());
  int offers = 1;
  while (carries())
    ++offers;
  CAF_CHECK(offers >= 10 && offers <= 30);
  row.version = 2;
  table.merge(row, 1, now_s);
  CAF_CHECK(!carries());
  row.version = 3;
  row.accuses.push_back({ids[6], 5, 1});
  table.merge(row, 1, now_s);
  CAF_CHECK(carries());
}

CAF_TEST(each member is watched by six others or by all) {
  for (size_t n : {1, 2, 3, 6, 7, 8, 20, 1000}) {
    watch_circle circle{member_ids(n)};
    const auto expected = std::min<size_t>(6, n - 1);
    std::map<member_index, size_t> watchers;
    for (size_t i = 0; i < n; ++i) {
      auto me = static_cast<member_index>(i);
      auto list = circle.watched_by(me);
      CAF_CHECK_EQUAL(list.size(), expected);
      for (auto m : list) {
        CAF_CHECK(m != me);
        CAF_CHECK(circle.watches(me, m));
        ++watchers[m];
      }
    }
    for (size_t i = 0; i < n && n > 1; ++i)
      CAF_CHECK_EQUAL(watchers[static_cast<member_index>(i)], expected);
  }
}

CAF_TEST(who watches whom does not depend on the order of the members) {
  auto ids = member_ids(20);
  watch_circle circle{ids};
  auto turned = ids;
  std::reverse(turned.begin(), turned.end());
  watch_circle other{turned};
  for (member_index w = 0; w < 20; ++w)
    for (member_index m = 0; m < 20; ++m)
      CAF_CHECK_EQUAL(circle.watches(w, m),
                      other.watches(static_cast<member_index>(19 - w),
                                    static_cast<member_index>(19 - m)));
}
