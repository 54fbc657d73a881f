#define CAF_SUITE client.node_watcher

#include "tests/client/watcher_fixture.hpp"

using namespace covey;
using namespace covey::client;

namespace {

using strings = std::vector<std::string>;
using client::test::milliseconds;

struct fixture : client::test::watcher_fixture {
  fixture() {
    w->members = {{"n1", 1}, {"n2", 2}, {"n3", 3}};
  }
  void start_three() {
    for (uint16_t port : {1, 2, 3})
      start_node(port);
    watch({1});
    news();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(node_watcher_tests, fixture)

CAF_TEST(the members are learnt from one node and all reported) {
  for (uint16_t port : {1, 2, 3})
    start_node(port, 10 + port);
  watch({1});
  pass(milliseconds{100});
  CAF_CHECK_EQUAL(news(), (strings{"node_up n1", "node_up n2", "node_up n3"}));
  CAF_CHECK_EQUAL(last.node.run, 13u);
  CAF_CHECK_EQUAL(last.node.children.size(), 2u);
  CAF_CHECK_EQUAL(board->nodes.size(), 3u);
  CAF_CHECK_EQUAL(w->nodes.at(2).watchers.size(), 1u);
}

CAF_TEST(only what was given is watched if that is wished) {
  start_node(1);
  start_node(2);
  node_watcher_config config;
  config.all_members = false;
  watch({1}, config);
  pass(milliseconds{1000});
  CAF_CHECK_EQUAL(news(), strings{"node_up n1"});
  CAF_CHECK_EQUAL(board->nodes.size(), 1u);
}

CAF_TEST(a node that ends is down at once and a new process is a restart) {
  start_three();
  pass(milliseconds{1000});
  news();
  end_node(2);
  // No time has passed.
  CAF_CHECK_EQUAL(news(), strings{"node_down n2"});
  CAF_CHECK(last.reason.find("the connection broke") == 0);
  CAF_CHECK(last.node.phase == node_phase::down);
  // Told once, however often it is tried.
  pass(milliseconds{5000});
  CAF_CHECK(news().empty());
  start_node(2, 7);
  pass(milliseconds{600});
  CAF_CHECK_EQUAL(news(), strings{"node_restarted n2"});
  CAF_CHECK_EQUAL(last.previous_run, 1u);
  CAF_CHECK_EQUAL(last.node.run, 7u);
}

CAF_TEST(a node that was stopped is down for that reason) {
  start_three();
  end_node(1, caf::exit_reason::user_shutdown);
  news();
  CAF_CHECK_EQUAL(last.reason, "it was stopped");
}

CAF_TEST(a node that is not there yet is down until it comes) {
  watch({1});
  CAF_CHECK_EQUAL(news(), strings{"node_down host:1"});
  CAF_CHECK_EQUAL(last.reason, "connection refused");
  CAF_CHECK_EQUAL(last.node.run, 0u);
  pass(milliseconds{3000});
  CAF_CHECK(news().empty());
  w->members.clear();
  start_node(1);
  pass(milliseconds{600});
  CAF_CHECK_EQUAL(news(), strings{"node_up n1"});
}

CAF_TEST(attempts at a node back off to two a second) {
  watch({1});
  pass(milliseconds{5000});
  auto before = w->dials.size();
  pass(milliseconds{10'000});
  auto dials = w->dials.size() - before;
  CAF_CHECK(dials >= 15);
  CAF_CHECK(dials <= 40);
}

CAF_TEST(a frozen node is silent and answers once it goes on) {
  start_three();
  pass(milliseconds{1000});
  news();
  w->nodes.at(3).frozen = true;
  pass(milliseconds{1500});
  CAF_CHECK(news().empty());
  pass(milliseconds{400});
  CAF_CHECK_EQUAL(news(), strings{"node_silent n3"});
  CAF_CHECK_EQUAL(last.reason, "it has not answered for 1500 ms");
  // One question waits there, not one for each interval.
  pass(milliseconds{5000});
  CAF_CHECK_EQUAL(w->nodes.at(3).open.size(), 1u);
  CAF_CHECK(news().empty());
  thaw(3);
  CAF_CHECK_EQUAL(news(), strings{"node_answers n3"});
  CAF_CHECK(last.node.phase == node_phase::up);
}

CAF_TEST(
  a silent node whose connection breaks is down and comes back as it was) {
  start_three();
  pass(milliseconds{1000});
  w->nodes.at(3).frozen = true;
  pass(milliseconds{2000});
  news();
  end_node(3);
  CAF_CHECK_EQUAL(news(), strings{"node_down n3"});
  CAF_CHECK(last.reason.find("it was silent before") != std::string::npos);
  start_node(3);
  pass(milliseconds{600});
  CAF_CHECK_EQUAL(news(), strings{"node_up n3"});
}

CAF_TEST(a watcher that was held up itself calls nobody silent) {
  start_three();
  pass(milliseconds{1000});
  news();
  // Questions are open while nothing of ours runs.
  for (auto& [port, node] : w->nodes)
    node.frozen = true;
  pass(milliseconds{500});
  sched.advance_time(milliseconds{60'000});
  sched.run();
  CAF_CHECK(news().empty());
  for (uint16_t port : {1, 2, 3})
    thaw(port);
  pass(milliseconds{5000});
  CAF_CHECK(news().empty());
}

CAF_TEST(a watcher that was held up goes on asking at once) {
  start_three();
  pass(milliseconds{1000});
  for (auto& [port, node] : w->nodes)
    node.frozen = true;
  pass(milliseconds{500});
  // The answers lie there before the tick that finds out.
  for (auto& [port, node] : w->nodes) {
    node.frozen = false;
    for (auto& [who, in] : std::exchange(node.open, {}))
      caf::send_as(caf::actor_cast<caf::actor>(node.handle),
                   caf::actor_cast<caf::actor>(who), state_of(*w, node, in));
    node.asked.clear();
  }
  sched.advance_time(milliseconds{60'000});
  sched.run();
  pass(milliseconds{1000});
  for (auto& [port, node] : w->nodes)
    CAF_CHECK(!node.asked.empty());
}

CAF_TEST(crashes of children are reported as they are told) {
  start_three();
  crash_child(1, restart_of("gateway", 1));
  CAF_CHECK_EQUAL(news(), strings{"child_restarted n1 gateway"});
  CAF_CHECK_EQUAL(last.child.restarts, 1u);
  CAF_CHECK_EQUAL(last.followers, 1u);
  CAF_CHECK_EQUAL(last.reason, "kill");
  CAF_CHECK_EQUAL(board->nodes.at(0).children.at(0).restarts, 1u);
  auto event = restart_of("flusher", 0);
  event.set_restarted(false);
  event.set_node_ends("flusher crashed\nbadly");
  crash_child(1, event);
  CAF_CHECK_EQUAL(news(), strings{"child_crashed n1 flusher"});
  CAF_CHECK_EQUAL(last.reason, "flusher crashed?badly");
}

CAF_TEST(an event from nobody we know is dropped) {
  start_three();
  auto stranger = sys.spawn(client::test::play_supervisor, w, uint16_t{9});
  caf::send_as(caf::actor_cast<caf::actor>(stranger),
               caf::actor_cast<caf::actor>(aut), restart_of("gateway", 1));
  wire::NodeState state;
  state.set_node("n9");
  state.set_run(4);
  caf::send_as(caf::actor_cast<caf::actor>(stranger),
               caf::actor_cast<caf::actor>(aut), state);
  sched.run();
  CAF_CHECK(news().empty());
  caf::anon_send_exit(stranger, caf::exit_reason::kill);
}

CAF_TEST(restarts of children while the connection was away are made up for) {
  start_three();
  pass(milliseconds{100});
  // The connection breaks, the process goes on.
  end_node(1);
  start_node(1);
  w->nodes.at(1).restarts["ticker"] = 2;
  news();
  pass(milliseconds{600});
  CAF_CHECK_EQUAL(news(), (strings{"node_up n1", "child_restarted n1 ticker"}));
  CAF_CHECK_EQUAL(last.child.restarts, 2u);
}

CAF_TEST(a node that refuses watchers is down with its reason) {
  start_node(1);
  w->nodes.at(1).refuses = errc::overloaded;
  watch({1});
  CAF_CHECK_EQUAL(news(), strings{"node_down host:1"});
  CAF_CHECK_EQUAL(last.reason, "no more watchers");
}

CAF_TEST(a node that does not answer the first question is down) {
  start_node(1);
  w->nodes.at(1).frozen = true;
  watch({1});
  pass(milliseconds{900});
  CAF_CHECK(news().empty());
  pass(milliseconds{200});
  CAF_CHECK_EQUAL(news(), strings{"node_down host:1"});
  // A late answer is to nobody.
  w->nodes.at(1).open.resize(1);
  thaw(1);
  CAF_CHECK(news().empty());
  pass(milliseconds{3000});
  CAF_CHECK_EQUAL(news(),
                  (strings{"node_up n1", "node_down n2", "node_down n3"}));
}

CAF_TEST(another node at the address of a member is not taken for it) {
  start_three();
  pass(milliseconds{100});
  end_node(2);
  news();
  start_node(2);
  w->nodes.at(2).name = "stranger";
  pass(milliseconds{1000});
  CAF_CHECK(news().empty());
  CAF_CHECK_EQUAL(board->nodes.at(1).reason,
                  "another node answers there: stranger");
}

CAF_TEST(a node with two addresses is watched once) {
  start_node(1);
  w->members = {{"n1", 1}};
  start_node(5);
  w->nodes.at(5).name = "n1";
  watch({1, 5});
  pass(milliseconds{1000});
  CAF_CHECK_EQUAL(news(), strings{"node_up n1"});
  CAF_CHECK_EQUAL(board->nodes.size(), 1u);
}

CAF_TEST(members that join are watched and those that leave are not ) {
  start_three();
  start_node(4);
  w->members = {{"n1", 1}, {"n3", 3}, {"n4", 4}};
  w->epoch = 2;
  pass(milliseconds{1000});
  news();
  CAF_REQUIRE_EQUAL(board->nodes.size(), 3u);
  CAF_CHECK_EQUAL(board->nodes[1].name, "n3");
  CAF_CHECK_EQUAL(board->nodes[2].name, "n4");
  CAF_CHECK(board->nodes[2].phase == node_phase::up);
}

CAF_TEST(members beyond the limit and impossible ones are left out) {
  start_node(1);
  w->members = {{"n1", 1}, {"n2", 2}, {"n3", 3}, {"", 4}, {"n5", 0}};
  node_watcher_config config;
  config.max_nodes = 2;
  watch({1}, config);
  CAF_CHECK_EQUAL(board->nodes.size(), 2u);
  CAF_CHECK_EQUAL(board->left_out, 1u);
  CAF_CHECK_EQUAL(w->connectors, 2u);
}

CAF_TEST(nothing is reported after a cancel) {
  start_three();
  board->cancelled = true;
  end_node(1);
  CAF_CHECK(news().empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
