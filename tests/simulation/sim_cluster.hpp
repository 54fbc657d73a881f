// Nodes of real actors on a simulated network and simulated disks.

#pragma once

#include "runtime/wiring.hpp"
#include "storage/memory_engine.hpp"
#include "tests/simulation/layout.hpp"
#include "tests/simulation/sim_net.hpp"
#include "tests/simulation/witness.hpp"

#include <memory>
#include <string>
#include <vector>

namespace covey::simulation {

struct cluster_options {
  layout shape;
  uint32_t shards = 1;
  planted_bug planted = planted_bug::none;
  /// A flush takes up to so long.
  std::chrono::milliseconds flush_time{12};
  /// Nodes compare their replicas often; otherwise only for marked slots.
  bool exchanges = false;
  /// Clocks are off by up to so much, either way.
  uint64_t skew_us = 50'000;
};

/// A cluster whose nodes crash, losing what was not flushed, and come back.
class sim_cluster {
public:
  /// `guard` sees every record that is stored, and outlives this.
  sim_cluster(caf::actor_system& sys, sim_net& net, cluster_options options,
              witness& guard);
  ~sim_cluster();

  void start(host n);
  void crash(host n);
  /// Drains the node as SIGTERM does; it crashes once that is done, or later.
  void stop(host n);
  /// Crashes those whose supervisor has given up or that have stopped.
  void bury();
  /// Kills one of its actors, drawn at random, as an exception would.
  void crash_child(host n);
  /// Fails the next commits of a node, as an I/O error would.
  void fail_commits(host n, uint32_t count);
  void fail_reads(host n, uint32_t count);
  void fill_disk(host n, bool full);
  /// No flush, and perhaps no read and no commit, ends for so long.
  void stall_disk(host n, std::chrono::milliseconds how_long);
  /// As the keeper of epochs does once one is decided.
  void give_epoch(host n, const epoch_ptr& epoch);
  /// What a node that is up goes by, and how often it has seen that it misses
  /// an epoch.
  core::epoch_id epoch_of(host n) const;
  uint64_t epochs_missed(host n) const;
  /// Requests planned anew so far.
  uint64_t replanned() const;
  /// Draws a new error for its clock.
  void skew_clock(host n);

  uint32_t size() const {
    return static_cast<uint32_t>(nodes_.size());
  }
  bool is_up(host n) const {
    return nodes_[n].engine != nullptr;
  }
  /// True once its gateway has been started.
  bool serves(host n) const {
    return nodes_[n].gateway != nullptr;
  }
  /// True when every node is up to stay, and has a link to every other.
  bool connected() const;
  /// True when no node that is up has a link to `n`.
  bool missed(host n) const;
  /// True when every hint was handed over.
  bool no_hints() const;
  /// Who keeps how many for whom.
  std::string hints() const;
  bool is_home(host n, const std::string& key) const;
  /// The gateway of `n` as a client on `from` sees it.
  gateway_actor gateway(host from, host n);
  /// Time of day on the clock of `n`.
  uint64_t wall_us(host n) const;
  const layout& shape() const {
    return options_.shape;
  }
  const cluster_options& options() const {
    return options_;
  }
  uint64_t token_key() const;
  /// What the node's disk and memory hold, by key of the store.
  std::map<std::string, std::string> records(host n);
  /// Restarts of single actors so far.
  uint32_t restarts() const {
    return restarts_;
  }

private:
  struct child {
    std::string name;
    caf::strong_actor_ptr actor;
  };
  struct sim_node {
    std::shared_ptr<storage::memory_disk> disk;
    std::unique_ptr<storage::memory_engine> engine;
    std::unique_ptr<observed_engine> observed;
    std::shared_ptr<node_context> context;
    /// The newest epoch that it was given, as its disk has it.
    epoch_ptr epoch;
    local_supervisor_actor supervisor;
    /// The supervisor first, then every child ever started.
    std::vector<caf::strong_actor_ptr> actors;
    /// Those that run now, in the supervisor's order.
    std::vector<child> children;
    gateway_actor gateway;
    int64_t skew_us = 0;
    uint64_t run = 0;
    bool stopping = false;
    bool done = false;
  };

  connector_actor spawn_connector(host from, core::member_index to);
  runtime::wiring_options wiring_of(host n);
  void watch_child(host n, child_spec& spec);
  /// Of records, as their place in the store says.
  bool is_group(uint32_t group) const;
  int64_t draw_skew();
  knocker_actor spawn_knocker(host from);

  caf::actor_system& sys_;
  sim_net& net_;
  cluster_options options_;
  witness& guard_;
  std::shared_ptr<spdlog::logger> log_;
  std::vector<sim_node> nodes_;
  uint32_t restarts_ = 0;
  /// Of nodes that have ended.
  uint64_t replanned_ = 0;
};

} // namespace covey::simulation
