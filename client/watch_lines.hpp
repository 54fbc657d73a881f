// Events and states of nodes as `covey watch` writes them.

#pragma once

#include "client/watcher.hpp"

#include <string>
#include <vector>

namespace covey::client {

/// "2026-01-31T12:00:00.123Z": UTC, in milliseconds.
std::string show_time(std::chrono::system_clock::time_point at);

/// One line without its end, for people.
std::string event_text(const node_event& event);
/// One line without its end: an object with `time`, `event`, `node`, `address`
/// and what belongs to the event.
std::string event_json(const node_event& event);

/// Tables with line ends: the nodes, and the children that were restarted.
std::string nodes_text(const std::vector<watched_node>& nodes);
/// {"nodes": [...]} with all children, and a line end.
std::string nodes_json(const std::vector<watched_node>& nodes);

} // namespace covey::client
