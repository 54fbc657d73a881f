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
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
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
/// is one message handled by one runnable actor, or one packet, drawn from the
/// seed; when there is none, virtual time goes on to the millisecond in which
/// something happens.
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
  /// Makes one direction take so much longer.
  void slow_link(host from, host to, std::chrono::milliseconds more) {
    lags_[{from, to}] = more;
  }
  /// Mends cut and slow links.
  void heal() {
    cuts_.clear();
    lags_.clear();
  }
  /// Takes a host off the net: what is under way to it is lost, what it has
  /// sent may still arrive, and whoever monitors an actor of it is told.
  void crash(host h);
  void restart(host h);
  bool is_down(host h) const {
    return down_.count(h) != 0;
  }
  /// Says where an actor runs, so that it stops when its host freezes.
  void place(const caf::strong_actor_ptr& actor, host h);
  /// No actor of `h` runs for so long, as if its process were stopped. What
  /// comes for them waits; their clocks go on.
  void freeze(host h, std::chrono::milliseconds how_long);
  /// Ends all freezes and stalls.
  void thaw();

  /// One step; false if nothing can ever happen again. Actors that keep each
  /// other busy for ever, while no time passes, end the process.
  bool step();
  void run_for(std::chrono::milliseconds d);
  /// Steps until `done`; false if it was not within `limit`.
  template <class Predicate>
  bool run_until(Predicate done, std::chrono::milliseconds limit) {
    auto end = now() + limit;
    while (!done()) {
      if (now() >= end)
        return false;
      step_before(end);
    }
    return true;
  }
  /// Makes an actor that blocks in production take its time: after each message
  /// it handles none for up to `longest`.
  void slow_down(const caf::strong_actor_ptr& actor,
                 std::chrono::milliseconds longest);
  /// It handles none for so long from now.
  void stall(const caf::strong_actor_ptr& actor,
             std::chrono::milliseconds how_long);
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

  struct runner {
    host home = first_client;
    std::chrono::milliseconds slowness{0};
    time_point busy_until;
  };

  static caf::resumable* job_of(const caf::strong_actor_ptr& actor);
  caf::strong_actor_ptr proxy_ptr(host from, host to,
                                  caf::strong_actor_ptr target);
  void send(host from, host to, uint64_t life,
            const caf::strong_actor_ptr& target, caf::mailbox_element_ptr what);
  void deliver(packet p);
  /// A step, or time going on to `end` at most.
  bool step_before(time_point end);
  void advance_to(time_point t);
  /// When `job` may run.
  time_point ready_at(caf::resumable* job) const;
  /// Places in the job queue of those that may run now; when the next one of
  /// the others may.
  std::vector<size_t> runnable(time_point& next) const;
  /// What happens now: a place in the job queue, its size for the packet that
  /// is `due`, or nothing before `next` at the latest.
  std::optional<size_t> draw(bool due, time_point& next);
  void run_job(size_t i);
  void mix(uint64_t x) {
    digest_ = (digest_ ^ x) * 1099511628211ull;
  }
  /// Notes a packet and what becomes of it.
  void note_packet(const char* what, host from, host to, size_t bytes);

  caf::actor_system& sys_;
  caf::scheduler::test_coordinator& sched_;
  std::mt19937_64 random_;
  weather weather_;
  std::set<std::pair<host, host>> cuts_;
  std::map<std::pair<host, host>, std::chrono::milliseconds> lags_;
  std::set<host> down_;
  std::map<host, time_point> frozen_;
  /// How often each host has crashed: packets of an earlier life are dropped.
  std::map<host, uint64_t> lives_;
  std::multimap<time_point, packet> wire_;
  std::map<std::tuple<host, host, caf::actor_id>, caf::strong_actor_ptr>
    proxies_;
  std::set<caf::actor_id> proxy_ids_;
  /// In an order of addresses, on which nothing may depend.
  std::unordered_map<caf::resumable*, runner> runners_;
  time_point start_;
  uint64_t digest_ = 14695981039346656037ull;
  uint64_t steps_ = 0;
  /// Since time went on.
  uint64_t steps_now_ = 0;
  bool trace_ = false;
};

} // namespace covey::simulation
