#include "core/membership.hpp"

#include <algorithm>

namespace covey::core {

namespace {

/// Heartbeats that an accused member may have under way.
constexpr uint64_t heartbeats_under_way = 2;

} // namespace

membership::membership(const membership_config& config,
                       const std::vector<uuid>& members, member_index self,
                       uint64_t run, uint64_t seed, uint64_t now_ms)
  : config_(config), random_(seed),
    table_(members, self, static_cast<size_t>(random_() >> 1)),
    circle_(members), watch_(config.watching, circle_.watched_by(self), now_ms),
    refuted_(members.size()), start_ms_(now_ms), last_round_ms_(now_ms) {
  view_.members.resize(members.size());
  member_row own;
  own.id = members[self];
  own.run = run;
  own.version = 1;
  table_.set_own(own, true);
  view_.members[self].run = run;
}

void membership::grow(const std::vector<uuid>& members,
                      const std::vector<bool>& removed, uint64_t now_ms) {
  table_.grow(members);
  circle_ = watch_circle{members, removed};
  watch_.watch_only(circle_.watched_by(table_.self()), now_ms);
  refuted_.resize(members.size());
  view_.members.resize(members.size());
}

uint64_t membership::own_heartbeat(uint64_t now_ms) const {
  return extra_ + (now_ms - start_ms_) / config_.heartbeat_ms;
}

void membership::wake(uint64_t now_ms) {
  if (watch_.awake(now_ms))
    ++counters_.pauses;
}

membership::output
membership::tick(uint64_t now_ms, const own_state& own,
                 const std::vector<member_index>& reachable) {
  wake(now_ms);
  update_own(now_ms, own);
  output out;
  out.probes = watch_.probes(now_ms);
  auto pause = urgent_ ? config_.heartbeat_ms / 10 : config_.heartbeat_ms;
  if (now_ms < last_round_ms_ + pause || reachable.empty())
    return out;
  last_round_ms_ = now_ms;
  urgent_ = false;
  for (auto to : pick(reachable))
    out.letters.push_back({to, table_.offer()});
  return out;
}

std::vector<member_index> membership::pick(std::vector<member_index> from) {
  auto n = std::min<size_t>(config_.fanout, from.size());
  for (size_t i = 0; i < n; ++i)
    std::swap(from[i], from[i + random_() % (from.size() - i)]);
  from.resize(n);
  return from;
}

void membership::update_own(uint64_t now_ms, const own_state& own) {
  auto row = table_.row(table_.self());
  auto heartbeat = own_heartbeat(now_ms);
  auto accuses = accusations(now_ms);
  auto news = accuses != row.accuses || own.catching_up != row.catching_up;
  if (!news && heartbeat == row.heartbeat)
    return;
  for (const auto& x : accuses)
    if (std::find(row.accuses.begin(), row.accuses.end(), x)
        == row.accuses.end())
      ++counters_.accusations;
  row.heartbeat = heartbeat;
  ++row.version;
  row.unflushed_ms = own.unflushed_ms;
  row.load = own.load;
  row.catching_up = own.catching_up;
  row.accuses = std::move(accuses);
  urgent_ = urgent_ || news;
  table_.set_own(row, news);
}

bool membership::may_accuse(uint64_t now_ms) const {
  auto n = circle_.size();
  if (n == 2)
    return true;
  if (!watch_.reaches_most(now_ms))
    return false;
  // In a large cluster those watched are a sample; heartbeats that still arrive
  // tell of the rest. They take a few rounds.
  if (watch_.watched().size() + 1 == n)
    return true;
  uint64_t rounds = 2;
  for (auto i = n; i > 1; i /= 2)
    ++rounds;
  auto patience
    = config_.watching.accuse_pause_ms + rounds * config_.heartbeat_ms;
  size_t heard = 1;
  for (size_t m = 0; m < table_.size(); ++m) {
    const auto& life = table_.life_of(static_cast<member_index>(m));
    if (m != table_.self() && life.run != 0
        && now_ms <= life.learnt_ms + patience)
      ++heard;
  }
  return 2 * heard > n;
}

std::vector<accusation> membership::accusations(uint64_t now_ms) {
  std::vector<accusation> out;
  std::optional<bool> may;
  const auto& before = table_.row(table_.self()).accuses;
  for (auto m : watch_.watched()) {
    if (!watch_.convicts(m, now_ms)) {
      refuted_[m] = false;
      continue;
    }
    const auto& life = table_.life_of(m);
    const auto& id = table_.row(m).id;
    auto made = std::find_if(before.begin(), before.end(), [&](const auto& x) {
      return x.member == id;
    });
    if (made != before.end()
        && (life.run != made->run || life.heartbeat > made->heartbeat))
      refuted_[m] = true;
    // Who lives without answering us is not accused again before it falls
    // silent for others, too.
    auto silent = now_ms > life.learnt_ms + config_.watching.accuse_pause_ms
                             + heartbeats_under_way * config_.heartbeat_ms;
    if (refuted_[m] && !silent)
      continue;
    if (!may)
      may = may_accuse(now_ms);
    if (!*may)
      continue;
    if (made != before.end() && !refuted_[m]) {
      out.push_back(*made);
      continue;
    }
    refuted_[m] = false;
    auto unseen = watch_.silence_ms(m, now_ms) / config_.heartbeat_ms;
    out.push_back({id, life.run,
                   std::max(life.heartbeat, watch_.heartbeat(m) + unseen)
                     + heartbeats_under_way});
  }
  return out;
}

void membership::learn(member_index m, uint64_t run, uint64_t heartbeat,
                       uint64_t now_ms) {
  if (!table_.lived(m, run, heartbeat, now_ms))
    return;
  watch_.new_run(m, now_ms);
  refuted_[m] = false;
}

gossip_message membership::receive(const gossip_message& in, uint64_t now_ms,
                                   uint64_t wall_us) {
  wake(now_ms);
  for (const auto& row : in.rows) {
    if (row.id == table_.row(table_.self()).id) {
      defend(row);
      continue;
    }
    switch (table_.merge(row, now_ms, wall_us / 1'000'000)) {
      case member_table::outcome::refused:
        ++counters_.refused_rows;
        continue;
      case member_table::outcome::old:
        continue;
      case member_table::outcome::new_run: {
        auto m = *table_.find(row.id);
        watch_.new_run(m, now_ms);
        refuted_[m] = false;
        break;
      }
      case member_table::outcome::newer:
        break;
    }
    defend(row);
  }
  return table_.answer(in);
}

// Shows a later heartbeat to whoever accuses us, and a later version to whoever
// knows one that we have forgotten.
void membership::defend(const member_row& row) {
  auto own = table_.row(table_.self());
  uint64_t seen = 0;
  for (const auto& x : row.accuses)
    if (x.member == own.id && x.run == own.run)
      seen = std::max(seen, x.heartbeat);
  auto refuted = seen >= own.heartbeat && seen > 0;
  counters_.refutations += refuted ? 1 : 0;
  auto forgotten
    = row.id == own.id && row.run == own.run && row.version > own.version;
  if (forgotten)
    seen = std::max(seen, row.heartbeat);
  if (!refuted && !forgotten)
    return;
  if (seen >= own.heartbeat) {
    extra_ += seen + 1 - own.heartbeat;
    own.heartbeat = seen + 1;
  }
  own.version = std::max(own.version, forgotten ? row.version : 0) + 1;
  urgent_ = true;
  table_.set_own(own, true);
}

probe_answer membership::answer(const probe& in) const {
  const auto& own = table_.row(table_.self());
  return {in.sequence, own.run, own.heartbeat};
}

void membership::answered(member_index from, const probe_answer& in,
                          uint64_t now_ms, uint64_t wall_us) {
  wake(now_ms);
  if (!is_plausible_run(in.run, wall_us / 1'000'000)
      || in.run < table_.life_of(from).run)
    return;
  learn(from, in.run, in.heartbeat, now_ms);
  watch_.answered(from, in, now_ms);
}

void membership::connected(member_index m, uint64_t run, uint64_t now_ms) {
  learn(m, run, 0, now_ms);
  watch_.connected(m);
}

void membership::refused(member_index m, bool is_refused) {
  // Who was never met may not have been started yet.
  watch_.refused(m, is_refused && table_.life_of(m).run != 0);
}

bool membership::holds(member_index accuser, const accusation& x,
                       uint64_t now_ms) const {
  auto m = table_.find(x.member);
  if (!m || !circle_.watches(accuser, *m))
    return false;
  const auto& life = table_.life_of(*m);
  auto renewed
    = accuser == table_.self()
      || now_ms <= table_.renewed_ms(accuser) + config_.accusation_ms;
  return renewed && x.run == life.run && x.heartbeat >= life.heartbeat;
}

member_liveness membership::judge(member_index m,
                                  std::vector<member_index> accusers,
                                  uint64_t now_ms) const {
  const auto& before = view_.members[m];
  const auto& row = table_.row(m);
  member_liveness out;
  out.run = table_.life_of(m).run;
  out.since_us = before.since_us;
  if (row.run == out.run) {
    out.stalled = row.unflushed_ms > config_.stalled_ms;
    out.catching_up = row.catching_up;
  }
  if (m == table_.self())
    return out;
  auto needed = circle_.size() == 2 ? 1u : 2u;
  auto stays = before.state == health::down && before.run == out.run
               && !accusers.empty();
  if (accusers.size() >= needed || stays)
    out.state = health::down;
  else if (!accusers.empty() || watch_.suspects(m, now_ms))
    out.state = health::suspect;
  if (watch_.suspects(m, now_ms)
      && std::find(accusers.begin(), accusers.end(), table_.self())
           == accusers.end())
    accusers.push_back(table_.self());
  std::sort(accusers.begin(), accusers.end());
  out.accusers = std::move(accusers);
  return out;
}

bool membership::refresh(uint64_t now_ms, uint64_t wall_us) {
  wake(now_ms);
  // Who is accused, by whom.
  std::vector<std::pair<member_index, member_index>> held;
  for (size_t i = 0; i < table_.size(); ++i) {
    auto accuser = static_cast<member_index>(i);
    for (const auto& x : table_.row(accuser).accuses)
      if (holds(accuser, x, now_ms))
        held.emplace_back(*table_.find(x.member), accuser);
  }
  std::sort(held.begin(), held.end());
  // Who accuses twice is one accuser.
  held.erase(std::unique(held.begin(), held.end()), held.end());
  auto next = held.begin();
  auto changed = false;
  for (size_t i = 0; i < table_.size(); ++i) {
    auto& old = view_.members[i];
    std::vector<member_index> accusers;
    for (; next != held.end() && next->first == i; ++next)
      accusers.push_back(next->second);
    auto now = judge(static_cast<member_index>(i), std::move(accusers), now_ms);
    if (now.state != old.state || now.run != old.run || old.since_us == 0)
      now.since_us = wall_us;
    if (now.state != old.state) {
      counters_.downs += now.state == health::down ? 1 : 0;
      counters_.suspects += now.state == health::suspect ? 1 : 0;
    }
    changed = changed || old.since_us == 0 || now.state != old.state
              || now.run != old.run || now.stalled != old.stalled
              || now.catching_up != old.catching_up
              || now.accusers != old.accusers;
    old = std::move(now);
  }
  return changed;
}

} // namespace covey::core
