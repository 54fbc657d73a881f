#include "client/watch_lines.hpp"

#include "client/table.hpp"

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace covey::client {

namespace {

using kind = node_event::kind;
using nlohmann::ordered_json;

std::string subject(const watched_node& node) {
  auto where = to_string(node.where);
  return node.name.empty() ? where : node.name + " (" + where + ")";
}

uint64_t restarts_of(const watched_node& node) {
  uint64_t result = 0;
  for (const auto& child : node.children)
    result += child.restarts;
  return result;
}

std::string count(uint64_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string state_text(const watched_node& node) {
  return "run " + std::to_string(node.run) + ", "
         + count(node.children.size(), "child", "children") + ", "
         + count(restarts_of(node), "restart", "restarts");
}

std::string news(const node_event& e) {
  switch (e.what) {
    case kind::up:
      return "is up: " + state_text(e.node);
    case kind::restarted:
      return "is up in a new run: " + state_text(e.node) + "; was run "
             + std::to_string(e.previous_run);
    case kind::silent:
      return "is silent: " + e.reason;
    case kind::answers:
      return "answers again";
    case kind::down:
      return "is down: " + e.reason;
    case kind::child_restarted:
      return "restarted " + e.child.name
             + (e.followers == 0
                  ? std::string{}
                  : " and " + std::to_string(e.followers) + " after it")
             + ": " + e.reason + "; " + count(e.child.restarts, "time", "times")
             + " in this run";
    case kind::child_crashed:
      return "ends: " + e.reason;
  }
  return {};
}

ordered_json children_json(const watched_node& node) {
  auto result = ordered_json::array();
  for (const auto& child : node.children)
    result.push_back({{"name", child.name},
                      {"restarts", child.restarts},
                      {"essential", child.essential}});
  return result;
}

} // namespace

std::string show_time(std::chrono::system_clock::time_point at) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
              at.time_since_epoch())
              .count();
  auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char day[32];
  std::strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof(text), "%s.%03dZ", day,
                static_cast<int>(ms % 1000));
  return text;
}

std::string event_text(const node_event& event) {
  return show_time(event.at) + " " + subject(event.node) + " " + news(event);
}

std::string event_json(const node_event& event) {
  ordered_json object{{"time", show_time(event.at)},
                      {"event", to_string(event.what)},
                      {"node", event.node.name},
                      {"address", to_string(event.node.where)},
                      {"run", event.node.run}};
  switch (event.what) {
    case kind::restarted:
      object["previous_run"] = event.previous_run;
      [[fallthrough]];
    case kind::up:
      object["children"] = children_json(event.node);
      break;
    case kind::child_restarted:
    case kind::child_crashed:
      object["child"] = event.child.name;
      object["restarts"] = event.child.restarts;
      object["essential"] = event.child.essential;
      object["followers"] = event.followers;
      [[fallthrough]];
    case kind::silent:
    case kind::down:
      object["reason"] = event.reason;
      break;
    case kind::answers:
      break;
  }
  return object.dump();
}

std::string nodes_text(const std::vector<watched_node>& nodes) {
  table t{{"NODE", "ADDRESS", "STATE", "RUN", "CHILDREN", "RESTARTS", "REASON"},
          {3, 4, 5}};
  table crashed{{"NODE", "CHILD", "RESTARTS"}, {2}};
  auto any = false;
  for (const auto& node : nodes) {
    auto met = node.run != 0;
    t.add({node.name.empty() ? "?" : node.name, to_string(node.where),
           to_string(node.phase), met ? std::to_string(node.run) : "-",
           met ? std::to_string(node.children.size()) : "-",
           met ? std::to_string(restarts_of(node)) : "-", node.reason});
    for (const auto& child : node.children) {
      if (child.restarts == 0)
        continue;
      any = true;
      crashed.add({node.name, child.name, std::to_string(child.restarts)});
    }
  }
  return any ? t.str() + '\n' + crashed.str() : t.str();
}

std::string nodes_json(const std::vector<watched_node>& nodes) {
  auto array = ordered_json::array();
  for (const auto& node : nodes)
    array.push_back({{"node", node.name},
                     {"address", to_string(node.where)},
                     {"state", to_string(node.phase)},
                     {"reason", node.reason},
                     {"run", node.run},
                     {"children", children_json(node)}});
  return ordered_json{{"nodes", std::move(array)}}.dump(2) + '\n';
}

} // namespace covey::client
