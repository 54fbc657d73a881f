// The comparisons of an exchange: what differs, and who is stale.

#include "core/exchange.hpp"

#include <algorithm>

namespace covey::core {

namespace {

/// Leaves of one slot that are looked at together.
constexpr size_t max_leaves = 1024;

constexpr std::array<side, 2> both{side::own, side::peer};

size_t index(side x) {
  return static_cast<size_t>(x);
}

std::map<uint64_t, uint64_t> sums_of(const std::vector<exchanged_key>& keys) {
  std::map<uint64_t, uint64_t> result;
  for (const auto& k : keys)
    result[k.key_hash] += k.version_hash;
  return result;
}

std::optional<uint64_t> find(const std::map<uint64_t, uint64_t>& in,
                             uint64_t key) {
  auto i = in.find(key);
  return i == in.end() ? std::nullopt : std::optional{i->second};
}

std::optional<record> decoded(const exchanged_key* x) {
  return x == nullptr ? record{} : decode_record(x->version);
}

} // namespace

void exchange::finish(inquiry& x) {
  const auto& q = x.question;
  if (q.kind == question_kind::sums) {
    compare_sums(x);
    return;
  }
  if (q.kind == question_kind::roots) {
    compare_roots(x);
    return;
  }
  for (size_t i = 0; i < q.parts.size(); ++i) {
    const auto& part = q.parts[i];
    const auto& own = x.ways[0].parts[i];
    const auto& peer = x.ways[1].parts[i];
    auto& s = cohort_[part.slot];
    if (!own.ok || !peer.ok)
      s.failed = true;
    else if (q.kind == question_kind::leaves)
      compare_leaves(own, peer, s);
    else if (q.kind == question_kind::keys)
      compare_keys(own, peer, s);
    else
      compare_versions(part, own, peer, s);
  }
}

void exchange::compare_sums(const inquiry& x) {
  for (size_t i = 0; i < x.question.ranges.size(); ++i) {
    const auto& r = x.question.ranges[i];
    const auto& own = x.ways[0].roots[i];
    const auto& peer = x.ways[1].roots[i];
    if (!own.ready || !peer.ready || own.sum != peer.sum) {
      unequal_ranges_.push_back(r);
      continue;
    }
    auto first = std::lower_bound(shared_.begin(), shared_.end(), r.first);
    auto end = std::upper_bound(shared_.begin(), shared_.end(), r.last);
    equal_now_.insert(equal_now_.end(), first, end);
    if (round_ == 0)
      progress_.compared += static_cast<uint64_t>(end - first);
  }
}

void exchange::compare_roots(const inquiry& x) {
  size_t i = 0;
  for (const auto& r : x.question.ranges) {
    auto slot = std::lower_bound(shared_.begin(), shared_.end(), r.first);
    for (; slot != shared_.end() && *slot <= r.last; ++slot, ++i) {
      const auto& own = x.ways[0].roots[i];
      const auto& peer = x.ways[1].roots[i];
      if (!own.ready || !peer.ready)
        ++progress_.left;
      else if (own.sum != peer.sum)
        unequal_.emplace_back(
          *slot, std::min({own.depth, peer.depth, max_exchange_depth}));
      else
        equal_now_.push_back(*slot);
      if (round_ == 0 && own.sum == peer.sum)
        ++progress_.compared;
    }
  }
}

void exchange::compare_leaves(const part_answer& own, const part_answer& peer,
                              slot_state& s) {
  for (uint32_t i = 0; i < own.sums.size(); ++i)
    if (own.sums[i] != peer.sums[i])
      s.leaves.push_back(i);
  // The others have their turn when these are equal.
  if (s.leaves.size() > max_leaves) {
    s.leaves.resize(max_leaves);
    s.again = true;
  }
}

void exchange::compare_keys(const part_answer& own, const part_answer& peer,
                            slot_state& s) {
  auto mine = sums_of(own.keys);
  auto theirs = sums_of(peer.keys);
  for (const auto& [key, version] : mine)
    if (auto other = find(theirs, key); other != version)
      s.keys[key] = {version, other};
  for (const auto& [key, version] : theirs)
    if (mine.count(key) == 0)
      s.keys[key] = {std::nullopt, version};
}

void exchange::compare_versions(const slot_part& part, const part_answer& own,
                                const part_answer& peer, slot_state& s) {
  auto mine = sums_of(own.keys);
  auto theirs = sums_of(peer.keys);
  std::map<uint64_t, std::map<named_key, versions_of_key>> names;
  for (auto whom : both)
    for (const auto& k : (whom == side::own ? own : peer).keys)
      names[k.key_hash][{k.keyspace, k.key}][index(whom)] = &k;
  for (auto key : part.keys) {
    const auto& before = s.keys.at(key);
    auto now_own = find(mine, key);
    auto now_peer = find(theirs, key);
    if (now_own == now_peer)
      continue;
    if (now_own != before.own || now_peer != before.peer) {
      s.again = true;
      continue;
    }
    for (const auto& [name, versions] : names[key])
      judge(part.slot, name, versions, s);
  }
}

void exchange::judge(uint16_t slot, const named_key& name,
                     const versions_of_key& v, slot_state& s) {
  auto policy = policies_.find(name.first);
  auto own = decoded(v[0]);
  auto peer = decoded(v[1]);
  if (policy == policies_.end() || !own || !peer) {
    s.failed = true;
    return;
  }
  auto merged = merge(*own, *peer, policy->second);
  auto own_is_stale = !same_version(merged, *own);
  auto peer_is_stale = !same_version(merged, *peer);
  if (own_is_stale)
    add_repair(slot, name, side::own);
  if (peer_is_stale)
    add_repair(slot, name, side::peer);
  if (own_is_stale || peer_is_stale) {
    s.again = true;
    ++progress_.stale_keys;
  }
}

void exchange::add_repair(uint16_t slot, const named_key& name, side stale) {
  exchange_repair x;
  x.id = ++last_id_;
  x.stale = stale;
  x.keyspace = name.first;
  x.slot = slot;
  x.key = name.second;
  repairing_[x.id] = slot;
  repairs_.push_back(std::move(x));
  ++round_repairs_;
}

std::optional<exchange_repair> exchange::next_repair() {
  if (repairs_.empty())
    return std::nullopt;
  auto result = std::move(repairs_.front());
  repairs_.pop_front();
  return result;
}

void exchange::repaired(uint64_t id, bool durable, uint64_t now_ms) {
  auto i = repairing_.find(id);
  if (i == repairing_.end())
    return;
  auto& s = cohort_.at(i->second);
  s.failed = s.failed || !durable;
  repairing_.erase(i);
  go_on(now_ms);
}

} // namespace covey::core
