#define CAF_SUITE core.cluster_view

#include "core/cluster_view.hpp"
#include "tests/core/epochs.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <functional>

using namespace covey::core;

namespace {

using change = std::function<void(epoch&)>;

cluster_view first_view() {
  return cluster_view{std::make_shared<const epoch>(test::make_epoch())};
}

epoch after(const epoch& before, const change& what) {
  auto next = before;
  ++next.id.number;
  what(next);
  return next;
}

cluster_view next_view(const cluster_view& before, const change& what) {
  auto next = std::make_shared<const epoch>(after(before.epoch(), what));
  CAF_REQUIRE(validate(*next).empty());
  return {before, next};
}

keyspace make_keyspace(const std::string& name, uint32_t replicas) {
  keyspace result;
  result.name = name;
  result.replication.total = replicas;
  return result;
}

void add_member(epoch& e) {
  e.members.push_back(test::make_member("n5"));
}

} // namespace

CAF_TEST(a keyspace is found by its name and by its id) {
  auto view = first_view();
  for (const auto* name : {"carts", "users"}) {
    const auto* ks = view.find_keyspace(name);
    CAF_REQUIRE(ks != nullptr);
    CAF_CHECK_EQUAL(ks->name, name);
    CAF_CHECK_EQUAL(ks->id, keyspace_id(name));
    CAF_CHECK_EQUAL(ks->group, group_id(ks->replication));
    CAF_CHECK(view.find_keyspace(ks->id) == ks);
  }
  CAF_CHECK(view.find_keyspace("none") == nullptr);
  CAF_CHECK(view.find_keyspace(uint32_t{1}) == nullptr);
}

CAF_TEST(keyspaces of one replication share their slots) {
  auto view = next_view(first_view(), [](epoch& e) {
    e.keyspaces.push_back(make_keyspace("zebras", 3));
  });
  CAF_CHECK(view.find_keyspace("carts")->slots
            == view.find_keyspace("zebras")->slots);
  CAF_CHECK(view.find_keyspace("carts")->slots
            != view.find_keyspace("users")->slots);
}

CAF_TEST(whatever was planned before the first view is stale) {
  auto view = first_view();
  CAF_CHECK(view.find_keyspace("carts")->changed_in(0) == view.id());
}

CAF_TEST(a keyspace that comes changes no slot of the others) {
  auto before = first_view();
  auto view = next_view(before, [](epoch& e) {
    e.keyspaces.push_back(make_keyspace("zebras", 3));
  });
  for (uint32_t slot = 0; slot < slot_count; ++slot) {
    auto s = static_cast<uint16_t>(slot);
    CAF_REQUIRE(view.find_keyspace("carts")->changed_in(s) == before.id());
    CAF_REQUIRE(view.find_keyspace("zebras")->changed_in(s) == view.id());
  }
  // Rings are built anew only where members changed.
  CAF_CHECK(view.find_keyspace("carts")->slots
            == before.find_keyspace("carts")->slots);
}

CAF_TEST(defaults may be altered under way other rules may not ) {
  auto before = first_view();
  auto same = next_view(before, [](epoch& e) {
    e.keyspaces[0].default_read = {consistency_level::one, 0};
    e.keyspaces[0].default_ttl_s = 60;
    e.keyspaces[0].strict_puts = true;
  });
  CAF_CHECK(same.find_keyspace("carts")->changed_in(5) == before.id());
  for (const change& what : {change{[](epoch& e) {
                               e.keyspaces[0].policy = conflict_policy::lww;
                             }},
                             change{[](epoch& e) {
                               e.keyspaces[0].hash_tags = true;
                             }},
                             change{[](epoch& e) {
                               e.keyspaces[0].replication.total = 2;
                             }}}) {
    auto other = next_view(before, what);
    CAF_CHECK(other.find_keyspace("carts")->changed_in(5) == other.id());
    CAF_CHECK(other.find_keyspace("users")->changed_in(5) == before.id());
  }
}

CAF_TEST(a slot has changed in the epoch in which its homes became others) {
  auto one = first_view();
  auto two = next_view(one, add_member);
  auto three = next_view(two, [](epoch& e) {
    e.keyspaces.push_back(make_keyspace("zebras", 3));
  });
  size_t changed = 0;
  for (uint32_t slot = 0; slot < slot_count; ++slot) {
    auto s = static_cast<uint16_t>(slot);
    auto homes = [s](const cluster_view& v) {
      auto list = v.find_keyspace("carts")->at(s);
      std::vector<member_index> result{list.begin(), list.begin() + list.homes};
      std::sort(result.begin(), result.end());
      return result;
    };
    auto moved = homes(one) != homes(two);
    changed += moved ? 1 : 0;
    CAF_REQUIRE(three.find_keyspace("carts")->changed_in(s)
                == (moved ? two.id() : one.id()));
  }
  // The new one is a home of about three slots in five.
  CAF_CHECK(changed > slot_count / 3);
  CAF_CHECK(changed < slot_count * 4 / 5);
}

CAF_TEST(members keep their index and are found by their id) {
  auto view = next_view(first_view(), add_member);
  CAF_CHECK_EQUAL(view.members(), 5u);
  for (member_index m = 0; m < 5; ++m)
    CAF_CHECK(view.member_of(view.at(m).id) == m);
  CAF_CHECK(!view.member_of(uuid{1, 2}));
}

CAF_TEST(a node goes on only to a later epoch with the same members and more) {
  auto now = test::make_epoch();
  auto allowed = [&](const change& what) {
    return why_not_follows(now, after(now, what)).empty();
  };
  CAF_CHECK(allowed(add_member));
  CAF_CHECK(allowed([](epoch& e) {
    e.id = {2, 1};
  }));
  CAF_CHECK(!allowed([](epoch& e) {
    --e.id.number;
  }));
  CAF_CHECK(!allowed([](epoch& e) {
    e.cluster = "another";
  }));
  CAF_CHECK(!allowed([](epoch& e) {
    e.members.pop_back();
  }));
  CAF_CHECK(!allowed([](epoch& e) {
    std::swap(e.members[0], e.members[1]);
  }));
  CAF_CHECK(!allowed([](epoch& e) {
    e.keyspaces.pop_back();
  }));
}
