#define CAF_SUITE storage.layout

#include "storage/layout.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>
#include <vector>

using namespace covey::storage;

CAF_TEST(a record key has exactly the documented bytes) {
  CAF_CHECK_EQUAL(record_key(1, 0x0203, 0x04050607, "key"),
                  std::string("\0\0\0\1\2\3\4\5\6\7key", 13));
}

CAF_TEST(a parsed key is what was built) {
  for (const auto& key : {std::string{}, std::string{"k"}, std::string(3, '\0'),
                          std::string(1024, '\xff')}) {
    auto bytes = record_key(UINT32_MAX, 16383, 7, key);
    record_position position;
    CAF_REQUIRE(parse_record_key(bytes, position));
    CAF_CHECK_EQUAL(position.group, UINT32_MAX);
    CAF_CHECK_EQUAL(position.slot, 16383u);
    CAF_CHECK_EQUAL(position.keyspace, 7u);
    CAF_CHECK_EQUAL(position.key, key);
  }
}

CAF_TEST(what is too short is no record key) {
  auto bytes = record_key(1, 2, 3, "");
  record_position position;
  for (size_t n = 0; n < bytes.size(); ++n)
    CAF_CHECK(
      !parse_record_key(std::string_view{bytes}.substr(0, n), position));
}

CAF_TEST(keys sort by group then slot then keyspace then key) {
  std::mt19937_64 random{7};
  std::vector<std::tuple<uint32_t, uint16_t, uint32_t, std::string>> places;
  for (int i = 0; i < 500; ++i)
    places.emplace_back(random() % 3 * 0x7fffffff, random() % 16384,
                        random() % 2 * 300, std::to_string(random() % 50));
  std::sort(places.begin(), places.end());
  auto key_of = [](const auto& x) {
    return record_key(std::get<0>(x), std::get<1>(x), std::get<2>(x),
                      std::get<3>(x));
  };
  for (size_t i = 1; i < places.size(); ++i)
    CAF_REQUIRE(key_of(places[i - 1]) <= key_of(places[i]));
}

CAF_TEST(a slot is the range from its begin to the next one) {
  for (uint32_t slot : {0u, 1u, 255u, 256u, 16383u}) {
    auto begin = slot_begin(5, slot);
    auto end = slot_begin(5, slot + 1);
    auto first = record_key(5, static_cast<uint16_t>(slot), 0, "");
    auto last = record_key(5, static_cast<uint16_t>(slot), UINT32_MAX,
                           std::string(1024, '\xff'));
    CAF_CHECK(begin <= first);
    CAF_CHECK(last < end);
    if (slot < 16383)
      CAF_CHECK(end <= record_key(5, static_cast<uint16_t>(slot + 1), 0, ""));
    if (slot > 0)
      CAF_CHECK(record_key(5, static_cast<uint16_t>(slot - 1), UINT32_MAX,
                           std::string(1024, '\xff'))
                < begin);
  }
  CAF_CHECK(slot_begin(5, 16384) <= record_key(6, 0, 0, ""));
}

CAF_TEST(the rows of hints have exactly the documented bytes) {
  covey::core::uuid target{0x0102030405060708, 0x090a0b0c0d0e0f10};
  std::string id{"\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10"};
  CAF_CHECK_EQUAL(hint_prefix(0x11, target),
                  std::string("hint/\0\0\0\x11", 9) + id + "/");
  CAF_CHECK_EQUAL(hint_totals_row(12), "hints/12");
  CAF_CHECK_EQUAL(repair_row(0x11, target, 0x12131415, 0x1617),
                  std::string("repair/\0\0\0\x11", 11) + id
                    + "\x12\x13\x14\x15\x16\x17");
}

CAF_TEST(rows of marks are what they were made of) {
  covey::core::uuid target{0x0102030405060708, 0x1112131415161718};
  auto row = repair_row(3, target, 0x12131415, 16'383);
  auto at = parse_repair_row(row);
  CAF_REQUIRE(at);
  CAF_CHECK(at->target == target);
  CAF_CHECK_EQUAL(at->group, 0x12131415u);
  CAF_CHECK_EQUAL(at->slot, 16'383);
  CAF_CHECK_EQUAL(row.compare(0, repair_prefix(3).size(), repair_prefix(3)), 0);
  CAF_CHECK(!parse_repair_row(row + "x"));
  CAF_CHECK(!parse_repair_row(row.substr(0, row.size() - 1)));
  CAF_CHECK(!parse_repair_row("repair"));
}

CAF_TEST(the hints for a member are the range from its prefix to its end) {
  covey::core::uuid target{1, 2};
  covey::core::uuid next{1, 3};
  auto prefix = hint_prefix(7, target);
  auto end = end_of_prefix(prefix);
  CAF_CHECK(prefix <= prefix + record_key(0, 0, 0, ""));
  CAF_CHECK(
    prefix
      + record_key(UINT32_MAX, 16383, UINT32_MAX, std::string(1024, '\xff'))
    < end);
  CAF_CHECK(end <= hint_prefix(7, next));
  CAF_CHECK(end <= hint_prefix(8, target));
  // Of a target whose bytes are all at their highest, too.
  auto last = hint_prefix(7, {UINT64_MAX, UINT64_MAX});
  CAF_CHECK(end_of_prefix(last) > last);
  CAF_CHECK(end_of_prefix(last) < hint_prefix(8, {}));
}

CAF_TEST(no two rows of the system table share a key) {
  std::set<std::string> rows{identity_row(), keyspaces_row()};
  size_t count = 2;
  for (uint32_t shard : {0u, 1u, 10u, 255u}) {
    rows.insert(sequence_row(shard));
    rows.insert(shard_state_row(shard));
    rows.insert(hint_totals_row(shard));
    count += 3;
    for (covey::core::uuid target : {covey::core::uuid{1, 2}, {2, 1}}) {
      rows.insert(hint_prefix(shard, target));
      for (uint16_t slot : {0, 1, 256})
        rows.insert(repair_row(shard, target, 5, slot));
      count += 4;
    }
    for (uint32_t part : {0u, 1u, 256u}) {
      rows.insert(filter_row(shard, part));
      ++count;
    }
    rows.insert(trees_row(shard));
    rows.insert(tree_prefix(shard));
    for (uint16_t slot : {0, 1, 256})
      rows.insert(tree_row(shard, 5, slot));
    count += 5;
  }
  CAF_CHECK_EQUAL(rows.size(), count);
  CAF_CHECK(filter_row(3, 255) < filter_row(3, 256));
}

CAF_TEST(the trees of a shard are the range from its prefix to its end) {
  auto prefix = tree_prefix(255);
  auto end = end_of_prefix(prefix);
  CAF_CHECK(prefix < tree_row(255, 0, 0));
  CAF_CHECK(tree_row(255, UINT32_MAX, 16383) < end);
  CAF_CHECK(end <= tree_prefix(256));
  uint32_t group = 0;
  uint16_t slot = 0;
  CAF_CHECK(parse_tree_row(tree_row(255, 7, 515), 255, group, slot));
  CAF_CHECK_EQUAL(group, 7u);
  CAF_CHECK_EQUAL(slot, 515u);
  CAF_CHECK(!parse_tree_row(tree_row(255, 7, 515), 254, group, slot));
  CAF_CHECK(!parse_tree_row(tree_row(255, 7, 515) + "x", 255, group, slot));
  CAF_CHECK(!parse_tree_row(prefix, 255, group, slot));
}

CAF_TEST(what names a record is what follows its slot) {
  auto key = record_key(1, 515, 9, "k");
  CAF_CHECK_EQUAL(named_part(key), (std::string_view{"\0\0\0\x09k", 5}));
}
