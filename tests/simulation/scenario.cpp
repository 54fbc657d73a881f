#include "tests/simulation/scenario.hpp"

#include "messages/registration.hpp"
#include "tests/simulation/sim_client.hpp"

#include <caf/actor_system.hpp>

#include <memory>

namespace covey::simulation {

namespace {

using std::chrono::milliseconds;

struct test_config : system_config {
  test_config() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

/// Crashes, cuts and failing disks at random times.
class faults {
public:
  faults(sim_net& net, sim_cluster& cluster) : net_(net), cluster_(cluster) {
    weather w;
    w.loss = static_cast<uint32_t>(net.random()() % 4);
    w.duplicates = static_cast<uint32_t>(net.random()() % 3);
    w.delayed = static_cast<uint32_t>(net.random()() % 30);
    net.set_weather(w);
  }

  void strike() {
    auto n = static_cast<host>(net_.random()() % cluster_.size());
    switch (net_.random()() % 8) {
      case 0:
      case 1:
      case 2:
        if (all_up())
          crash(n);
        break;
      case 3:
        if (net_.chance(30))
          for (host i = 0; i < cluster_.size(); ++i)
            if (cluster_.is_up(i))
              crash(i);
        break;
      case 4:
        cut(n, (n + 1) % cluster_.size());
        break;
      case 5:
        cluster_.fail_commits(n, 1 + net_.random()() % 3);
        break;
      default:
        recover();
    }
  }

  void recover() {
    net_.heal();
    for (host n = 0; n < cluster_.size(); ++n)
      if (!cluster_.is_up(n))
        cluster_.start(n);
  }

  void calm() {
    net_.set_weather({});
    recover();
  }

  uint32_t crashes() const {
    return crashes_;
  }

private:
  bool all_up() const {
    for (host n = 0; n < cluster_.size(); ++n)
      if (!cluster_.is_up(n))
        return false;
    return true;
  }
  void crash(host n) {
    cluster_.crash(n);
    ++crashes_;
  }
  void cut(host x, host y) {
    net_.cut(x, y);
    if (net_.chance(50))
      net_.cut(y, x);
  }

  sim_net& net_;
  sim_cluster& cluster_;
  uint32_t crashes_ = 0;
};

/// Every node must serve every key at ALL once the faults are over.
void read_everything(sim_net& net, sim_cluster& cluster, history& log,
                     caf::actor_system& sys, scenario_result& out) {
  sim_client reader{sys, net, cluster, log, 99};
  reader.stop();
  std::set<std::string> keys;
  for (const auto& put : log.puts())
    keys.insert(put.key);
  for (const auto& key : keys)
    for (host n = 0; n < cluster.size(); ++n) {
      auto served = false;
      for (int attempt = 0; attempt < 5 && !served; ++attempt) {
        reader.read(key, n, core::consistency_level::all);
        net.run_until(
          [&] {
            return reader.idle();
          },
          milliseconds(5'000));
        served = reader.last_read_ok();
      }
      if (!served)
        out.violations.push_back("node " + std::to_string(n) + " cannot serve "
                                 + key + " at ALL after the faults");
    }
}

/// One node is away while others take writes, and nothing else goes wrong: when
/// it is back and the hints are gone, it must have all that is at home on it,
/// read from it alone.
void be_away(sim_net& net, sim_cluster& cluster, history& log,
             caf::actor_system& sys, scenario_result& out) {
  auto away = static_cast<host>(net.random()() % cluster.size());
  auto holder = (away + 1) % cluster.size();
  cluster.crash(away);
  net.run_until(
    [&] {
      return cluster.missed(away);
    },
    milliseconds(10'000));
  sim_client client{sys, net, cluster, log, 98};
  client.stop();
  auto idle = [&] {
    return client.idle();
  };
  std::vector<std::string> keys;
  for (int i = 0; i < 12; ++i) {
    keys.push_back("away" + std::to_string(i));
    client.write(keys.back());
    net.run_until(idle, milliseconds(10'000));
  }
  // What hints were acknowledged outlives their keeper's crash.
  net.run_for(milliseconds(500));
  if (net.chance(50)) {
    cluster.crash(holder);
    cluster.start(holder);
  }
  cluster.start(away);
  auto whole = [&] {
    return cluster.connected() && cluster.no_hints();
  };
  if (!net.run_until(whole, milliseconds(30'000)))
    out.violations.push_back("hints are not handed over");
  log.handed_over(net.now_us());
  for (const auto& key : keys) {
    if (!cluster.is_home(away, key))
      continue;
    client.read(key, away, core::consistency_level::one);
    net.run_until(idle, milliseconds(5'000));
    if (!client.last_read_ok())
      out.violations.push_back("the node that was away does not serve " + key);
  }
}

} // namespace

scenario_result run_scenario(const scenario_options& options) {
  scenario_result out;
  test_config cfg;
  caf::actor_system sys{cfg};
  sim_net net{sys, options.seed};
  net.set_trace(options.trace);
  cluster_options shape;
  shape.planted = options.planted;
  shape.shards = 1 + net.random()() % 2;
  // With five nodes some are no home of a key, and forward.
  shape.nodes = net.chance(50) ? 3 : 5;
  // Slow disks: more is lost in a crash, if anybody relied on it.
  if (net.chance(25))
    shape.flush = milliseconds(150);
  sim_cluster cluster{sys, net, shape};
  history log;
  if (!net.run_until(
        [&] {
          return cluster.connected();
        },
        milliseconds(20'000)))
    out.violations.push_back("the nodes do not find each other");
  {
    std::vector<std::unique_ptr<sim_client>> clients;
    for (uint32_t i = 0; i < options.clients; ++i)
      clients.push_back(
        std::make_unique<sim_client>(sys, net, cluster, log, i));
    for (auto& client : clients)
      client->start();
    faults storm{net, cluster};
    auto end = net.now() + options.duration;
    while (net.now() < end) {
      net.run_for(milliseconds(20 + net.random()() % 300));
      storm.strike();
    }
    for (auto& client : clients)
      client->stop();
    storm.calm();
    auto quiet = [&] {
      for (auto& client : clients)
        if (!client->idle())
          return false;
      return cluster.connected();
    };
    if (!net.run_until(quiet, milliseconds(30'000)))
      out.violations.push_back("clients or links do not recover");
    auto handed_over = [&] {
      return cluster.no_hints();
    };
    if (!net.run_until(handed_over, milliseconds(30'000)))
      out.violations.push_back("hints of the storm are not handed over");
    log.handed_over(net.now_us());
    out.crashes = storm.crashes();
  }
  read_everything(net, cluster, log, sys, out);
  be_away(net, cluster, log, sys, out);
  for (auto& line : log.check(shape.nodes == 3))
    out.violations.push_back(std::move(line));
  out.digest = net.digest();
  out.steps = net.steps();
  out.virtual_us = net.now_us();
  out.puts = log.puts().size();
  out.gets = log.gets();
  for (const auto& put : log.puts())
    out.acknowledged += put.result == outcome::acknowledged ? 1 : 0;
  return out;
}

} // namespace covey::simulation
