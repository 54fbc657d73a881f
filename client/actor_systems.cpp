#include "client/actor_systems.hpp"

#include "messages/registration.hpp"

#include <caf/io/middleman.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
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
        caf::timespan{std::chrono::milliseconds{1000}});
    set("middleman.connection-timeout",
        caf::timespan{std::chrono::milliseconds{2500}});
  }
};

// CAF tells the systems of a process apart by one byte of their node ids. Two
// of the same id would get each other's answers.
constexpr size_t most_systems = 250;

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

  caf::actor_system& add();

  std::mutex mutex;
  std::vector<std::unique_ptr<configured_system>> all;
  std::vector<caf::actor_system*> idle;
};

caf::actor_system& pool::add() {
  auto refuse = [] {
    throw std::runtime_error{"this process has too many clients, the most is "
                             + std::to_string(most_systems)
                             + ": let threads share one"};
  };
  if (all.size() >= most_systems)
    refuse();
  auto fresh = std::make_unique<configured_system>();
  auto taken = std::any_of(all.begin(), all.end(), [&](const auto& x) {
    return x->system.node() == fresh->system.node();
  });
  all.push_back(std::move(fresh));
  if (taken)
    refuse();
  return all.back()->system;
}

} // namespace

void give_back::operator()(caf::actor_system* system) const {
  auto& systems = pool::instance();
  std::lock_guard<std::mutex> guard{systems.mutex};
  systems.idle.push_back(system);
}

borrowed_system borrow_system() {
  auto& systems = pool::instance();
  std::lock_guard<std::mutex> guard{systems.mutex};
  if (systems.idle.empty())
    return borrowed_system{&systems.add()};
  borrowed_system result{systems.idle.back()};
  systems.idle.pop_back();
  return result;
}

} // namespace covey::client
