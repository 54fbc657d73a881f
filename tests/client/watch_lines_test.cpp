#define CAF_SUITE client.watch_lines

#include "client/node_watch.hpp"
#include "client/watch_lines.hpp"

#include <caf/test/unit_test.hpp>

#include <nlohmann/json.hpp>

using namespace covey::client;

namespace {

using kind = node_event::kind;

struct fixture {
  fixture() {
    event.at = std::chrono::system_clock::time_point{
      std::chrono::milliseconds{1'700'000'000'007}};
    event.node.name = "n2";
    event.node.where = {"10.0.0.2", 7101};
    event.node.phase = node_phase::up;
    event.node.run = 12;
    event.node.children = {{"flusher", 0, true}, {"gateway", 2, false}};
  }
  std::string text(kind what) {
    event.what = what;
    return event_text(event);
  }
  nlohmann::json json(kind what) {
    event.what = what;
    return nlohmann::json::parse(event_json(event));
  }
  node_event event;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(watch_lines_tests, fixture)

CAF_TEST(lines for people begin with time and node) {
  const std::string start = "2023-11-14T22:13:20.007Z n2 (10.0.0.2:7101) ";
  CAF_CHECK_EQUAL(text(kind::up),
                  start + "is up: run 12, 2 children, 2 restarts");
  event.previous_run = 11;
  CAF_CHECK_EQUAL(text(kind::restarted),
                  start
                    + "is up in a new run: run 12, 2 children, 2 restarts; was "
                      "run 11");
  CAF_CHECK_EQUAL(text(kind::answers), start + "answers again");
  event.reason = "why";
  CAF_CHECK_EQUAL(text(kind::down), start + "is down: why");
  CAF_CHECK_EQUAL(text(kind::silent), start + "is silent: why");
  event.child = {"gateway", 1, false};
  event.followers = 3;
  CAF_CHECK_EQUAL(text(kind::child_restarted),
                  start
                    + "restarted gateway and 3 after it: why; 1 time in this "
                      "run");
  CAF_CHECK_EQUAL(text(kind::child_crashed), start + "ends: why");
}

CAF_TEST(a node without a name is called by its address) {
  event.node.name.clear();
  CAF_CHECK_EQUAL(text(kind::answers),
                  "2023-11-14T22:13:20.007Z 10.0.0.2:7101 answers again");
}

CAF_TEST(lines for programs have what belongs to the event) {
  event.reason = "why";
  event.previous_run = 11;
  event.child = {"gateway", 1, false};
  auto up = json(kind::up);
  CAF_CHECK_EQUAL(up["event"], "node_up");
  CAF_CHECK_EQUAL(up["time"], "2023-11-14T22:13:20.007Z");
  CAF_CHECK_EQUAL(up["address"], "10.0.0.2:7101");
  CAF_CHECK_EQUAL(up["run"], 12);
  CAF_CHECK_EQUAL(up["children"][1]["restarts"], 2);
  CAF_CHECK(!up.contains("previous_run"));
  auto restarted = json(kind::restarted);
  CAF_CHECK_EQUAL(restarted["previous_run"], 11);
  auto down = json(kind::down);
  CAF_CHECK_EQUAL(down["reason"], "why");
  auto child = json(kind::child_restarted);
  CAF_CHECK_EQUAL(child["event"], "child_restarted");
  CAF_CHECK_EQUAL(child["child"], "gateway");
  CAF_CHECK_EQUAL(child["restarts"], 1);
  auto crashed = json(kind::child_crashed);
  CAF_CHECK_EQUAL(crashed["reason"], "why");
}

CAF_TEST(the table shows every node and the children that were restarted) {
  watched_node away;
  away.where = {"n3", 1};
  away.phase = node_phase::down;
  away.reason = "connection refused";
  auto shown = nodes_text({event.node, away});
  CAF_CHECK(shown.find("connection refused") != std::string::npos);
  CAF_CHECK(shown.find("gateway") != std::string::npos);
  CAF_CHECK(shown.find("flusher") == std::string::npos);
  auto parsed = nlohmann::json::parse(nodes_json({event.node, away}));
  CAF_CHECK_EQUAL(parsed["nodes"][1]["state"], "down");
  CAF_CHECK_EQUAL(parsed["nodes"][0]["children"][0]["essential"], true);
}

CAF_TEST(what comes from outside is made one printable line) {
  CAF_CHECK_EQUAL(one_line("a\nb\x1b[31m\x7f"), "a?b?[31m?");
  CAF_CHECK_EQUAL(one_line("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  CAF_CHECK_EQUAL(one_line("\xff\xfe."), "??.");
  CAF_CHECK_EQUAL(one_line(std::string(5000, 'x')).size(), 600u);
}

CAF_TEST_FIXTURE_SCOPE_END()
