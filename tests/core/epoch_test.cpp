// Epochs: texts, ids, look-ups and the hash.

#define CAF_SUITE core.epoch

#include "core/epoch.hpp"

#include <caf/test/unit_test.hpp>

#include <functional>
#include <set>

using namespace covey::core;

namespace {

member make_member(const std::string& name, const std::string& rack,
                   const std::string& data_centre) {
  return {initial_member_id("test", name),
          name,
          name + ".example",
          7000,
          rack,
          data_centre,
          1};
}

/// Sound: four members in two data centres, two keyspaces.
epoch make_epoch() {
  epoch result;
  result.id = {1, 2};
  result.cluster = "test";
  result.members
    = {make_member("n1", "r1", "dc1"), make_member("n2", "r2", "dc1"),
       make_member("n3", "r1", "dc2"), make_member("n4", "r2", "dc2")};
  result.keyspaces.resize(2);
  result.keyspaces[0].name = "carts";
  result.keyspaces[0].replication.total = 3;
  result.keyspaces[1].name = "users";
  result.keyspaces[1].replication.per_data_centre = {{"dc1", 2}, {"dc2", 1}};
  return result;
}

using change = std::function<void(epoch&)>;

} // namespace

// -- text forms

CAF_TEST(replication is read in both forms and written in one) {
  auto total = parse_replication("3");
  CAF_REQUIRE(total.has_value());
  CAF_CHECK_EQUAL(total->total, 3u);
  CAF_CHECK_EQUAL(total->replicas(), 3u);
  CAF_CHECK_EQUAL(to_string(*total), "3");
  auto placed = parse_replication("dc2:2,dc1:3");
  CAF_REQUIRE(placed.has_value());
  CAF_CHECK_EQUAL(placed->total, 0u);
  CAF_CHECK_EQUAL(placed->replicas(), 5u);
  CAF_CHECK_EQUAL(to_string(*placed), "dc1:3,dc2:2");
  CAF_CHECK_EQUAL(group_id(*placed),
                  group_id(*parse_replication("dc1:3,dc2:2")));
}

CAF_TEST(a replication goes from one to sixteen) {
  for (uint32_t n = 1; n <= 16; ++n) {
    auto text = std::to_string(n);
    CAF_CHECK_EQUAL(to_string(parse_replication(text).value()), text);
    text = "dc:" + text;
    CAF_CHECK_EQUAL(to_string(parse_replication(text).value()), text);
  }
  CAF_CHECK(parse_replication("a:8,b:8").has_value());
  for (auto text : {"0", "17", "99", "a:17", "a:8,b:9", "a:16,b:16,c:16", "a:0",
                    "a:1,b:0", "4294967297", "a:4294967297"})
    CAF_CHECK(!parse_replication(text));
}

CAF_TEST(malformed replication is refused) {
  for (auto text :
       {"",         " 3",      "3 ",      "+3",    "-3",        "03",    "3.0",
        "three",    ":",       ",",       "a:",    ":3",        "a:3,",  ",a:3",
        "a:3,,b:1", "a:3,a:2", "a:3,a:3", "a b:3", "a:3;b:2",   "a:b:3", "a:03",
        "a: 3",     "a:3,2",   "2,a:3",   "a",     "\xc3\xa9:3"})
    if (parse_replication(text))
      CAF_ERROR("accepted \"" << text << "\"");
  std::string longest(64, 'd');
  CAF_CHECK(parse_replication(longest + ":1").has_value());
  CAF_CHECK(!parse_replication(longest + "d:1"));
}

CAF_TEST(every level survives its text form) {
  for (auto level = 0; level <= 8; ++level) {
    consistency x{static_cast<consistency_level>(level), 0};
    auto y = parse_consistency(to_string(x));
    CAF_REQUIRE(y.has_value());
    CAF_CHECK(y->level == x.level);
    CAF_CHECK_EQUAL(y->count, 0u);
  }
  for (uint32_t n = 1; n <= 16; ++n) {
    auto y = parse_consistency(to_string({consistency_level::number, n}));
    CAF_REQUIRE(y.has_value());
    CAF_CHECK(y->level == consistency_level::number);
    CAF_CHECK_EQUAL(y->count, n);
  }
}

CAF_TEST(levels are read in any case with underscores or dashes) {
  auto canonical = [](std::string_view text) {
    auto x = parse_consistency(text);
    return x ? to_string(*x) : "refused";
  };
  CAF_CHECK_EQUAL(canonical("quorum"), "QUORUM");
  CAF_CHECK_EQUAL(canonical("Quorum"), "QUORUM");
  CAF_CHECK_EQUAL(canonical("LOCAL-QUORUM"), "LOCAL_QUORUM");
  CAF_CHECK_EQUAL(canonical("local_one"), "LOCAL_ONE");
  CAF_CHECK_EQUAL(canonical("each-Quorum"), "EACH_QUORUM");
  CAF_CHECK_EQUAL(canonical("default"), "DEFAULT");
  CAF_CHECK_EQUAL(canonical("one"), "ONE");
  CAF_CHECK_EQUAL(canonical("1"), "1");
  for (auto text : {"", "0", "17", "01", " 1", "quorum ", "quoru", "quorums",
                    "local quorum", "localquorum", "number", "UNKNOWN", "-"})
    CAF_CHECK_EQUAL(canonical(text), "refused");
}

// -- ids

CAF_TEST(ids of keyspaces and groups are frozen) {
  CAF_CHECK_EQUAL(keyspace_id("carts"), 1749125778u);
  CAF_CHECK_EQUAL(group_id(*parse_replication("3")), 2123658480u);
  CAF_CHECK_EQUAL(group_id(*parse_replication("dc1:3,dc2:2")), 3200417124u);
}

CAF_TEST(the numbers of levels and policies are frozen) {
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::keyspace_default), 0);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::one), 1);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::two), 2);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::three), 3);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::quorum), 4);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::all), 5);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::local_one), 6);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::local_quorum), 7);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::each_quorum), 8);
  CAF_CHECK_EQUAL(static_cast<int>(consistency_level::number), 9);
}

// -- look-ups

CAF_TEST(members and keyspaces are found by name and id) {
  auto x = make_epoch();
  for (size_t i = 0; i < x.members.size(); ++i)
    CAF_CHECK(x.find_member(x.members[i].name) == i);
  for (auto& k : x.keyspaces) {
    CAF_CHECK(x.find_keyspace(k.name) == &k);
    CAF_CHECK(x.find_keyspace(keyspace_id(k.name)) == &k);
  }
  for (auto name : {"", "a", "n", "n11", "n2x", "zzz"}) {
    CAF_CHECK(!x.find_member(name));
    CAF_CHECK(x.find_keyspace(name) == nullptr);
    CAF_CHECK(x.find_keyspace(keyspace_id(name)) == nullptr);
  }
  CAF_CHECK(!epoch{}.find_member("n1"));
  CAF_CHECK(epoch{}.find_keyspace("carts") == nullptr);
}

CAF_TEST(removed members have an index and no name) {
  auto x = make_epoch();
  auto again = x.members[1];
  again.id = {1, 2};
  x.members[1].state = member_state::removed;
  CAF_CHECK(!x.find_member("n2"));
  CAF_CHECK(x.find_member(x.members[1].id) == 1);
  x.members.push_back(again);
  CAF_CHECK(x.find_member("n2") == 4);
  CAF_CHECK(x.find_member("n4") == 3);
  CAF_CHECK(x.find_member(uuid{1, 2}) == 4);
  CAF_CHECK(!x.find_member(uuid{1, 3}));
}

CAF_TEST(epochs are ordered by generation first) {
  CAF_CHECK((epoch_id{1, 9} < epoch_id{2, 0}));
  CAF_CHECK((epoch_id{1, 1} < epoch_id{1, 2}));
  CAF_CHECK(!(epoch_id{1, 1} < epoch_id{1, 1}));
  CAF_CHECK((epoch_id{1, 1} == epoch_id{1, 1}));
  CAF_CHECK((epoch_id{1, 1} != epoch_id{2, 1}));
}

// -- the hash

CAF_TEST(the hash of a settled epoch is frozen) {
  CAF_CHECK_EQUAL(epoch_hash(make_epoch()), 3145875689447381537u);
}

CAF_TEST(the hash of an epoch covers every field) {
  std::vector<change> changes{
    [](epoch&) {},
    [](epoch& x) {
      x.id.generation = 9;
    },
    [](epoch& x) {
      x.id.number = 9;
    },
    [](epoch& x) {
      std::swap(x.id.number, x.id.generation);
    },
    [](epoch& x) {
      x.cluster = "other";
    },
    [](epoch& x) {
      x.members.pop_back();
    },
    [](epoch& x) {
      x.members.clear();
    },
    [](epoch& x) {
      std::swap(x.members[0], x.members[1]);
    },
    [](epoch& x) {
      x.members[1].id.high ^= 1;
    },
    [](epoch& x) {
      x.members[1].id.low ^= 1;
    },
    [](epoch& x) {
      x.members[1].name = "n0";
    },
    [](epoch& x) {
      x.members[1].host = "elsewhere";
    },
    [](epoch& x) {
      x.members[1].port = 1;
    },
    [](epoch& x) {
      x.members[1].rack = "r9";
    },
    [](epoch& x) {
      x.members[1].data_centre = "dc9";
    },
    [](epoch& x) {
      x.members[1].weight = 2;
    },
    // The same bytes in a row, divided elsewhere.
    [](epoch& x) {
      x.members[1].rack = "r2d", x.members[1].data_centre = "c1";
    },
    [](epoch& x) {
      x.members[1].rack = "", x.members[1].data_centre = "r2dc1";
    },
    [](epoch& x) {
      x.members[1].rack = "", x.members[1].data_centre = "\x01z";
    },
    [](epoch& x) {
      x.members[1].rack = "\x02", x.members[1].data_centre = "z";
    },
    [](epoch& x) {
      x.keyspaces.pop_back();
    },
    [](epoch& x) {
      x.keyspaces[0].name = "cart";
    },
    [](epoch& x) {
      x.keyspaces[0].replication.total = 2;
    },
    [](epoch& x) {
      x.keyspaces[1].replication.per_data_centre["dc1"] = 1;
    },
    [](epoch& x) {
      x.keyspaces[1].replication.per_data_centre.erase("dc1");
    },
    [](epoch& x) {
      x.keyspaces[1].replication.per_data_centre["dc3"] = 1;
    },
    [](epoch& x) {
      x.keyspaces[1].replication.total = 3;
    },
    [](epoch& x) {
      x.keyspaces[0].policy = conflict_policy::lww;
    },
    [](epoch& x) {
      x.keyspaces[0].default_read.level = consistency_level::one;
    },
    [](epoch& x) {
      x.keyspaces[0].default_read.count = 1;
    },
    [](epoch& x) {
      x.keyspaces[0].default_write.level = consistency_level::one;
    },
    [](epoch& x) {
      x.keyspaces[0].default_write.count = 1;
    },
    [](epoch& x) {
      x.keyspaces[0].default_ttl_s = 1;
    },
    [](epoch& x) {
      x.keyspaces[0].hash_tags = true;
    },
    [](epoch& x) {
      x.keyspaces[0].strict_puts = true;
    },
    [](epoch& x) {
      x.members[1].state = member_state::leaving;
    },
    [](epoch& x) {
      x.members[1].state = member_state::removed;
    },
    [](epoch& x) {
      x.members[2].state = member_state::leaving;
    },
    [](epoch& x) {
      x.changes.push_back({});
    },
    [](epoch& x) {
      x.changes.push_back({change_kind::leave, {1, 2}, {}, 0, {1, 1}});
    },
    [](epoch& x) {
      x.changes.push_back({change_kind::leave, {1, 3}, {}, 0, {1, 1}});
    },
    [](epoch& x) {
      x.changes.push_back({change_kind::leave, {1, 2}, {3, 4}, 0, {1, 1}});
    },
    [](epoch& x) {
      x.changes.push_back({change_kind::leave, {1, 2}, {}, 2, {1, 1}});
    },
    [](epoch& x) {
      x.changes.push_back({change_kind::leave, {1, 2}, {}, 0, {1, 2}});
    },
  };
  std::set<uint64_t> hashes;
  for (size_t i = 0; i < changes.size(); ++i) {
    auto x = make_epoch();
    changes[i](x);
    if (!hashes.insert(epoch_hash(x)).second)
      CAF_ERROR("change " << i << " has the hash of another");
    auto y = x;
    CAF_CHECK_EQUAL(epoch_hash(x), epoch_hash(y));
  }
}
