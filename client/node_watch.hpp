// What a watcher knows of one node: decides which events its news are.

#pragma once

#include "client/watcher.hpp"
#include "messages/watch.pb.h"

#include <string_view>

namespace covey::client {

/// A value without connections or clocks. Each function takes news and appends
/// the events that they are; `at` of events is left to the caller.
class node_watch {
public:
  using events = std::vector<node_event>;

  /// `name` is empty if the node has yet to tell it.
  node_watch(node_address where, std::string name);

  const watched_node& node() const {
    return node_;
  }

  /// The state with all children, first on a connection.
  void met(const wire::NodeState& state, events& out);
  /// It answered, on a connection on which it was met.
  void answered(events& out);
  void crashed(const wire::ChildEvent& event, events& out);
  void silent_for(std::chrono::milliseconds time, events& out);
  /// There is no connection.
  void lost(const std::string& reason, events& out);

private:
  node_event& add(node_event::kind what, events& out);
  void take_children(const wire::NodeState& state);

  watched_node node_;
};

/// `text` from outside as one line for people: what is no printable text is
/// replaced, and what is too long is cut.
std::string one_line(std::string_view text);

} // namespace covey::client
