#include "tests/simulation/sim_cluster.hpp"

#include "core/hash.hpp"
#include "core/record.hpp"
#include "storage/layout.hpp"

#include <caf/all.hpp>
#include <spdlog/sinks/null_sink.h>

#include <algorithm>
#include <utility>

namespace covey::simulation {

namespace {

constexpr uint64_t virtual_epoch_us = 1'700'000'000'000'000;

} // namespace

sim_cluster::sim_cluster(caf::actor_system& sys, sim_net& net,
                         cluster_options options, witness& guard)
  : sys_(sys), net_(net), options_(std::move(options)), guard_(guard) {
  log_ = std::make_shared<spdlog::logger>(
    "simulation", std::make_shared<spdlog::sinks::null_sink_mt>());
  nodes_.resize(options_.shape.epoch->members.size());
  for (host n = 0; n < size(); ++n) {
    nodes_[n].disk = std::make_shared<storage::memory_disk>();
    nodes_[n].disk->shards = options_.shards;
    nodes_[n].skew_us = draw_skew();
    start(n);
  }
}

sim_cluster::~sim_cluster() {
  for (host n = 0; n < nodes_.size(); ++n)
    if (is_up(n))
      crash(n);
}

bool sim_cluster::is_group(uint32_t group) const {
  const auto& all = options_.shape.view->keyspaces();
  return std::any_of(all.begin(), all.end(), [&](const auto& ks) {
    return ks.group == group;
  });
}

int64_t sim_cluster::draw_skew() {
  auto most = options_.skew_us;
  return static_cast<int64_t>(net_.random()() % (2 * most + 1))
         - static_cast<int64_t>(most);
}

uint64_t sim_cluster::wall_us(host n) const {
  return virtual_epoch_us + net_.now_us()
         + static_cast<uint64_t>(nodes_[n].skew_us);
}

uint64_t sim_cluster::token_key() const {
  return core::hash64("context of " + options_.shape.epoch->cluster);
}

connector_actor sim_cluster::spawn_connector(host from, core::member_index to) {
  auto result
    = sys_.spawn([this, from, to](
                   connector_actor::pointer) -> connector_actor::behavior_type {
        return {[this, from, to](dial_atom, const std::string&,
                                 uint16_t) -> caf::result<supervisor_actor> {
          if (!is_up(to))
            return caf::make_error(caf::sec::cannot_connect_to_node);
          return net_.proxy(
            from, to, caf::actor_cast<supervisor_actor>(nodes_[to].supervisor));
        }};
      });
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(result);
  net_.place(actor, from);
  nodes_[from].actors.push_back(actor);
  return result;
}

runtime::wiring_options sim_cluster::wiring_of(host n) {
  auto& node = nodes_[n];
  runtime::wiring_options result;
  result.shard.engine = node.observed.get();
  result.shard.planted = options_.planted;
  result.coordinator.planted = options_.planted;
  result.flusher.engine = node.observed.get();
  result.detached_flusher = false;
  result.gateway.default_timeout_us = 1'000'000;
  result.link.timeout_ms = 1'000;
  result.link.heartbeat_ms = 250;
  // Members are suspected and downed within the time of a scenario.
  auto& gossip = result.gossip.membership;
  gossip.heartbeat_ms = 200;
  gossip.watching.probe_ms = 100;
  gossip.watching.suspect_pause_ms = 200;
  gossip.watching.accuse_pause_ms = 600;
  gossip.watching.pause_ms = 400;
  // Several times in a scenario, or never.
  result.repair.interval_ms = options_.exchanges ? 1'000 : 1'000'000;
  result.repair.retry_ms = 300;
  result.repair.exchange.patience_ms = 2'000;
  result.repair.patience_us = 2'000'000;
  result.repair.planted = options_.planted;
  result.knocker = spawn_knocker(n);
  result.seed = net_.random()();
  result.connector = [this, n](core::member_index to) {
    return spawn_connector(n, to);
  };
  return result;
}

void sim_cluster::watch_child(host n, child_spec& spec) {
  spec.start = [this, n, name = spec.name, role = spec.role,
                start = std::move(spec.start)](const auto& earlier) {
    auto actor = start(earlier);
    auto& node = nodes_[n];
    net_.place(actor, n);
    node.actors.push_back(actor);
    auto& running = node.children;
    running.erase(std::remove_if(running.begin(), running.end(),
                                 [&](const child& x) {
                                   return x.name == name;
                                 }),
                  running.end());
    running.push_back({name, actor});
    if (role == child_spec::kind::gateway)
      node.gateway = caf::actor_cast<gateway_actor>(actor);
    // An fsync takes its time: others go on, and a crash may come first.
    if (name == "flusher")
      net_.slow_down(actor, options_.flush_time);
    return actor;
  };
}

knocker_actor sim_cluster::spawn_knocker(host from) {
  auto result = sys_.spawn(
    [this](knocker_actor::pointer) -> knocker_actor::behavior_type {
      return {[this](knock_atom, const std::string&, uint16_t port) {
        return !is_up(port - 1u);
      }};
    });
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(result);
  net_.place(actor, from);
  nodes_[from].actors.push_back(actor);
  return result;
}

void sim_cluster::start(host n) {
  auto& node = nodes_[n];
  if (net_.is_down(n))
    net_.restart(n);
  node.engine = std::make_unique<storage::memory_engine>(node.disk);
  node.observed = std::make_unique<observed_engine>(
    *node.engine, [this, n](storage::table_id table, std::string_view key,
                            std::string_view before, std::string_view after) {
      auto decoded = [](std::string_view row) {
        return row.empty() ? core::record{} : core::decode_record(row);
      };
      auto now = decoded(after);
      auto old = decoded(before);
      storage::record_position at;
      auto is_record = storage::parse_record_key(key, at) && is_group(at.group);
      if (is_record && now && old)
        guard_.stored(net_.now_us(), nodes_[n].context->incarnations[table],
                      at.key, *old, *now);
    });
  node.context = runtime::make_node_context(
    options_.shape.view, static_cast<core::member_index>(n), options_.shards);
  node.context->wall_us = [this, n] {
    return wall_us(n);
  };
  node.context->log = log_;
  node.context->previous_run = node.run;
  node.context->run = ++node.run;
  node.stopping = node.done = false;
  node.actors.clear();
  supervisor_config tree;
  auto wiring = wiring_of(n);
  tree.children = runtime::wire_node(sys_, node.context, wiring);
  for (auto& spec : tree.children)
    watch_child(n, spec);
  tree.make_link
    = [this, n,
       make = runtime::link_maker(sys_, node.context, wiring)](auto peer) {
        auto spec = make(peer);
        watch_child(n, spec);
        return spec;
      };
  tree.give_up = [this, n](const std::string& why) {
    net_.note("node " + std::to_string(n) + " gives up: " + why);
    nodes_[n].done = true;
  };
  node.supervisor
    = sys_.spawn(supervisor, tree, node_context_ptr{node.context});
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(node.supervisor);
  net_.place(actor, n);
  node.actors.insert(node.actors.begin(), actor);
  // Sooner or later it reads what it knew.
  if (node.epoch && net_.chance(70))
    give_epoch(n, node.epoch);
}

void sim_cluster::give_epoch(host n, const epoch_ptr& epoch) {
  nodes_[n].epoch = epoch;
  caf::anon_send(nodes_[n].supervisor, epoch_atom::value, epoch);
}

core::epoch_id sim_cluster::epoch_of(host n) const {
  return nodes_[n].context->newest_view()->id();
}

uint64_t sim_cluster::epochs_missed(host n) const {
  return nodes_[n].context->epochs_missed;
}

uint64_t sim_cluster::replanned() const {
  auto result = replanned_;
  for (const auto& node : nodes_)
    if (node.context)
      result += node.context->counters.replanned;
  return result;
}

void sim_cluster::crash(host n) {
  auto& node = nodes_[n];
  restarts_ += static_cast<uint32_t>(node.context->counters.restarts);
  replanned_ += node.context->counters.replanned;
  net_.crash(n);
  // A supervisor killed before its first message starts its children first.
  while (!node.actors.empty())
    net_.kill(std::exchange(node.actors, {}));
  node.children.clear();
  node.gateway = gateway_actor{};
  node.supervisor = local_supervisor_actor{};
  node.context.reset();
  // Forgets what was not flushed, as a power loss does.
  node.observed.reset();
  node.engine.reset();
}

void sim_cluster::stop(host n) {
  if (!is_up(n) || nodes_[n].stopping)
    return;
  nodes_[n].stopping = true;
  net_.note("stop " + std::to_string(n));
  auto drain = [this, n, target = nodes_[n].supervisor,
                run = nodes_[n].run](caf::event_based_actor* self) {
    auto over = [this, n, run](bool clean) {
      net_.note("node " + std::to_string(n)
                + (clean ? " stops cleanly" : " stops"));
      if (nodes_[n].run == run)
        nodes_[n].done = true;
    };
    self->request(target, std::chrono::seconds(30), drain_atom::value)
      .then(over, [over](const caf::error&) {
        over(false);
      });
  };
  auto actor = caf::actor_cast<caf::strong_actor_ptr>(sys_.spawn(drain));
  net_.place(actor, n);
  nodes_[n].actors.push_back(actor);
}

void sim_cluster::bury() {
  for (host n = 0; n < size(); ++n)
    if (is_up(n) && nodes_[n].done)
      crash(n);
}

void sim_cluster::crash_child(host n) {
  auto& node = nodes_[n];
  if (!is_up(n) || node.children.empty())
    return;
  const auto& victim = node.children[net_.random()() % node.children.size()];
  net_.note("node " + std::to_string(n) + " loses its " + victim.name);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(victim.actor),
                      caf::exit_reason::kill);
}

void sim_cluster::fail_commits(host n, uint32_t count) {
  if (!is_up(n))
    return;
  // A node whose first commit fails does not start, rightly: that ends the
  // process. So one with a shard that has not begun yet is left in peace.
  const auto& begun = nodes_[n].context->incarnations;
  if (std::find(begun.begin(), begun.end(), uint64_t{0}) == begun.end())
    nodes_[n].engine->fail_commits(count);
}

void sim_cluster::fail_reads(host n, uint32_t count) {
  if (is_up(n))
    nodes_[n].engine->fail_reads(count);
}

void sim_cluster::fill_disk(host n, bool full) {
  if (is_up(n))
    nodes_[n].engine->set_disk_full(full);
}

void sim_cluster::stall_disk(host n, std::chrono::milliseconds how_long) {
  if (!is_up(n))
    return;
  auto reads_too = net_.chance(50);
  for (const auto& x : nodes_[n].children)
    if (x.name == "flusher"
        || (reads_too && x.name.rfind("storage-shard/", 0) == 0))
      net_.stall(x.actor, how_long);
}

void sim_cluster::skew_clock(host n) {
  nodes_[n].skew_us = draw_skew();
}

bool sim_cluster::connected() const {
  for (host n = 0; n < nodes_.size(); ++n) {
    if (!is_up(n) || nodes_[n].stopping || nodes_[n].done)
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

std::string sim_cluster::hints() const {
  std::string result;
  for (host n = 0; n < nodes_.size(); ++n)
    for (host to = 0; nodes_[n].context && to < nodes_.size(); ++to)
      if (auto rows = nodes_[n].context->hints[to].rows.load(); rows > 0)
        result += " " + std::to_string(n) + " keeps " + std::to_string(rows)
                  + " for " + std::to_string(to);
  return result;
}

bool sim_cluster::is_home(host n, const std::string& key) const {
  const auto& ks = *options_.shape.view->find_keyspace(siblings_keyspace);
  return ks.at(core::slot_of(key, ks.hash_tags))
    .is_home(static_cast<core::member_index>(n));
}

gateway_actor sim_cluster::gateway(host from, host n) {
  return net_.proxy(from, n, nodes_[n].gateway);
}

std::map<std::string, std::string> sim_cluster::records(host n) {
  std::map<std::string, std::string> result;
  auto session = nodes_[n].engine->open_session();
  for (uint32_t table = 0; table < options_.shards; ++table)
    session->scan(table, {}, {}, [&](std::string_view key, auto value) {
      storage::record_position at;
      if (storage::parse_record_key(key, at) && is_group(at.group))
        result.emplace(key, value);
      return true;
    });
  return result;
}

} // namespace covey::simulation
