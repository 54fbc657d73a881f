#include "client/node_watch.hpp"

#include "client/json_lines.hpp"

#include <algorithm>

namespace covey::client {

namespace {

using kind = node_event::kind;

/// More than a node could have; a state from outside must not fill memory.
constexpr int max_children = 4096;
constexpr size_t max_line = 600;

} // namespace

std::string to_string(node_phase x) {
  switch (x) {
    case node_phase::unknown:
      return "unknown";
    case node_phase::up:
      return "up";
    case node_phase::silent:
      return "silent";
    case node_phase::down:
      return "down";
  }
  return "?";
}

std::string to_string(node_event::kind x) {
  switch (x) {
    case kind::up:
      return "node_up";
    case kind::restarted:
      return "node_restarted";
    case kind::silent:
      return "node_silent";
    case kind::answers:
      return "node_answers";
    case kind::down:
      return "node_down";
    case kind::child_restarted:
      return "child_restarted";
    case kind::child_crashed:
      return "child_crashed";
  }
  return "?";
}

std::string one_line(std::string_view text) {
  auto plain = is_utf8(text) && text.size() <= max_line;
  std::string result{text.substr(0, max_line)};
  for (auto& c : result) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte > 0x7f && !plain))
      c = '?';
  }
  return result;
}

node_watch::node_watch(node_address where, std::string name) {
  node_.where = std::move(where);
  node_.name = std::move(name);
}

node_event& node_watch::add(kind what, events& out) {
  node_event event;
  event.what = what;
  event.node = node_;
  out.push_back(std::move(event));
  return out.back();
}

void node_watch::take_children(const wire::NodeState& state) {
  node_.children.clear();
  auto n = std::min(state.children_size(), max_children);
  for (int i = 0; i < n; ++i) {
    const auto& child = state.children(i);
    node_.children.push_back(
      {one_line(child.name()), child.restarts(), child.essential()});
  }
}

void node_watch::met(const wire::NodeState& state, events& out) {
  auto previous = node_.run;
  auto known = std::move(node_.children);
  node_.name = one_line(state.node());
  node_.run = state.run();
  node_.phase = node_phase::up;
  node_.reason.clear();
  take_children(state);
  if (previous != 0 && previous != node_.run) {
    add(kind::restarted, out).previous_run = previous;
    return;
  }
  add(kind::up, out);
  if (previous == 0)
    return;
  // The same run: what its children went through meanwhile.
  for (const auto& child : node_.children) {
    auto i = std::find_if(known.begin(), known.end(), [&](const auto& x) {
      return x.name == child.name;
    });
    if (i == known.end() || i->restarts >= child.restarts)
      continue;
    auto& event = add(kind::child_restarted, out);
    event.child = child;
    event.reason = "it crashed while the node was not watched";
  }
}

void node_watch::answered(events& out) {
  if (node_.phase != node_phase::silent)
    return;
  node_.phase = node_phase::up;
  node_.reason.clear();
  add(kind::answers, out);
}

void node_watch::crashed(const wire::ChildEvent& event, events& out) {
  auto name = one_line(event.name());
  auto i = std::find_if(node_.children.begin(), node_.children.end(),
                        [&](const auto& x) {
                          return x.name == name;
                        });
  if (i != node_.children.end())
    i->restarts = event.restarts();
  auto& added
    = add(event.restarted() ? kind::child_restarted : kind::child_crashed, out);
  added.child = {name, event.restarts(), event.essential()};
  added.followers = event.followers();
  added.reason
    = one_line(event.restarted() ? event.reason() : event.node_ends());
}

void node_watch::silent_for(std::chrono::milliseconds time, events& out) {
  if (node_.phase != node_phase::up)
    return;
  node_.phase = node_phase::silent;
  node_.reason
    = "it has not answered for " + std::to_string(time.count()) + " ms";
  add(kind::silent, out).reason = node_.reason;
}

void node_watch::lost(const std::string& reason, events& out) {
  auto was = node_.phase;
  auto after = was == node_phase::silent ? ", and it was silent before" : "";
  node_.phase = node_phase::down;
  node_.reason = one_line(reason) + after;
  if (was != node_phase::down)
    add(kind::down, out).reason = node_.reason;
}

} // namespace covey::client
