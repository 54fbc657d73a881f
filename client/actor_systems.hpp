// The actor systems of the clients of this process.

#pragma once

#include <caf/actor_system.hpp>

#include <memory>

namespace covey::client {

/// Ready for another client once its owner lets go of it.
struct give_back {
  void operator()(caf::actor_system* system) const;
};

using borrowed_system = std::unique_ptr<caf::actor_system, give_back>;

/// An actor system of one's own, never destroyed: CAF 0.17 can hang while a
/// system with detached actors is torn down. Thread-safe. Throws
/// std::runtime_error if the process has as many as CAF can tell apart.
borrowed_system borrow_system();

} // namespace covey::client
