#include "tests/simulation/scenario.hpp"

#include "messages/registration.hpp"
#include "tests/simulation/epoch_operator.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/sim_client.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <optional>

namespace covey::simulation {

namespace {

using std::chrono::milliseconds;

struct test_config : system_config {
  test_config() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

cluster_options draw_cluster(sim_net& net, const scenario_options& options) {
  cluster_options result;
  result.planted = options.planted;
  result.shards = 1 + net.random()() % 2;
  result.shape = options.clement ? make_layout(5, false, false)
                                 : draw_layout(net.random());
  // Now and then a slow disk, and clocks that nobody looks after.
  result.flush_time = milliseconds(net.chance(20) ? 100 : 12);
  result.skew_us = net.chance(20) ? 500'000 : 50'000;
  result.exchanges = net.chance(30);
  return result;
}

workload draw_workload(sim_net& net, const scenario_options& options) {
  workload result;
  if (options.clement) {
    result.think = milliseconds(40);
    return result;
  }
  result.think = milliseconds(net.chance(60) ? 8 : 100);
  result.other_levels_percent = net.chance(50) ? 0 : 40;
  result.ttl_percent = net.chance(50) ? 0 : 10;
  return result;
}

history_rules rules_of(const cluster_options& shape) {
  history_rules result;
  result.overlaps = shape.shape.overlaps;
  result.clock_spread_us = 2 * shape.skew_us;
  return result;
}

/// How much later a deadline may become: by a jump of the clock that it was
/// given on, and by one that a link has not measured yet. Without jumps by
/// nothing.
uint64_t deadline_slack_us(const cluster_options& shape, const faults& storm) {
  return storm.strikes(faults::kind::clock_jump) ? 4 * shape.skew_us : 0;
}

class run {
public:
  explicit run(const scenario_options& options)
    : options_(options), sys_(cfg_), net_(sys_, options.seed) {
    net_.set_trace(options.trace);
  }

  scenario_result go() {
    auto shape = draw_cluster(net_, options_);
    auto load = draw_workload(net_, options_);
    history log{rules_of(shape)};
    witness guard{log};
    sim_cluster cluster{sys_, net_, shape, guard};
    faults storm{net_, cluster, options_.clement};
    epochs_.emplace(net_, cluster, options_.clement);
    guard.set_slack(deadline_slack_us(shape, storm));
    load.answered = [&storm] {
      storm.answered();
    };
    live_through(cluster, storm, log, load);
    hand_over(cluster, storm, log, "hints of the storm are not handed over");
    if (out_.violations.empty() && shape.exchanges)
      become_equal(cluster, storm);
    if (out_.violations.empty())
      read_everything(cluster, log);
    if (out_.violations.empty() && net_.chance(25))
      be_away(cluster, storm, log);
    // A put that its client or a node repeats may be executed twice: here it is
    // known which ones were.
    for (size_t i = 0; i < log.puts().size(); ++i)
      log.put(i).repeated = guard.repeated(log.puts()[i].value);
    for (auto& line : log.check())
      out_.violations.push_back(std::move(line));
    for (const auto& line : guard.violations())
      out_.violations.push_back(line);
    account(cluster, storm, log);
    return std::move(out_);
  }

private:
  void live_through(sim_cluster& cluster, faults& storm, history& log,
                    const workload& load) {
    if (!net_.run_until(
          [&] {
            return cluster.connected();
          },
          milliseconds(20'000)))
      out_.violations.emplace_back("the nodes do not find each other");
    std::vector<std::unique_ptr<sim_client>> clients;
    for (uint32_t i = 0; i < options_.clients; ++i)
      clients.push_back(
        std::make_unique<sim_client>(sys_, net_, cluster, log, i, load));
    for (auto& client : clients)
      client->start();
    auto end = net_.now() + options_.duration;
    while (net_.now() < end) {
      net_.run_until(
        [&] {
          return storm.power_is_failing() || epochs_->due();
        },
        storm.pause());
      epochs_->deliver();
      cluster.bury();
      if (storm.power_is_failing())
        storm.fail_power();
      else if (!options_.clement)
        storm.strike();
      epochs_->act();
    }
    for (auto& client : clients)
      client->stop();
    auto quiet = [&] {
      for (auto& client : clients)
        if (!client->idle())
          return false;
      return cluster.connected() && epochs_->settled();
    };
    // Nodes that are about to stop do so, and are started again.
    auto limit = net_.now() + std::chrono::seconds(60);
    do {
      storm.calm();
      epochs_->deliver_to_all();
      // Actors that were struck while they could not run end only now.
      net_.run_for(milliseconds(100));
      cluster.bury();
    } while (!quiet() && net_.now() < limit);
    if (!quiet())
      out_.violations.emplace_back("clients or links do not recover");
  }

  void hand_over(sim_cluster& cluster, faults& storm, history& log,
                 const std::string& otherwise) {
    auto whole = [&] {
      return cluster.connected() && epochs_->settled() && cluster.no_hints();
    };
    auto limit = net_.now() + std::chrono::seconds(60);
    // Nodes that give up only now are started again.
    for (; !whole() && net_.now() < limit; cluster.bury()) {
      storm.calm();
      epochs_->deliver_to_all();
      net_.run_for(milliseconds(100));
    }
    if (!whole())
      out_.violations.push_back(otherwise + cluster.hints());
    log.handed_over(net_.now_us());
  }

  /// One node is away while others take writes, and nothing else goes wrong:
  /// when it is back and the hints are gone, it must have all that is at home
  /// on it, read from it alone.
  void be_away(sim_cluster& cluster, faults& storm, history& log) {
    auto away = static_cast<host>(net_.random()() % cluster.size());
    auto holder = (away + 1) % cluster.size();
    cluster.crash(away);
    net_.run_until(
      [&] {
        return cluster.missed(away);
      },
      milliseconds(10'000));
    workload calm;
    calm.other_levels_percent = calm.ttl_percent = 0;
    sim_client client{sys_, net_, cluster, log, 98, calm};
    client.stop();
    auto idle = [&] {
      return client.idle();
    };
    std::vector<key_name> keys;
    for (int i = 0; i < 12; ++i) {
      keys.push_back({siblings_keyspace, "away" + std::to_string(i)});
      client.write(keys.back());
      net_.run_until(idle, milliseconds(10'000));
    }
    // What hints were acknowledged outlives their keeper's crash.
    net_.run_for(milliseconds(500));
    if (net_.chance(50)) {
      cluster.crash(holder);
      cluster.start(holder);
    }
    cluster.start(away);
    hand_over(cluster, storm, log, "hints are not handed over");
    for (const auto& key : keys) {
      if (!cluster.is_home(away, key.key))
        continue;
      client.read(key, away, core::consistency_level::one);
      net_.run_until(idle, milliseconds(5'000));
      if (!client.last_read_ok())
        out_.violations.push_back("the node that was away does not serve "
                                  + key.full());
    }
  }

  /// Replicas must become equal without being read.
  void become_equal(sim_cluster& cluster, faults& storm) {
    auto limit = net_.now() + std::chrono::seconds(30);
    auto different = divergence(cluster);
    for (; !different.empty() && net_.now() < limit; cluster.bury()) {
      storm.calm();
      net_.run_for(milliseconds(200));
      if (cluster.connected())
        different = divergence(cluster);
    }
    for (const auto& line : different)
      out_.violations.push_back(line + " compared for half a minute");
  }

  /// Every node must serve every key at ALL once the faults are over; then all
  /// homes of a key have the same.
  void read_everything(sim_cluster& cluster, history& log) {
    sim_client reader{sys_, net_, cluster, log, 99, {}};
    reader.stop();
    for (const auto& key : sim_client::keys())
      for (host n = 0; n < cluster.size(); ++n)
        if (!served(reader, key, n))
          out_.violations.push_back("node " + std::to_string(n)
                                    + " cannot serve " + key.full()
                                    + " at ALL after the faults");
    for (const auto& line : divergence(cluster))
      out_.violations.push_back(line + " read");
  }

  bool served(sim_client& reader, const key_name& key, host n) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      reader.read(key, n, core::consistency_level::all);
      net_.run_until(
        [&] {
          return reader.idle();
        },
        milliseconds(5'000));
      if (reader.last_read_ok())
        return true;
      // Not yet all is well: a shard looks at its disk now and then only.
      net_.run_for(milliseconds(500));
    }
    return false;
  }

  static std::vector<std::string> divergence(sim_cluster& cluster) {
    std::map<std::string, std::map<uint64_t, uint32_t>> versions;
    for (host n = 0; n < cluster.size(); ++n)
      for (const auto& [key, bytes] : cluster.records(n))
        if (auto r = core::decode_record(bytes))
          ++versions[key][core::version_hash(*r)];
    std::vector<std::string> result;
    auto homes = static_cast<uint32_t>(cluster.shape().homes.size());
    for (const auto& [key, found] : versions)
      if (found.size() != 1 || found.begin()->second != homes)
        result.push_back("replicas of " + key.substr(10)
                         + " differ after all were");
    return result;
  }

  void account(const sim_cluster& cluster, const faults& storm,
               const history& log) {
    out_.digest = net_.digest();
    out_.steps = net_.steps();
    out_.virtual_us = net_.now_us();
    out_.puts = log.puts().size();
    out_.gets = log.gets();
    out_.crashes = storm.crashes();
    out_.restarts = cluster.restarts();
    out_.replanned = cluster.replanned();
    for (const auto& put : log.puts())
      out_.acknowledged += put.result == outcome::acknowledged ? 1 : 0;
  }

  scenario_options options_;
  test_config cfg_;
  caf::actor_system sys_;
  sim_net net_;
  std::optional<epoch_operator> epochs_;
  scenario_result out_;
};

} // namespace

scenario_result run_scenario(const scenario_options& options) {
  return run{options}.go();
}

} // namespace covey::simulation
