// Watching nodes from outside: what went down, came back, or crashed inside.

#pragma once

#include "client/address.hpp"
#include "messages/network/tls_files.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace covey::client {

/// A node beyond these is not watched: each costs a thread and a connection.
inline constexpr size_t max_watched_nodes = 256;

struct watch_settings {
  /// At least one. They need not be there yet.
  std::vector<node_address> nodes;
  /// Also the members of the cluster, once one of `nodes` has told them.
  bool all_members = true;
  network::tls_files tls;
  /// Program and version, for the nodes' logs.
  std::string agent = "covey";
  /// A node that leaves a question open for so long is silent. At most 2 s:
  /// after 2.5 s without a byte the connection is given up.
  std::chrono::milliseconds silence{1500};
};

/// What the watcher believes of a node.
enum class node_phase : uint8_t {
  /// Not reached and not refused yet.
  unknown,
  up,
  /// Connected, but it does not answer: frozen, or very busy.
  silent,
  /// No connection. It ended, or cannot be reached.
  down,
};

std::string to_string(node_phase x);

/// An actor of a node.
struct watched_child {
  std::string name;
  /// In the node's present run.
  uint32_t restarts = 0;
  /// Its crash ends the node.
  bool essential = false;
};

struct watched_node {
  /// As the node calls itself; empty until it has.
  std::string name;
  node_address where;
  node_phase phase = node_phase::unknown;
  /// Why it is silent or down.
  std::string reason;
  /// Of the process that was met last; 0 if none was.
  uint64_t run = 0;
  /// Of that run, in the order of their starts.
  std::vector<watched_child> children;
};

struct node_event {
  enum class kind : uint8_t {
    /// Met for the first time, or met again in the run that was known.
    up,
    /// Met again, in another run: the process was started anew.
    restarted,
    silent,
    /// A silent node answers again.
    answers,
    down,
    /// A child crashed and was started anew, and `followers` after it.
    child_restarted,
    /// A child crashed and the node ends because of it. `down` follows; if the
    /// process ended too fast for this message, it comes alone.
    child_crashed,
  };

  kind what{};
  std::chrono::system_clock::time_point at;
  /// The node as it is since then.
  watched_node node;
  /// `restarted` only: the run before.
  uint64_t previous_run = 0;
  /// Of the child that crashed; `restarts` counts this time.
  watched_child child;
  uint32_t followers = 0;
  /// `silent`, `down`, and of children.
  std::string reason;
};

/// "node_up", "child_restarted" and so on.
std::string to_string(node_event::kind x);

/// Called on the watcher's thread, for one event after the other: must neither
/// block, nor throw, nor destroy the watcher. It may call anything else of it.
using node_callback = std::function<void(const node_event&)>;

/// Holds a connection to each node and reports what happens to it. The first
/// event of a node is `up` or `down`. A process that ends is reported as soon
/// as its connection breaks, a frozen one after `silence`; connections are made
/// anew without end, with a back-off of at most half a second. What crashed
/// inside while the watcher was not connected is reported when it is again,
/// unless the process has been started anew since.
///
/// One connection is one view: `down` says that this program cannot reach the
/// node, not that the cluster has given it up.
///
/// Thread-safe.
class watcher {
public:
  watcher(watch_settings config, node_callback on_event);
  /// Cancels and waits: no callback runs after it.
  ~watcher();
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

  /// All nodes, those given first. Knows of an event before its callback runs.
  std::vector<watched_node> nodes() const;
  /// Members beyond `max_watched_nodes`.
  size_t left_out() const;
  /// Ends the watch without waiting. An event that is being reported may still
  /// arrive.
  void cancel();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace covey::client
