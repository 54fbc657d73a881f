#define CAF_SUITE runtime.supervision

#include "tests/runtime/cluster_fixture.hpp"

#include <caf/all.hpp>
#include <caf/test/unit_test.hpp>

using namespace covey;

namespace {

void crash(runtime::node& node, const std::string& child) {
  auto handle = node.child(child);
  CAF_REQUIRE(handle != nullptr);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(handle),
                      caf::exit_reason::kill);
}

} // namespace

CAF_TEST(
  a crash of any child that can be restarted loses no acknowledged write) {
  test::cluster cluster;
  auto client = cluster.make_client();
  test::load load{*client};
  CAF_REQUIRE(load.progress(200));
  for (const auto* child :
       {"ticker", "peer-link/n2", "gateway", "coordinator/0", "replica/0"}) {
    CAF_MESSAGE("crash of " << child);
    auto before = cluster.restarts(0, child);
    crash(cluster.at(0), child);
    CAF_CHECK(test::eventually([&] {
      return cluster.restarts(0, child) > before;
    }));
    CAF_CHECK(load.progress(200));
  }
  load.stop();
  CAF_CHECK(load.lost().empty());
  CAF_CHECK_EQUAL(cluster.gave_up(0), "");
}

CAF_TEST(a crash of a shard or of the flusher ends the node and loses nothing) {
  test::cluster cluster;
  auto client = cluster.make_client();
  test::load load{*client};
  for (const auto* child : {"storage-shard/0", "flusher"}) {
    CAF_REQUIRE(load.progress(200));
    CAF_MESSAGE("crash of " << child);
    crash(cluster.at(0), child);
    CAF_REQUIRE(test::eventually([&] {
      return !cluster.gave_up(0).empty();
    }));
    CAF_CHECK_EQUAL(cluster.gave_up(0).find(child), 0u);
    cluster.stop(0);
    cluster.start(0);
    CAF_CHECK(load.progress(200));
  }
  load.stop();
  CAF_CHECK(load.lost().empty());
}

CAF_TEST(too many crashes within the window end the node) {
  test::cluster cluster;
  for (int i = 0; i < 200 && cluster.gave_up(0).empty(); ++i) {
    auto before = cluster.restarts(0, "ticker");
    crash(cluster.at(0), "ticker");
    CAF_REQUIRE(test::eventually([&] {
      return !cluster.gave_up(0).empty()
             || cluster.restarts(0, "ticker") > before;
    }));
  }
  CAF_CHECK(cluster.gave_up(0).find("too often") != std::string::npos);
}
