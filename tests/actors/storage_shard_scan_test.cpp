// Pages of a storage shard: each begins where the one before ended.

#define CAF_SUITE actors.storage_shard_scan

#include "core/scan_page.hpp"
#include "tests/actors/shard_fixture.hpp"

#include <algorithm>
#include <set>

using namespace covey;

namespace {

using keys = std::vector<std::string>;

struct fixture : test::shard_fixture {
  core::scan_page page(const std::string& ks, uint16_t slot,
                       const std::string& after, uint16_t last,
                       uint32_t max_bytes) {
    auto op = operation(replica_verb::scan, after, prefix, ks);
    op.slot = slot;
    op.last_slot = last;
    op.max_bytes = max_bytes;
    ask({op});
    CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
    CAF_REQUIRE(asker.answers[0].kind == answer_kind::page);
    bytes = asker.answers[0].bytes;
    auto result = core::decode_page(bytes);
    CAF_REQUIRE(result);
    return *result;
  }
  /// All keys of the slots, page by page.
  keys scan(const std::string& ks, uint32_t max_bytes, uint16_t last = 16383) {
    keys result;
    uint32_t slot = 0;
    std::string after;
    pages = 0;
    while (slot <= last) {
      auto p = page(ks, static_cast<uint16_t>(slot), after, last, max_bytes);
      for (auto& row : p.rows)
        result.emplace_back(row.first);
      auto moved = p.next_slot > slot
                   || (p.next_slot == slot && p.next_after_key > after);
      CAF_REQUIRE(moved);
      slot = p.next_slot;
      after.assign(p.next_after_key);
      ++pages;
    }
    return result;
  }
  /// In the order of the store: by slot, then by key.
  static keys in_order(keys xs) {
    std::sort(xs.begin(), xs.end(), [](const auto& x, const auto& y) {
      return std::pair{core::slot_of(x, false), x}
             < std::pair{core::slot_of(y, false), y};
    });
    return xs;
  }
  keys fill(const std::string& ks, const std::string& stem, int n) {
    keys result;
    std::vector<replica_op> ops;
    for (auto i = 0; i < n; ++i) {
      result.push_back(stem + std::to_string(i));
      ops.push_back(operation(replica_verb::put, result.back(), "v", ks));
    }
    ask(std::move(ops));
    return in_order(result);
  }

  std::string bytes;
  std::string prefix;
  int pages = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_shard_scan_tests, fixture)

CAF_TEST(a prefix leaves out the keys without it) {
  fill("default", "a", 30);
  auto all = fill("default", "b", 30);
  fill("default", "c", 30);
  prefix = "b";
  for (auto max_bytes : {1u, 200u, 1u << 20})
    CAF_CHECK(scan("default", max_bytes) == all);
  prefix = "b\xff";
  CAF_CHECK(scan("default", 1 << 20).empty());
  prefix = "b1";
  all.erase(std::remove_if(all.begin(), all.end(),
                           [](const auto& x) {
                             return x.compare(0, 2, "b1") != 0;
                           }),
            all.end());
  CAF_CHECK_EQUAL(all.size(), 11u);
  CAF_CHECK(scan("default", 1 << 20) == all);
}

CAF_TEST(pages of any size together hold every key once and in order) {
  auto all = fill("default", "key", 60);
  for (uint32_t max_bytes : {1u, 60u, 200u, 1u << 20})
    CAF_CHECK(scan("default", max_bytes) == all);
}

CAF_TEST(keys of one slot are continued behind the last one read) {
  // Eight bytes of any text and a suffix that brings them into one slot.
  keys same;
  auto slot = core::slot_of("key0", false);
  for (auto i = 0; same.size() < 5; ++i) {
    auto key = "key" + std::to_string(i);
    if (core::slot_of(key, false) == slot)
      same.push_back(key);
  }
  std::vector<replica_op> ops;
  for (const auto& key : same)
    ops.push_back(operation(replica_verb::put, key, "v"));
  ask(std::move(ops));
  std::sort(same.begin(), same.end());
  CAF_CHECK(scan("default", 1) == same);
  auto first = page("default", slot, {}, slot, 1);
  CAF_CHECK_EQUAL(first.next_slot, slot);
  CAF_CHECK_EQUAL(first.next_after_key, same[0]);
}

CAF_TEST(keyspaces of one group and others do not mix) {
  auto in_default = fill("default", "key", 30);
  auto in_lww = fill("lww", "key", 20);
  auto in_pair = fill("pair", "key", 10);
  for (uint32_t max_bytes : {1u, 1u << 20}) {
    CAF_CHECK(scan("default", max_bytes) == in_default);
    CAF_CHECK(scan("lww", max_bytes) == in_lww);
    CAF_CHECK(scan("pair", max_bytes) == in_pair);
  }
}

CAF_TEST(a page ends at the last slot asked for) {
  auto all = fill("default", "key", 60);
  auto middle = core::slot_of(all[30], false);
  keys expected(all.begin(), all.begin() + 31);
  CAF_CHECK(scan("default", 100, middle) == expected);
}

CAF_TEST(an empty range is passed in pages of a limited number of slots) {
  CAF_CHECK(scan("default", 1 << 20).empty());
  CAF_CHECK_EQUAL(pages, 16);
}

CAF_TEST(a page ends where the shard ends) {
  crash();
  disk = std::make_shared<storage::memory_disk>();
  disk->shards = 4;
  become(0, 4);
  config.shard = 1;
  start();
  auto p = page("default", 8000, {}, 16383, 1 << 20);
  CAF_CHECK_EQUAL(p.next_slot, 8192u);
}

CAF_TEST(a page sees what was written before it in the same batch) {
  auto op = operation(replica_verb::scan, {});
  op.last_slot = 16383;
  op.slot = core::slot_of("k", false);
  op.max_bytes = 1000;
  ask({op, operation(replica_verb::put, "k", "v")});
  CAF_REQUIRE_EQUAL(asker.answers.size(), 2u);
  for (const auto& a : asker.answers)
    if (a.kind == answer_kind::page) {
      auto p = core::decode_page(a.bytes);
      CAF_REQUIRE(p);
      CAF_CHECK_EQUAL(p->rows.size(), 1u);
    }
}

CAF_TEST_FIXTURE_SCOPE_END()
