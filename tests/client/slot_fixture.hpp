// A client router that knows the ring, and whose nodes are played.

#pragma once

#include "client/cluster_view.hpp"
#include "messages/convert.hpp"
#include "tests/client/router_fixture.hpp"

namespace covey::client::test {

struct slot_fixture : router_fixture {
  using ports = std::vector<uint16_t>;

  slot_fixture() {
    start_node(3);
    tell_members(3, 2);
  }

  /// Members n1 to n<members>; with `split` n2 is in a data centre of its own.
  void tell_members(int members, uint32_t replicas, uint64_t number = 1,
                    bool split = false) {
    core::epoch e;
    for (int i = 1; i <= members; ++i) {
      core::member m;
      m.name = "n" + std::to_string(i);
      m.host = "n";
      m.port = static_cast<uint16_t>(i);
      m.data_centre = split && i == 2 ? "b" : "a";
      e.members.push_back(m);
    }
    core::keyspace ks;
    ks.name = "default";
    ks.replication.total = replicas;
    e.keyspaces.push_back(ks);
    w->epoch = {};
    w->epoch.set_epoch_generation(1);
    w->epoch.set_epoch_number(number);
    to_wire(e, w->epoch);
    view = std::make_unique<cluster_view>(*epoch_from_wire(w->epoch));
  }
  /// Ports of the homes of `key`.
  ports homes(const std::string& key, const std::string& data_centre = "") {
    ports result;
    for (auto m : view->homes("default", key, data_centre))
      result.push_back(view->epoch().members[m].port);
    return result;
  }
  /// A key with these homes in this order.
  std::string key_at(const ports& where) {
    for (int i = 0; i < 1000; ++i)
      if (homes("k" + std::to_string(i)) == where)
        return "k" + std::to_string(i);
    CAF_FAIL("no such key");
    return {};
  }
  wire::PutRequest put_at(const ports& where) {
    auto result = put(key_at(where));
    result.set_keyspace("default");
    return result;
  }
  wire::GetRequest get_at(const ports& where) {
    auto result = get(key_at(where));
    result.set_keyspace("default");
    return result;
  }
  /// A router that is connected to all three.
  void start_connected(router_config config = many_at_once()) {
    start(1, std::move(config));
    for (uint16_t port : {1, 2, 3}) {
      submit(get_at({port, static_cast<uint16_t>(port % 3 + 1)}));
      sched.run();
      answer_get_at(w->gets.size() - 1);
    }
    w->gets.clear();
    outcomes.clear();
  }
  uint16_t last_put() const {
    CAF_REQUIRE(!w->puts.empty());
    return w->puts.back().first;
  }

  std::unique_ptr<cluster_view> view;
};

} // namespace covey::client::test
