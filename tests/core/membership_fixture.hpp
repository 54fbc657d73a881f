// Members that gossip in one process: what is sent arrives a moment later, or
// not at all.

#pragma once

#include "core/membership.hpp"

#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace covey::core::test {

inline std::vector<uuid> member_ids(size_t n) {
  std::vector<uuid> out;
  for (size_t i = 0; i < n; ++i)
    out.push_back(initial_member_id("test", "n" + std::to_string(i)));
  return out;
}

/// Steps of 50 ms: every member that runs ticks, and what it sends is answered
/// within the step, unless the way is cut.
class small_world {
public:
  using index = member_index;

  explicit small_world(size_t n, const membership_config& config = {})
    : config_(config), ids_(member_ids(n)), members_(n), frozen_(n) {
    for (size_t i = 0; i < n; ++i)
      start(static_cast<index>(i), 100);
  }

  void start(index m, uint64_t run) {
    members_[m]
      = std::make_unique<membership>(config_, ids_, m, run, m + 1, now_ms);
  }
  void kill(index m) {
    members_[m].reset();
  }
  /// An epoch that has more members; they start at once.
  void grow(size_t n) {
    auto before = members_.size();
    ids_ = member_ids(n);
    members_.resize(n);
    frozen_.resize(n);
    removed_.resize(n);
    tell_members();
    for (size_t i = before; i < n; ++i)
      start(static_cast<index>(i), 100);
  }
  void remove(index m) {
    removed_.resize(members_.size());
    removed_[m] = true;
    tell_members();
  }
  void freeze(index m, bool on = true) {
    frozen_[m] = on;
  }
  void cut(index from, index to) {
    cuts_.insert({from, to});
  }
  void heal() {
    cuts_.clear();
  }
  bool runs(index m) const {
    return members_[m] && !frozen_[m];
  }
  membership& at(index m) {
    return *members_[m];
  }
  health state(index observer, index m) {
    return at(observer).view().members[m].state;
  }
  /// True if all that run see `m` so.
  bool all_see(index m, health state_) {
    for (size_t i = 0; i < members_.size(); ++i)
      if (i != m && runs(static_cast<index>(i))
          && state(static_cast<index>(i), m) != state_)
        return false;
    return true;
  }
  uint64_t downs() const {
    uint64_t sum = 0;
    for (const auto& x : members_)
      if (x)
        sum += x->counters().downs;
    return sum;
  }

  void step() {
    now_ms += 50;
    for (size_t i = 0; i < members_.size(); ++i)
      if (runs(static_cast<index>(i)))
        act(static_cast<index>(i));
    for (size_t i = 0; i < members_.size(); ++i)
      if (runs(static_cast<index>(i)))
        members_[i]->refresh(now_ms, wall_us());
  }
  void run_for(uint64_t ms) {
    for (auto end = now_ms + ms; now_ms < end;)
      step();
  }
  /// Milliseconds until `done`, or `limit_ms`.
  uint64_t run_until(const std::function<bool()>& done, uint64_t limit_ms) {
    auto begin = now_ms;
    while (!done() && now_ms < begin + limit_ms)
      step();
    return now_ms - begin;
  }
  uint64_t wall_us() const {
    return 1'700'000'000'000'000 + now_ms * 1000;
  }

  uint64_t now_ms = 10'000;
  own_state own;

private:
  void tell_members() {
    for (auto& x : members_)
      if (x)
        x->grow(ids_, removed_, now_ms);
  }
  bool passes(index from, index to) const {
    return runs(from) && runs(to) && cuts_.count({from, to}) == 0;
  }
  void act(index m) {
    std::vector<index> others;
    for (size_t i = 0; i < members_.size(); ++i)
      if (i != m)
        others.push_back(static_cast<index>(i));
    auto out = at(m).tick(now_ms, own, others);
    for (const auto& p : out.probes)
      if (passes(m, p.to) && passes(p.to, m))
        at(m).answered(p.to, at(p.to).answer(p.what), now_ms, wall_us());
    for (const auto& letter : out.letters)
      deliver(m, letter.to, letter.what);
  }
  void deliver(index from, index to, const gossip_message& what) {
    if (what.empty() || !passes(from, to))
      return;
    deliver(to, from, at(to).receive(what, now_ms, wall_us()));
  }

  membership_config config_;
  std::vector<uuid> ids_;
  std::vector<std::unique_ptr<membership>> members_;
  std::vector<bool> frozen_;
  std::vector<bool> removed_;
  std::set<std::pair<index, index>> cuts_;
};

} // namespace covey::core::test
