// A seeded network and schedule for a whole cluster in one process.

#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace covey::simulation {

using host = uint32_t;

/// Hosts from here on are clients; they neither crash nor repeat messages.
inline constexpr host first_client = 1000;

/// What the network does to messages. Probabilities in percent.
struct weather {
  uint32_t loss = 0;
  uint32_t duplicates = 0;
  /// Share of messages that take up to `long_delay` instead of a millisecond.
  uint32_t delayed = 10;
  std::chrono::milliseconds long_delay{30};
};

/// Connects the actors of several hosts inside one actor system that runs under
/// CAF's test scheduler. A proxy stands where CAF's remote proxy stands, and
/// serializes every message, so that production actors run unchanged. Each step
/// is one message handled by one runnable actor, or one packet, or a
/// millisecond of virtual time, drawn from the seed.
class sim_net {
public:
  using time_point = caf::actor_clock::time_point;

  sim_net(caf::actor_system& sys, uint64_t seed);
  ~sim_net();

  /// The handle of `target`, which lives on `to`, for actors of `from`.
  template <class Handle>
  Handle proxy(host from, host to, const Handle& target) {
    return caf::actor_cast<Handle>(
      proxy_ptr(from, to, caf::actor_cast<caf::strong_actor_ptr>(target)));
  }

  void set_weather(const weather& x) {
    weather_ = x;
  }
  /// Cuts one direction.
  void cut(host from, host to) {
    cuts_.insert({from, to});
  }
  void heal() {
    cuts_.clear();
  }
  /// Takes a host off the net: what is under way from and to it is lost, and
  /// whoever monitors an actor of it is told.
  void crash(host h);
  void restart(host h);
  bool is_down(host h) const {
    return down_.count(h) != 0;
  }

  /// One step; false if nothing can ever happen again.
  bool step();
  void run_for(std::chrono::milliseconds d);
  /// Steps until `done`; false if it was not within `limit`.
  template <class Predicate>
  bool run_until(Predicate done, std::chrono::milliseconds limit) {
    auto end = now() + limit;
    while (!done()) {
      if (now() >= end)
        return false;
      if (!step())
        advance();
    }
    return true;
  }
  /// Makes an actor that blocks in production take its time: after each message
  /// it handles none for up to `longest`.
  void slow_down(const caf::strong_actor_ptr& actor,
                 std::chrono::milliseconds longest);
  /// Kills actors at once: nothing of them runs after this returns.
  void kill(const std::vector<caf::strong_actor_ptr>& actors);

  time_point now() const;
  uint64_t now_us() const;
  std::mt19937_64& random() {
    return random_;
  }
  bool chance(uint32_t percent) {
    return random_() % 100 < percent;
  }
  /// Hash of everything that happened: equal for equal seeds.
  uint64_t digest() const {
    return digest_;
  }
  uint64_t steps() const {
    return steps_;
  }
  /// Prints what happens, with the virtual time.
  void set_trace(bool on) {
    trace_ = on;
  }
  void note(const std::string& what);

private:
  class proxy_actor;
  struct packet {
    host from = 0;
    host to = 0;
    uint64_t life = 0;
    caf::strong_actor_ptr target;
    caf::strong_actor_ptr sender;
    caf::message_id id;
    std::vector<char> bytes;
  };

  struct slowness {
    time_point busy_until;
    std::chrono::milliseconds longest;
  };

  caf::strong_actor_ptr proxy_ptr(host from, host to,
                                  caf::strong_actor_ptr target);
  void send(host from, host to, uint64_t life,
            const caf::strong_actor_ptr& target, caf::mailbox_element_ptr what);
  void deliver(packet p);
  void advance();
  /// Places in the job queue of those that may run now.
  std::vector<size_t> runnable() const;
  void run_job(size_t i);
  void mix(uint64_t x) {
    digest_ = (digest_ ^ x) * 1099511628211ull;
  }

  caf::actor_system& sys_;
  caf::scheduler::test_coordinator& sched_;
  std::mt19937_64 random_;
  weather weather_;
  std::set<std::pair<host, host>> cuts_;
  std::set<host> down_;
  /// How often each host has crashed: packets of an earlier life are dropped.
  std::map<host, uint64_t> lives_;
  std::multimap<time_point, packet> wire_;
  std::map<std::tuple<host, host, caf::actor_id>, caf::strong_actor_ptr>
    proxies_;
  std::set<caf::actor_id> proxy_ids_;
  std::map<caf::resumable*, slowness> slow_;
  time_point start_;
  uint64_t digest_ = 14695981039346656037ull;
  uint64_t steps_ = 0;
  bool trace_ = false;
};

} // namespace covey::simulation
