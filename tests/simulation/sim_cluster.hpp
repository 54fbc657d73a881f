// Nodes of real actors on a simulated network and simulated disks.

#pragma once

#include "actors/storage_shard.hpp"
#include "runtime/wiring.hpp"
#include "storage/memory_engine.hpp"
#include "tests/simulation/sim_net.hpp"

#include <memory>
#include <vector>

namespace covey::simulation {

struct cluster_options {
  uint32_t nodes = 3;
  uint32_t shards = 1;
  /// Longest time that a flush takes.
  std::chrono::milliseconds flush{12};
  planted_bug planted = planted_bug::none;
};

/// A cluster whose nodes crash, losing what was not flushed, and come back.
class sim_cluster {
public:
  sim_cluster(caf::actor_system& sys, sim_net& net,
              const cluster_options& options);
  ~sim_cluster();

  void start(host n);
  void crash(host n);
  /// Fails the next commits of a node, as an I/O error would.
  void fail_commits(host n, uint32_t count);

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
  /// True when every node is up and has a link to every other.
  bool connected() const;
  /// True when no node that is up has a link to `n`.
  bool missed(host n) const;
  /// True when every hint was handed over.
  bool no_hints() const;
  bool is_home(host n, const std::string& key) const;
  /// The gateway of `n` as a client on `from` sees it.
  gateway_actor gateway(host from, host n);

private:
  struct sim_node {
    std::shared_ptr<storage::memory_disk> disk;
    std::unique_ptr<storage::memory_engine> engine;
    std::shared_ptr<node_context> context;
    local_supervisor_actor supervisor;
    /// The supervisor first, then every child ever started.
    std::vector<caf::strong_actor_ptr> actors;
    gateway_actor gateway;
    int64_t skew_us = 0;
    uint64_t run = 0;
  };

  connector_actor spawn_connector(host from, core::member_index to);

  caf::actor_system& sys_;
  sim_net& net_;
  cluster_options options_;
  std::shared_ptr<const core::epoch> epoch_;
  std::shared_ptr<spdlog::logger> log_;
  std::vector<sim_node> nodes_;
};

} // namespace covey::simulation
