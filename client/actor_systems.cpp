#include "client/actor_systems.hpp"

#include "messages/registration.hpp"

#include <caf/io/middleman.hpp>

#include <chrono>
#include <mutex>
#include <vector>

namespace covey::client {

namespace {

// What is measured best for a process with one connection (caf.md, section 2).
// The heartbeats notice a frozen node well within the default timeout.
struct config : system_config {
  config() {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
    set("middleman.workers", size_t{0});
    set("middleman.heartbeat-interval",
        caf::timespan{std::chrono::milliseconds{500}});
    set("middleman.connection-timeout",
        caf::timespan{std::chrono::milliseconds{2500}});
  }
};

struct configured_system {
  config settings;
  caf::actor_system system{settings};
};

// Lives as long as the process, so that threads may use it while it ends.
struct pool {
  static pool& instance() {
    static auto* the_one = new pool;
    return *the_one;
  }

  std::mutex mutex;
  std::vector<std::unique_ptr<configured_system>> all;
  std::vector<caf::actor_system*> idle;
};

} // namespace

void give_back::operator()(caf::actor_system* system) const {
  auto& systems = pool::instance();
  std::lock_guard<std::mutex> guard{systems.mutex};
  systems.idle.push_back(system);
}

borrowed_system borrow_system() {
  auto& systems = pool::instance();
  std::lock_guard<std::mutex> guard{systems.mutex};
  if (systems.idle.empty()) {
    systems.all.push_back(std::make_unique<configured_system>());
    return borrowed_system{&systems.all.back()->system};
  }
  borrowed_system result{systems.idle.back()};
  systems.idle.pop_back();
  return result;
}

} // namespace covey::client
