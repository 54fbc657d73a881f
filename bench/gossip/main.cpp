// covey_gossip_sim: how fast members learn of a death and of a heartbeat, what
// it costs, and how often they err, on virtual time
// (docs/design/membership.md).

#include "bench/gossip/world.hpp"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

using namespace covey;
using namespace covey::bench;

namespace {

struct result {
  size_t members = 0;
  double loss = 0;
  /// Heartbeat intervals.
  double rounds_of_heartbeat = 0;
  /// From the second accusation until all see it down.
  double rounds_of_death = 0;
  /// From the death until all see it down.
  double seconds_of_death = 0;
  double messages_per_second = 0;
  double bytes_per_second = 0;
  uint64_t largest = 0;
  /// Of members that lived: views that turned suspect and down, and
  /// accusations.
  uint64_t suspects = 0;
  uint64_t accusations = 0;
  uint64_t downs = 0;
  double watched_hours = 0;
};

double rounds(const world_options& options, uint64_t ms) {
  return static_cast<double>(ms)
         / static_cast<double>(options.membership.heartbeat_ms);
}

/// Until all know the heartbeat that member 0 has just made.
double measure_heartbeat(world& w, const world_options& options) {
  auto before = w.at(0).table().row(0).heartbeat;
  w.run_until(
    [&] {
      return w.at(0).table().row(0).heartbeat > before;
    },
    10 * options.membership.heartbeat_ms);
  auto fresh = w.at(0).table().row(0).heartbeat;
  auto all = [&] {
    for (size_t i = 1; i < w.size(); ++i)
      if (w.at(static_cast<world::index>(i)).table().life_of(0).heartbeat
          < fresh)
        return false;
    return true;
  };
  return rounds(options, w.run_until(all, 120'000));
}

size_t accusers_of(const world& w, world::index m) {
  size_t count = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    if (i == m)
      continue;
    auto accuser = static_cast<world::index>(i);
    const auto& table = w.at(accuser).table();
    for (const auto& x : table.row(accuser).accuses)
      count += x.member == table.row(m).id ? 1 : 0;
  }
  return count;
}

void measure_death(world& w, const world_options& options, result& out) {
  w.kill(0);
  auto accused = w.run_until(
    [&] {
      return accusers_of(w, 0) >= (w.size() == 2 ? 1 : 2);
    },
    60'000);
  auto spread = w.run_until(
    [&] {
      return w.seeing(0, core::health::down) == w.running();
    },
    120'000);
  out.rounds_of_death = rounds(options, spread);
  out.seconds_of_death = static_cast<double>(accused + spread) / 1000;
}

result measure(const world_options& options, uint64_t quiet_s) {
  result out;
  out.members = options.members;
  out.loss = options.loss;
  world w{options};
  w.run_for(30'000);
  auto before = w.counters();
  auto sent = w.sent();
  w.run_for(quiet_s * 1000);
  auto n = static_cast<double>(options.members);
  auto seconds = static_cast<double>(quiet_s);
  out.messages_per_second
    = static_cast<double>(w.sent().messages - sent.messages) / n / seconds;
  out.bytes_per_second
    = static_cast<double>(w.sent().bytes - sent.bytes) / n / seconds;
  out.largest = w.sent().largest;
  auto after = w.counters();
  out.suspects = after.suspects - before.suspects;
  out.accusations = after.accusations - before.accusations;
  out.downs = after.downs - before.downs;
  auto watched = std::min(n - 1, static_cast<double>(core::max_watchers));
  out.watched_hours = n * watched * seconds / 3600;
  out.rounds_of_heartbeat = measure_heartbeat(w, options);
  measure_death(w, options, out);
  return out;
}

void print_head() {
  std::printf("%8s %6s %7s %10s %7s %8s %9s %9s %8s %9s %9s %6s\n", "members",
              "loss", "log2 n", "heartbeat", "death", "death, s", "msg/s",
              "B/s", "largest", "suspects", "accused", "downs");
}

void print(const result& x) {
  std::printf("%8zu %5.1f%% %7.1f %10.1f %7.1f %8.2f %9.1f %9.0f %8llu %9llu "
              "%9llu %6llu\n",
              x.members, x.loss, std::log2(x.members), x.rounds_of_heartbeat,
              x.rounds_of_death, x.seconds_of_death, x.messages_per_second,
              x.bytes_per_second, static_cast<unsigned long long>(x.largest),
              static_cast<unsigned long long>(x.suspects),
              static_cast<unsigned long long>(x.accusations),
              static_cast<unsigned long long>(x.downs));
  std::fflush(stdout);
}

nlohmann::ordered_json to_json(const result& x) {
  return {{"members", x.members},
          {"loss_percent", x.loss},
          {"rounds_of_heartbeat", x.rounds_of_heartbeat},
          {"rounds_of_death", x.rounds_of_death},
          {"seconds_of_death", x.seconds_of_death},
          {"messages_per_node_second", x.messages_per_second},
          {"bytes_per_node_second", x.bytes_per_second},
          {"largest_message_bytes", x.largest},
          {"false_suspects", x.suspects},
          {"false_accusations", x.accusations},
          {"false_downs", x.downs},
          {"watched_hours", x.watched_hours}};
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates the gossip of many members on virtual time."};
  std::vector<size_t> members{10, 100, 1000};
  std::vector<double> losses{0, 1, 5, 10};
  world_options options;
  uint64_t quiet_s = 60;
  auto exponential = false;
  auto json = false;
  auto check = false;
  app.add_option("--members", members, "Sizes of clusters")
    ->check(CLI::Range(2, 10'000))
    ->delimiter(',');
  app.add_option("--loss", losses, "Percent of messages lost")
    ->check(CLI::Range(0.0, 100.0))
    ->delimiter(',');
  app
    .add_option("--seconds", quiet_s,
                "Virtual seconds in which traffic and errors are counted")
    ->check(CLI::Range(1, 86'400));
  app.add_option("--seed", options.seed, "Seed of everything");
  app.add_flag("--exponential", exponential,
               "Phi of the exponential model instead of the normal one");
  app.add_flag("--json", json, "Write JSON, for bench/gossip/plot.py");
  app.add_flag("--check", check,
               "Fail if a member that lives was seen down, if one that died "
               "was not, or if news take more than 3 log2 n rounds");
  CLI11_PARSE(app, argc, argv);
  if (exponential)
    options.membership.watching.model = core::phi_model::exponential;
  auto rows = nlohmann::ordered_json::array();
  auto sound = true;
  if (!json)
    print_head();
  for (auto n : members)
    for (auto loss : losses) {
      options.members = n;
      options.loss = loss;
      auto x = measure(options, quiet_s);
      if (json)
        rows.push_back(to_json(x));
      else
        print(x);
      auto limit = 3 * std::log2(static_cast<double>(n));
      sound = sound && x.downs == 0 && x.rounds_of_death <= limit
              && x.rounds_of_heartbeat <= limit;
    }
  if (json)
    std::printf("%s\n", rows.dump(2).c_str());
  return check && !sound ? 1 : 0;
}
