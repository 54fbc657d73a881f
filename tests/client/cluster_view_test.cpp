#define CAF_SUITE client.cluster_view

#include "client/cluster_view.hpp"
#include "client/retry_budget.hpp"
#include "messages/convert.hpp"
#include "tests/test.hpp"

using namespace covey;
using client::cluster_view;

namespace {

core::epoch an_epoch() {
  core::epoch e;
  e.id = {2, 7};
  e.cluster = "test";
  for (auto name : {"n1", "n2", "n3", "n4"}) {
    core::member m;
    m.id = {0, e.members.size() + 1};
    m.name = name;
    m.host = std::string{name} + ".example";
    m.port = 7101;
    m.rack = "r";
    m.data_centre = e.members.size() < 2 ? "a" : "b";
    m.weight = static_cast<uint32_t>(e.members.size() + 1);
    e.members.push_back(m);
  }
  core::keyspace all;
  all.name = "all";
  all.replication.total = 3;
  core::keyspace tagged;
  tagged.name = "tagged";
  tagged.replication.per_data_centre = {{"a", 1}, {"b", 2}};
  tagged.hash_tags = true;
  e.keyspaces = {all, tagged};
  return e;
}

wire::ClientWelcome welcome() {
  wire::ClientWelcome result;
  result.set_epoch_generation(2);
  result.set_epoch_number(7);
  result.set_cluster("test");
  to_wire(an_epoch(), result);
  return result;
}

} // namespace

CAF_TEST(the client finds the homes that the nodes find) {
  auto e = an_epoch();
  auto told = epoch_from_wire(welcome());
  CAF_REQUIRE(told);
  CAF_CHECK(told->id == e.id);
  cluster_view view{*told};
  for (const auto& ks : e.keyspaces) {
    core::ring ring{e.members, ks.replication};
    for (uint16_t slot = 0; slot < core::slot_count; ++slot) {
      auto list = ring.at(slot);
      std::vector<core::member_index> expected{list.begin(),
                                               list.begin() + list.homes};
      if (view.homes(ks.name, slot, "") != expected)
        CAF_FAIL("slot " << slot << " of " << ks.name);
    }
  }
  CAF_CHECK(view.homes("tagged", "a{x}", "")
            == view.homes("tagged", "{x}b", ""));
  CAF_CHECK(view.homes("all", core::slot_of("a{x}", false), "")
            == view.homes("all", "a{x}", ""));
}

CAF_TEST(an unknown keyspace or slot has no homes) {
  cluster_view view{an_epoch()};
  CAF_CHECK(view.homes("none", "k", "").empty());
  CAF_CHECK(view.homes("all", uint16_t{16384}, "").empty());
}

CAF_TEST(homes of a data centre keep their order) {
  cluster_view view{an_epoch()};
  for (uint16_t slot = 0; slot < 64; ++slot) {
    auto plain = view.homes("all", slot, "");
    auto mine = view.homes("all", slot, "b");
    std::stable_sort(plain.begin(), plain.end(), [](auto x, auto y) {
      return x / 2 > y / 2;
    });
    CAF_CHECK(mine == plain);
  }
}

CAF_TEST(an epoch that no cluster could have is not believed) {
  auto twice = welcome();
  *twice.add_members() = twice.members(0);
  CAF_CHECK(!epoch_from_wire(twice));
  auto port = welcome();
  port.mutable_members(0)->set_port(70'000);
  CAF_CHECK(!epoch_from_wire(port));
  auto replication = welcome();
  replication.mutable_keyspaces(0)->set_replication("99");
  CAF_CHECK(!epoch_from_wire(replication));
  CAF_CHECK(!epoch_from_wire(wire::ClientWelcome{}));
}

CAF_TEST(a tenth of the requests may be repeated) {
  client::retry_budget budget{2};
  CAF_CHECK(budget.take());
  CAF_CHECK(budget.take());
  CAF_CHECK(!budget.take());
  for (int i = 0; i < 9; ++i)
    budget.on_request();
  CAF_CHECK(!budget.take());
  budget.on_request();
  CAF_CHECK(budget.take());
  for (int i = 0; i < 1000; ++i)
    budget.on_request();
  CAF_CHECK(budget.take());
  CAF_CHECK(budget.take());
  CAF_CHECK(!budget.take());
}
