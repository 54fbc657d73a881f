#include "tests/simulation/faults.hpp"

#include <algorithm>

namespace covey::simulation {

namespace {

constexpr auto kinds = static_cast<uint32_t>(faults::kind::clock_jump) + 1;

} // namespace

faults::faults(sim_net& net, sim_cluster& cluster, bool clement)
  : net_(net), cluster_(cluster) {
  if (clement)
    return;
  weather w;
  w.loss = static_cast<uint32_t>(net.random()() % 4);
  w.duplicates = static_cast<uint32_t>(net.random()() % 3);
  w.delayed = static_cast<uint32_t>(net.random()() % 30);
  net.set_weather(w);
  for (uint32_t i = 0; i < kinds; ++i)
    if (net.chance(35))
      kinds_.push_back(static_cast<kind>(i));
  pause_ms_ = 40u << (net.random()() % 5);
  recovery_percent_ = static_cast<uint32_t>(15 + net.random()() % 40);
}

bool faults::strikes(kind x) const {
  return std::find(kinds_.begin(), kinds_.end(), x) != kinds_.end();
}

std::chrono::milliseconds faults::draw_ms(uint32_t least, uint32_t most) {
  return std::chrono::milliseconds(least
                                   + net_.random()() % (most - least + 1));
}

std::chrono::milliseconds faults::pause() {
  return draw_ms(1, 2 * pause_ms_);
}

void faults::strike() {
  if (kinds_.empty() || net_.chance(recovery_percent_))
    recover();
  else
    inflict(kinds_[net_.random()() % kinds_.size()],
            static_cast<host>(net_.random()() % cluster_.size()));
}

void faults::inflict(kind what, host n) {
  switch (what) {
    case kind::crash:
      crash(n);
      break;
    case kind::power_failure:
      if (net_.chance(30))
        fail_power();
      break;
    case kind::power_after_ack:
      break;
    case kind::cut:
      cut_off(n);
      break;
    case kind::slow_link:
      net_.slow_link(n, (n + 1) % cluster_.size(), draw_ms(5, 400));
      break;
    case kind::freeze:
      if (cluster_.is_up(n))
        net_.freeze(n, draw_ms(50, 4'000));
      break;
    case kind::commit_errors:
      cluster_.fail_commits(n, 1 + net_.random()() % 3);
      break;
    case kind::read_errors:
      cluster_.fail_reads(n, 1 + net_.random()() % 3);
      break;
    case kind::full_disk:
      cluster_.fill_disk(n, true);
      break;
    case kind::stalled_disk:
      cluster_.stall_disk(n, draw_ms(50, 4'000));
      break;
    case kind::actor_crash:
      cluster_.crash_child(n);
      break;
    case kind::clean_stop:
      cluster_.stop(n);
      break;
    case kind::clock_jump:
      cluster_.skew_clock(n);
      break;
  }
}

void faults::cut_off(host n) {
  auto peer = static_cast<host>(
    (n + 1 + net_.random()() % (cluster_.size() - 1)) % cluster_.size());
  auto from_all = net_.chance(20);
  auto both_ways = net_.chance(50);
  for (host x = 0; x < cluster_.size(); ++x)
    if (x != n && (from_all || x == peer)) {
      net_.cut(n, x);
      if (both_ways)
        net_.cut(x, n);
    }
}

void faults::answered() {
  if (strikes(kind::power_after_ack) && net_.chance(3))
    power_is_failing_ = true;
}

void faults::fail_power() {
  power_is_failing_ = false;
  for (host n = 0; n < cluster_.size(); ++n)
    crash(n);
  if (net_.chance(50))
    recover();
}

void faults::crash(host n) {
  if (!cluster_.is_up(n))
    return;
  cluster_.crash(n);
  ++crashes_;
}

void faults::recover() {
  net_.heal();
  for (host n = 0; n < cluster_.size(); ++n) {
    cluster_.fill_disk(n, false);
    if (!cluster_.is_up(n))
      cluster_.start(n);
  }
}

void faults::calm() {
  net_.set_weather({});
  for (host n = 0; n < cluster_.size(); ++n) {
    cluster_.fail_commits(n, 0);
    cluster_.fail_reads(n, 0);
  }
  net_.thaw();
  recover();
}

} // namespace covey::simulation
