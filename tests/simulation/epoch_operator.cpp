#include "tests/simulation/epoch_operator.hpp"

#include "core/check.hpp"

#include <algorithm>

namespace covey::simulation {

namespace {

constexpr uint32_t max_added = 6;
/// Until an epoch has come to every node that runs.
constexpr uint32_t spread_ms = 1'500;
/// From what shows that an epoch is missed to the epoch.
constexpr uint32_t pull_ms = 60;

core::keyspace& find(core::epoch& e, const std::string& name) {
  auto i
    = std::find_if(e.keyspaces.begin(), e.keyspaces.end(), [&](const auto& x) {
        return x.name == name;
      });
  COVEY_CHECK(i != e.keyspaces.end());
  return *i;
}

} // namespace

epoch_operator::epoch_operator(sim_net& net, sim_cluster& cluster, bool idle)
  : net_(net), cluster_(cluster), idle_(idle || net.chance(50)),
    newest_(cluster.shape().epoch), due_(cluster.size()),
    missed_(cluster.size()) {}

void epoch_operator::act() {
  if (idle_ || !net_.chance(30))
    return;
  auto next = std::make_shared<core::epoch>(*newest_);
  ++next->id.number;
  auto dice = net_.random()() % 3;
  if (dice == 0 && added_ < max_added) {
    core::keyspace ks = find(*next, siblings_keyspace);
    ks.name = "added" + std::to_string(added_++);
    next->keyspaces.insert(next->keyspaces.begin(), ks);
    std::sort(next->keyspaces.begin(), next->keyspaces.end(),
              [](const auto& x, const auto& y) {
                return x.name < y.name;
              });
  } else if (dice == 1 && added_ > 0) {
    find(*next, "added0").default_ttl_s += 60;
  } else {
    auto& ks = find(*next, lww_keyspace);
    ks.hash_tags = !ks.hash_tags;
  }
  COVEY_CHECK(core::validate(*next).empty());
  newest_ = next;
  net_.note("epoch " + std::to_string(next->id.number) + " is decided");
  for (host n = 0; n < cluster_.size(); ++n)
    plan(n, spread_ms);
}

bool epoch_operator::lacks(host n) const {
  return cluster_.is_up(n) && cluster_.epoch_of(n) < newest().id;
}

void epoch_operator::plan(host n, uint32_t most_ms) {
  auto at = net_.now() + std::chrono::milliseconds(net_.random()() % most_ms);
  if (!due_[n] || at < *due_[n])
    due_[n] = at;
}

bool epoch_operator::due() {
  if (newest_ == cluster_.shape().epoch)
    return false;
  auto result = false;
  for (host n = 0; n < cluster_.size(); ++n) {
    if (!lacks(n))
      continue;
    auto missed = cluster_.epochs_missed(n);
    if (missed != missed_[n])
      plan(n, pull_ms);
    // It was started anew, and may have forgotten.
    else if (!due_[n])
      plan(n, spread_ms);
    missed_[n] = missed;
    result = result || net_.now() >= *due_[n];
  }
  return result;
}

void epoch_operator::deliver() {
  for (host n = 0; n < cluster_.size(); ++n)
    if (due_[n] && net_.now() >= *due_[n]) {
      due_[n].reset();
      if (lacks(n))
        cluster_.give_epoch(n, newest_);
    }
}

void epoch_operator::deliver_to_all() {
  for (host n = 0; n < cluster_.size(); ++n)
    if (lacks(n))
      cluster_.give_epoch(n, newest_);
}

bool epoch_operator::settled() const {
  for (host n = 0; n < cluster_.size(); ++n)
    if (lacks(n))
      return false;
  return true;
}

} // namespace covey::simulation
