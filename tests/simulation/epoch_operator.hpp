// An operator who changes keyspaces while the cluster runs.

#pragma once

#include "tests/simulation/sim_cluster.hpp"

#include <optional>
#include <string>
#include <vector>

namespace covey::simulation {

/// Decides epochs by itself and stands for the keepers: each node is given the
/// newest at a time of its own, at once when it has shown that it misses one.
/// Added are keyspaces; altered are those, and a rule of `last` that places no
/// key of the clients elsewhere, so that whatever is under way is stale.
class epoch_operator {
public:
  epoch_operator(sim_net& net, sim_cluster& cluster, bool idle);

  /// Decides an epoch, perhaps.
  void act();
  /// True when a node should be given an epoch now.
  bool due();
  /// Gives it to those that are due.
  void deliver();
  /// To all, now.
  void deliver_to_all();
  /// True when all nodes that are up go by the newest epoch.
  bool settled() const;

private:
  using time_point = caf::actor_clock::time_point;

  const core::epoch& newest() const {
    return *newest_;
  }
  bool lacks(host n) const;
  void plan(host n, uint32_t most_ms);

  sim_net& net_;
  sim_cluster& cluster_;
  bool idle_;
  uint32_t added_ = 0;
  epoch_ptr newest_;
  std::vector<std::optional<time_point>> due_;
  /// What nodes had missed when it was looked last.
  std::vector<uint64_t> missed_;
};

} // namespace covey::simulation
