#include "tests/simulation/sim_cluster.hpp"

#include <caf/all.hpp>
#include <spdlog/sinks/null_sink.h>

namespace covey::simulation {

namespace {

constexpr uint64_t virtual_epoch_us = 1'700'000'000'000'000;

std::shared_ptr<const core::epoch> make_epoch(uint32_t nodes) {
  auto result = std::make_shared<core::epoch>();
  result->id = {1, 1};
  result->cluster = "simulated";
  for (uint32_t i = 0; i < nodes; ++i) {
    core::member m;
    m.name = "n" + std::to_string(i + 1);
    m.id = core::initial_member_id(result->cluster, m.name);
    m.host = "host";
    m.port = static_cast<uint16_t>(i + 1);
    m.rack = "r";
    m.data_centre = "dc";
    result->members.push_back(m);
  }
  core::keyspace ks;
  ks.name = "default";
  ks.replication.total = 3;
  result->keyspaces.push_back(ks);
  return result;
}

} // namespace

sim_cluster::sim_cluster(caf::actor_system& sys, sim_net& net,
                         const cluster_options& options)
  : sys_(sys), net_(net), options_(options), epoch_(make_epoch(options.nodes)) {
  log_ = std::make_shared<spdlog::logger>(
    "simulation", std::make_shared<spdlog::sinks::null_sink_mt>());
  nodes_.resize(options.nodes);
  for (host n = 0; n < options.nodes; ++n) {
    nodes_[n].disk = std::make_shared<storage::memory_disk>();
    nodes_[n].disk->shards = options.shards;
    nodes_[n].skew_us
      = static_cast<int64_t>(net_.random()() % 100'000) - 50'000;
    start(n);
  }
}

sim_cluster::~sim_cluster() {
  for (host n = 0; n < nodes_.size(); ++n)
    if (is_up(n))
      crash(n);
}

connector_actor sim_cluster::spawn_connector(host from, core::member_index to) {
  return sys_.spawn(
    [this, from,
     to](connector_actor::pointer) -> connector_actor::behavior_type {
      return {[this, from, to](dial_atom, const std::string&,
                               uint16_t) -> caf::result<supervisor_actor> {
        if (!is_up(to))
          return caf::make_error(caf::sec::cannot_connect_to_node);
        return net_.proxy(
          from, to, caf::actor_cast<supervisor_actor>(nodes_[to].supervisor));
      }};
    });
}

void sim_cluster::start(host n) {
  auto& node = nodes_[n];
  if (net_.is_down(n))
    net_.restart(n);
  node.engine = std::make_unique<storage::memory_engine>(node.disk);
  node.context = runtime::make_node_context(
    epoch_, static_cast<core::member_index>(n), options_.shards);
  node.context->wall_us = [this, skew = node.skew_us] {
    return virtual_epoch_us + net_.now_us() + static_cast<uint64_t>(skew);
  };
  node.context->log = log_;
  node.context->previous_run = node.run;
  node.context->run = ++node.run;
  runtime::wiring_options options;
  options.shard.engine = node.engine.get();
  options.shard.planted = options_.planted;
  options.coordinator.planted = options_.planted;
  options.flusher.engine = node.engine.get();
  options.detached_flusher = false;
  options.gateway.default_timeout_us = 1'000'000;
  options.link.timeout_ms = 1'000;
  options.link.heartbeat_ms = 250;
  options.seed = net_.random()();
  node.actors.clear();
  options.connector = [this, n](core::member_index to) {
    auto connector = spawn_connector(n, to);
    nodes_[n].actors.push_back(
      caf::actor_cast<caf::strong_actor_ptr>(connector));
    return connector;
  };
  supervisor_config tree;
  tree.children = runtime::wire_node(sys_, node.context, options);
  for (auto& spec : tree.children)
    spec.start = [this, n, name = spec.name, role = spec.role,
                  start = std::move(spec.start)](const auto& earlier) {
      auto child = start(earlier);
      nodes_[n].actors.push_back(child);
      if (role == child_spec::kind::gateway)
        nodes_[n].gateway = caf::actor_cast<gateway_actor>(child);
      // An fsync takes its time: others go on, and a crash may come first.
      if (name == "flusher")
        net_.slow_down(child, options_.flush);
      return child;
    };
  tree.give_up = [this, n](const std::string& why) {
    net_.note("node " + std::to_string(n) + " gives up: " + why);
  };
  node.supervisor
    = sys_.spawn(supervisor, tree, node_context_ptr{node.context});
  node.actors.insert(node.actors.begin(),
                     caf::actor_cast<caf::strong_actor_ptr>(node.supervisor));
}

void sim_cluster::crash(host n) {
  auto& node = nodes_[n];
  net_.crash(n);
  net_.kill(node.actors);
  node.actors.clear();
  node.gateway = gateway_actor{};
  node.supervisor = local_supervisor_actor{};
  node.context.reset();
  // Forgets what was not flushed, as a power loss does.
  node.engine.reset();
}

void sim_cluster::fail_commits(host n, uint32_t count) {
  if (is_up(n))
    nodes_[n].engine->fail_commits(count);
}

bool sim_cluster::connected() const {
  for (host n = 0; n < nodes_.size(); ++n) {
    if (!is_up(n))
      return false;
    for (host peer = 0; peer < nodes_.size(); ++peer)
      if (peer != n && !nodes_[n].context->peers[peer].up)
        return false;
  }
  return true;
}

bool sim_cluster::missed(host n) const {
  for (host other = 0; other < nodes_.size(); ++other)
    if (other != n && is_up(other) && nodes_[other].context->peers[n].up)
      return false;
  return true;
}

bool sim_cluster::no_hints() const {
  for (const auto& node : nodes_)
    if (node.context)
      for (const auto& x : node.context->hints)
        if (x.rows > 0)
          return false;
  return true;
}

bool sim_cluster::is_home(host n, const std::string& key) const {
  const auto& ks = epoch_->keyspaces.front();
  return core::ring{epoch_->members, ks.replication}
    .at(core::slot_of(key, ks.hash_tags))
    .is_home(static_cast<core::member_index>(n));
}

gateway_actor sim_cluster::gateway(host from, host n) {
  return net_.proxy(from, n, nodes_[n].gateway);
}

} // namespace covey::simulation
