// A node: everything that one process of a cluster runs.

#pragma once

#include "messages/handles.hpp"
#include "runtime/config.hpp"

#include <functional>
#include <memory>
#include <string>

namespace covey::runtime {

/// An opened and published node. Also used by tests, several in one process.
class node {
public:
  /// Opens the data directory, starts the actors and publishes the supervisor.
  /// Nothing but a one-line `error` when it cannot. `give_up` is called, on any
  /// thread, when the node can no longer go on.
  static std::unique_ptr<node>
  start(const node_config& config,
        std::function<void(const std::string& why)> give_up,
        std::string& error);
  ~node();

  /// Drains, stops the actors, sets the clean-stop marks, closes the store.
  /// False if it was not clean: the next start then recovers.
  bool stop();

  local_supervisor_actor supervisor() const;
  uint64_t run() const;
  /// Handle of the child called `name`, null if there is none. For tests.
  caf::strong_actor_ptr child(const std::string& name) const;

private:
  struct impl;
  explicit node(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace covey::runtime
