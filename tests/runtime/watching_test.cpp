#define CAF_SUITE runtime.watching

#include "client/watcher.hpp"
#include "tests/runtime/cluster_fixture.hpp"

#include <caf/all.hpp>
#include <caf/test/unit_test.hpp>

using namespace covey;

namespace {

using kind = client::node_event::kind;

/// A watcher of a cluster, and what it has reported.
class watch {
public:
  explicit watch(const test::cluster& cluster) {
    client::watch_settings settings;
    settings.nodes = {cluster.address(0)};
    watcher_ = std::make_unique<client::watcher>(
      settings, [this](const client::node_event& event) {
        std::lock_guard<std::mutex> guard{mutex_};
        events_.push_back(event);
      });
  }

  /// Waits, within a bound, for an event of a node, of a child if it is named.
  bool reports(kind what, const std::string& node,
               const std::string& child = {}) {
    return test::eventually([&] {
      return count(what, node, child) > 0;
    });
  }
  size_t count(kind what, const std::string& node, const std::string& child) {
    std::lock_guard<std::mutex> guard{mutex_};
    size_t result = 0;
    for (const auto& e : events_)
      if (e.what == what && e.node.name == node && e.child.name == child) {
        last_ = e;
        ++result;
      }
    return result;
  }
  /// The last event that was asked for.
  client::node_event last() {
    std::lock_guard<std::mutex> guard{mutex_};
    return last_;
  }
  client::watcher& it() {
    return *watcher_;
  }

private:
  std::mutex mutex_;
  std::vector<client::node_event> events_;
  client::node_event last_;
  std::unique_ptr<client::watcher> watcher_;
};

void crash(runtime::node& node, const std::string& child) {
  auto handle = node.child(child);
  CAF_REQUIRE(handle != nullptr);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(handle),
                      caf::exit_reason::kill);
}

} // namespace

CAF_TEST(the crash of any child is reported from outside) {
  test::cluster cluster;
  watch w{cluster};
  for (const auto* node : {"n1", "n2", "n3"})
    CAF_REQUIRE(w.reports(kind::up, node));
  // Every child of the node is among those that are told.
  auto children = w.it().nodes().at(1).children;
  CAF_REQUIRE(!children.empty());
  CAF_CHECK_EQUAL(w.it().nodes().at(1).name, "n2");
  for (auto i = children.rbegin(); i != children.rend(); ++i) {
    if (i->essential)
      continue;
    CAF_MESSAGE("crash of " << i->name);
    crash(cluster.at(1), i->name);
    CAF_REQUIRE(w.reports(kind::child_restarted, "n2", i->name));
    CAF_CHECK_EQUAL(w.last().child.restarts, 1u);
    CAF_CHECK_EQUAL(w.last().followers,
                    static_cast<uint32_t>(i - children.rbegin()));
  }
  crash(cluster.at(1), "flusher");
  CAF_REQUIRE(w.reports(kind::child_crashed, "n2", "flusher"));
  CAF_CHECK(w.last().child.essential);
  CAF_CHECK_EQUAL(w.last().reason, cluster.gave_up(1));
  CAF_CHECK_EQUAL(w.count(kind::down, "n2", ""), 0u);
  auto run = cluster.at(1).run();
  cluster.stop(1);
  CAF_REQUIRE(w.reports(kind::down, "n2"));
  cluster.start(1);
  CAF_REQUIRE(w.reports(kind::restarted, "n2"));
  CAF_CHECK_EQUAL(w.last().previous_run, run);
  CAF_CHECK(w.last().node.run > run);
}

CAF_TEST(
  a watcher can be cancelled from its callback and destroyed at any time) {
  test::cluster cluster;
  std::atomic<int> calls{0};
  std::unique_ptr<client::watcher> w;
  std::atomic<client::watcher*> shared{nullptr};
  client::watch_settings settings;
  settings.nodes = {cluster.address(0)};
  w = std::make_unique<client::watcher>(settings,
                                        [&](const client::node_event&) {
                                          if (auto* x = shared.load()) {
                                            x->cancel();
                                            ++calls;
                                          }
                                        });
  CAF_REQUIRE(test::eventually([&] {
    auto nodes = w->nodes();
    return nodes.size() == 3 && nodes[2].phase == client::node_phase::up;
  }));
  shared = w.get();
  crash(cluster.at(0), "ticker");
  CAF_REQUIRE(test::eventually([&] {
    return calls > 0;
  }));
  crash(cluster.at(0), "gateway");
  CAF_REQUIRE(test::eventually([&] {
    return cluster.restarts(0, "gateway") > 0;
  }));
  w.reset();
  CAF_CHECK_EQUAL(calls, 1);
}
