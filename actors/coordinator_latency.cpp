// The coordinator's idea of how long homes take, and what follows from it.

#include "actors/coordinator.hpp"

#include <algorithm>

namespace covey {

namespace {

/// A home that has not been asked for that long is tried again.
constexpr uint64_t age_us = 10'000'000;

} // namespace

uint64_t coordinator_state::latency_of(core::member_index m) const {
  auto mean = latencies_[m].mean_us();
  return mean != 0 || m == node->self ? mean
                                      : node->peers[m].round_trip_us.load();
}

core::home_order coordinator_state::order_of(const request& r) const {
  core::home_order result;
  const auto& beliefs = *liveness;
  // Self first, then the well, those that miss nothing, the nearest. Self, too,
  // may miss something.
  std::array<uint64_t, request::max_homes> rank{};
  for (uint8_t i = 0; i < r.home_count; ++i) {
    auto m = r.homes[i];
    if (!reachable(m))
      continue;
    result.push_back(i);
    if (m == node->self) {
      rank[i] = uint64_t{node->catching_up.load()} << 33;
      continue;
    }
    auto away = view->at(m).data_centre != node->me().data_centre;
    auto sick = beliefs.state_of(m) != core::health::up;
    rank[i] = (uint64_t{sick} << 34) + (uint64_t{beliefs.catching_up(m)} << 33)
              + (uint64_t{away} << 32) + 1;
  }
  // Last the fastest. Small differences are noise, and following them would
  // make everybody read from one home.
  auto compared = rank;
  for (auto i : result) {
    auto fastest = latency_of(r.homes[i]);
    for (auto j : result)
      if (rank[j] == rank[i])
        fastest = std::min(fastest, latency_of(r.homes[j]));
    if (auto mine = latency_of(r.homes[i]); mine > 2 * fastest + 1'000)
      compared[i] += 64 - static_cast<uint64_t>(__builtin_clzll(mine));
  }
  // Insertion keeps the order of equals, and there are few.
  for (auto* at = result.begin(); at != result.end(); ++at)
    std::rotate(std::upper_bound(result.begin(), at, *at,
                                 [&](uint8_t x, uint8_t y) {
                                   return compared[x] < compared[y];
                                 }),
                at, at + 1);
  return result;
}

void coordinator_state::note_latency(core::member_index m, uint64_t since_us) {
  if (now_us_ > since_us)
    latencies_[m].add(now_us_ - since_us);
}

void coordinator_state::note_durable(core::member_index m, uint64_t since_us) {
  auto& mean = durable_after_us_[m];
  auto took = now_us_ > since_us ? now_us_ - since_us : 0;
  mean = mean == 0 ? took : mean - mean / 8 + took / 8;
}

void coordinator_state::note_unanswered(const request& r) {
  for (uint8_t i = 0; i < r.home_count; ++i)
    if ((r.asked_first & r.get->awaited() & core::home_set{1} << i) != 0)
      note_latency(r.homes[i], r.started_us);
}

void coordinator_state::expect_answers(ticket t, const request& r) {
  extra_reads_.ordinary();
  uint64_t usual = 0;
  for (uint8_t i = 0; i < r.home_count; ++i)
    if ((r.asked_first >> i & 1) != 0)
      usual = std::max(usual, usual_us_[r.homes[i]]);
  // Later than that patience does the same.
  if (usual < config.patience_us)
    unusual_.emplace(r.started_us + usual, t.pack());
}

void coordinator_state::update_usual() {
  for (size_t m = 0; m < latencies_.size(); ++m)
    usual_us_[m]
      = std::max(latencies_[m].p99_us().value_or(UINT64_MAX), config.hurry_us);
  // Also once the clock was set back.
  if (now_us_ >= aged_us_ && now_us_ < aged_us_ + age_us)
    return;
  aged_us_ = now_us_;
  for (auto& x : latencies_)
    x.age();
}

void coordinator_state::hurry() {
  hurrying_ = false;
  now_us_ = node->wall_us();
  while (!unusual_.empty()) {
    auto t = ticket::unpack(unusual_.top().second);
    auto* r = table_.find(t);
    auto over
      = r == nullptr || !r->get || !r->get->reading() || r->awaits_epoch;
    if (!over && unusual_.top().first > now_us_)
      break;
    unusual_.pop();
    if (over || !extra_reads_.take())
      continue;
    auto what = r->get->slow();
    if ((what.read | what.digest) != 0)
      ++node->counters.extra_reads;
    get_action(t, *r, what);
  }
}

} // namespace covey
