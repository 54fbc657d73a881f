// The coordinator's scans.

#define CAF_SUITE actors.coordinator_scan

#include "core/scan_page.hpp"
#include "tests/actors/coordinator_fixture.hpp"

using namespace covey;
using level = core::consistency_level;

namespace {

using rows = std::vector<std::pair<std::string, std::string>>;
using values = std::vector<std::string>;

struct fixture : test::coordinator_fixture {
  client_op scan(uint16_t first, const std::string& ks = "default",
                 level at_level = level::quorum) {
    auto op = at(request(client_verb::scan, {}, {}, ks), at_level);
    op.slot = first;
    op.max_bytes = 1000;
    return op;
  }
  static std::string page(uint32_t next_slot, const std::string& after,
                          const rows& content) {
    std::string bytes;
    for (const auto& [key, record] : content)
      core::append_row(bytes, key, record);
    return core::encode_page(next_slot, after, bytes);
  }
  /// The members asked, and what for.
  std::vector<core::member_index> asked_members() const {
    std::vector<core::member_index> result;
    for (core::member_index m = 0; m < 3; ++m)
      if (asked(m) > 0)
        result.push_back(m);
    return result;
  }
  const uint16_t slot = core::slot_of("k", false);
  const std::string x = record_of({{7, 1}});
  const std::string y = record_of({{8, 1}});
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(coordinator_scan_tests, fixture)

CAF_TEST(ONE asks this node and answers its page) {
  submit(scan(slot, "default", level::one));
  CAF_CHECK_EQUAL(asked(), 1u);
  auto op = take(0);
  CAF_CHECK(op.verb == replica_verb::scan);
  CAF_CHECK_EQUAL(op.slot, slot);
  CAF_CHECK_EQUAL(op.last_slot, 16383u);
  CAF_CHECK_EQUAL(op.max_bytes, 1000u);
  auto next = slot + 1u;
  reply(0, op, answer_kind::page, page(next, "", {{"k", x}}));
  CAF_REQUIRE(answered(errc::none));
  const auto& a = client.answers[0];
  CAF_REQUIRE_EQUAL(a.entries.size(), 1u);
  CAF_CHECK_EQUAL(a.entries[0].key, "k");
  CAF_CHECK_EQUAL(a.entries[0].values, values{"v7"});
  CAF_CHECK_EQUAL(a.next_slot, next);
  CAF_CHECK_EQUAL(a.next_after_key, "");
}

CAF_TEST(a quorum merges the pages of as many homes) {
  submit(scan(slot));
  auto members = asked_members();
  CAF_REQUIRE_EQUAL(members.size(), 2u);
  auto first = take(members[0]);
  auto second = take(members[1]);
  reply(members[0], first, answer_kind::page, page(16384, "", {{"k", x}}));
  CAF_CHECK(client.answers.empty());
  reply(members[1], second, answer_kind::page, page(16384, "", {{"k", y}}));
  CAF_REQUIRE(answered(errc::none));
  const auto& a = client.answers[0];
  CAF_REQUIRE_EQUAL(a.entries.size(), 1u);
  CAF_CHECK_EQUAL(a.entries[0].values, (values{"v7", "v8"}));
  CAF_CHECK_EQUAL(a.next_slot, 16384u);
}

CAF_TEST(deleted keys are not shown) {
  submit(scan(slot, "default", level::one));
  reply(0, take(0), answer_kind::page,
        page(16384, "", {{"k", record_of({{7, 1}}, true)}}));
  CAF_REQUIRE(answered(errc::none));
  CAF_CHECK(client.answers[0].entries.empty());
}

CAF_TEST(a scan ends where the homes change) {
  auto list = [&](uint32_t s) {
    return keyspace("pair").at(static_cast<uint16_t>(s));
  };
  submit(scan(0, "pair"));
  auto members = asked_members();
  CAF_REQUIRE_EQUAL(members.size(), 2u);
  auto op = take(members[0]);
  CAF_CHECK_EQUAL(take(members[1]).last_slot, op.last_slot);
  for (uint32_t s = 0; s <= op.last_slot; ++s)
    for (auto m : members)
      CAF_REQUIRE(list(s).is_home(m));
  CAF_REQUIRE(op.last_slot < 16383);
  auto beyond = list(op.last_slot + 1u);
  CAF_CHECK(!(beyond.is_home(members[0]) && beyond.is_home(members[1])));
}

CAF_TEST(a scan ends at the slot that the client names) {
  auto op = scan(0);
  op.last_slot = 7;
  op.value = "prefix";
  submit(op);
  auto members = asked_members();
  CAF_REQUIRE(!members.empty());
  auto asked = take(members[0]);
  CAF_CHECK_EQUAL(asked.last_slot, 7u);
  CAF_CHECK_EQUAL(asked.bytes, "prefix");
}

CAF_TEST(a home that fails or answers no page is replaced by another) {
  submit(scan(slot));
  auto members = asked_members();
  CAF_REQUIRE_EQUAL(members.size(), 2u);
  auto first = take(members[0]);
  auto second = take(members[1]);
  auto third = static_cast<core::member_index>(3 - members[0] - members[1]);
  refuse(members[0], first, errc::storage_failed);
  reply(third, take(third), answer_kind::page, page(16384, "", {}));
  reply(members[1], second, answer_kind::page, page(16384, "", {}));
  CAF_CHECK(answered(errc::none));
  client.answers.clear();
  submit(scan(slot));
  reply(members[0], take(members[0]), answer_kind::page, "");
  CAF_CHECK_EQUAL(asked(third), 1u);
}

CAF_TEST(with too few homes left a scan fails once) {
  submit(scan(slot));
  auto members = asked_members();
  CAF_REQUIRE_EQUAL(members.size(), 2u);
  auto first = take(members[0]);
  auto second = take(members[1]);
  refuse(members[0], first, errc::storage_failed);
  CAF_CHECK(client.answers.empty());
  refuse(members[1], second, errc::storage_failed);
  CAF_REQUIRE_EQUAL(client.answers.size(), 1u);
  CAF_CHECK(is_retryable(client.answers[0].code));
}

CAF_TEST(a scan of slots whose homes are down is unavailable at once) {
  down(1);
  down(2);
  submit(scan(slot));
  CAF_CHECK(answered(errc::unavailable));
  CAF_CHECK_EQUAL(asked(), 0u);
}

CAF_TEST(a level beyond the homes is unknown) {
  submit(scan(slot, "pair", level::three));
  CAF_CHECK(answered(errc::unknown_level));
}

CAF_TEST(at its deadline a scan has timed out) {
  submit(scan(slot));
  tick_after_ms(1000);
  CAF_REQUIRE(answered(errc::timed_out));
  CAF_CHECK(!client.answers[0].maybe_written);
}

CAF_TEST_FIXTURE_SCOPE_END()
