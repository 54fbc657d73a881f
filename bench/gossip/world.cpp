#include "bench/gossip/world.hpp"

#include "messages/gossip.hpp"

namespace covey::bench {

namespace {

constexpr uint64_t tick_ms = 50;

} // namespace

world::world(const world_options& options)
  : options_(options), random_(options.seed) {
  auto n = options.members;
  std::vector<core::uuid> ids;
  for (size_t i = 0; i < n; ++i)
    ids.push_back(
      core::initial_member_id("simulated", "n" + std::to_string(i)));
  others_.resize(n);
  for (size_t i = 0; i < n; ++i) {
    auto m = static_cast<index>(i);
    members_.push_back(std::make_unique<core::membership>(
      options.membership, ids, m, 1'700'000'000 + i, random_(),
      now_ms_ + random_() % tick_ms));
    for (size_t j = 0; j < n; ++j)
      if (j != i)
        others_[i].push_back(static_cast<index>(j));
    // Rounds of different members are not in step.
    auto first = now_ms_ + 1 + random_() % options.membership.heartbeat_ms;
    at_ms(first, [this, m] {
      tick(m);
    });
  }
}

void world::at_ms(uint64_t ms, event what) {
  events_.emplace(ms, std::move(what));
}

void world::kill(index m) {
  members_[m].reset();
}

uint64_t world::delay() {
  return 1 + random_() % options_.longest_ms;
}

bool world::send(const std::string& frame) {
  ++sent_.messages;
  sent_.bytes += frame.size();
  sent_.largest = std::max<uint64_t>(sent_.largest, frame.size());
  return std::uniform_real_distribution<>{0, 100}(random_) >= options_.loss;
}

void world::tick(index m) {
  if (!runs(m))
    return;
  auto out = members_[m]->tick(now_ms_, {}, others_[m]);
  for (const auto& p : out.probes) {
    if (!send(serialize(p.what)))
      continue;
    at_ms(now_ms_ + delay(), [this, m, p] {
      if (!runs(p.to))
        return;
      auto answer = members_[p.to]->answer(p.what);
      if (!send(serialize(answer)))
        return;
      at_ms(now_ms_ + delay(), [this, m, to = p.to, answer] {
        if (runs(m))
          members_[m]->answered(to, answer, now_ms_, wall_us());
      });
    });
  }
  for (auto& letter : out.letters)
    deliver(m, letter.to, letter.what);
  members_[m]->refresh(now_ms_, wall_us());
  at_ms(now_ms_ + tick_ms, [this, m] {
    tick(m);
  });
}

void world::deliver(index from, index to, const core::gossip_message& what) {
  if (what.empty() || !send(serialize(what)))
    return;
  at_ms(now_ms_ + delay(), [this, from, to, what] {
    if (!runs(to))
      return;
    deliver(to, from, members_[to]->receive(what, now_ms_, wall_us()));
  });
}

void world::run_for(uint64_t ms) {
  auto end = now_ms_ + ms;
  while (!events_.empty() && events_.begin()->first <= end) {
    auto first = events_.begin();
    now_ms_ = first->first;
    auto what = std::move(first->second);
    events_.erase(first);
    what();
  }
  now_ms_ = end;
}

uint64_t world::run_until(const std::function<bool()>& done,
                          uint64_t limit_ms) {
  auto begin = now_ms_;
  while (!done() && now_ms_ < begin + limit_ms)
    run_for(tick_ms);
  return now_ms_ - begin;
}

size_t world::seeing(index m, core::health state) const {
  size_t count = 0;
  for (size_t i = 0; i < members_.size(); ++i)
    if (i != m && members_[i] && members_[i]->view().state_of(m) == state)
      ++count;
  return count;
}

size_t world::running() const {
  size_t count = 0;
  for (const auto& x : members_)
    count += x ? 1 : 0;
  return count;
}

core::membership_counters world::counters() const {
  core::membership_counters sum;
  for (const auto& x : members_) {
    if (!x)
      continue;
    sum.suspects += x->counters().suspects;
    sum.downs += x->counters().downs;
    sum.accusations += x->counters().accusations;
    sum.refutations += x->counters().refutations;
    sum.pauses += x->counters().pauses;
    sum.refused_rows += x->counters().refused_rows;
  }
  return sum;
}

} // namespace covey::bench
