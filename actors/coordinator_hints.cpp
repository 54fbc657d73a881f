// The coordinator's stand-ins: who keeps what a home cannot take.

#include "actors/coordinator.hpp"

namespace covey {

using core::put_core;

namespace {

/// A home that takes longer than this many times what it usually takes is slow.
constexpr uint64_t usual_waits = 4;

/// Levels that count by data centre.
bool by_data_centre(core::consistency_level x) {
  return x == core::consistency_level::local_one
         || x == core::consistency_level::local_quorum
         || x == core::consistency_level::each_quorum;
}

} // namespace

bool coordinator_state::counts(const request& r, uint8_t home,
                               core::member_index by) const {
  const auto& members = view->epoch().members;
  return !by_data_centre(r.level.level)
         || members[r.homes[home]].data_centre == members[by].data_centre;
}

uint8_t coordinator_state::pick_fallback(const request& r, uint8_t home) const {
  const auto& members = view->epoch().members;
  auto elsewhere = put_core::here;
  for (uint32_t i = r.list.homes; i < r.list.size; ++i) {
    auto place = static_cast<uint8_t>(i);
    auto m = r.list[i];
    if (r.put->used(place) || m == node->self || !takes_writes(m))
      continue;
    if (members[m].data_centre == members[r.homes[home]].data_centre)
      return place;
    if (elsewhere == put_core::here)
      elsewhere = place;
  }
  return elsewhere;
}

bool coordinator_state::plan(request& r, const core::requirement& need) {
  core::home_set avoided = 0;
  for (uint8_t i = 0; i < r.home_count; ++i)
    if (!takes_writes(r.homes[i]))
      avoided |= core::home_set{1} << i;
  // Those that are suspected are asked all the same when nobody else is left.
  return plan_without(r, need, avoided)
         || plan_without(r, need, unreachable_homes(r));
}

bool coordinator_state::plan_without(request& r, const core::requirement& need,
                                     core::home_set avoided) {
  r.put.emplace(need, r.strict, r.home_count);
  auto& put = *r.put;
  // A parked record is kept for every home, so that one hand-over ends it.
  r.absent = r.parked ? put.all() : 0;
  auto self_place = own_fallback(r);
  auto stands = !r.parked;
  for (uint8_t i = 0; i < r.home_count; ++i) {
    if ((avoided >> i & 1) == 0)
      continue;
    put.failed(i);
    if (!stands) {
      stands = true;
      put.stand_in(i, *self_place, counts(r, i, node->self));
    } else if (auto place = pick_fallback(r, i); place != put_core::here) {
      put.stand_in(i, place, counts(r, i, r.list[place]));
    } else {
      put.stand_in(i, put_core::here, false);
      r.absent |= core::home_set{1} << i;
    }
  }
  return put.possible();
}

uint64_t coordinator_state::owed_until() const {
  return node->wall_us() + config.linger_us;
}

void coordinator_state::send_hint(ticket t, const request& r, uint8_t home,
                                  uint8_t place) {
  auto kept_here = place == put_core::here;
  auto op = op_for(r, t, kept_here ? home : place, replica_verb::hint,
                   kept_here ? keeping : hinting);
  op.hint_for = view->at(r.homes[home]).id;
  op.deadline_us = owed_until();
  if (kept_here) {
    to_replicas_[core::shard_of(r.slot, node->shards)].push_back(std::move(op));
    return;
  }
  op.bytes = r.record;
  ask(r, place, std::move(op));
}

void coordinator_state::attend(ticket t, request& r) {
  if (!r.committed)
    return;
  auto& put = *r.put;
  auto lacking = put.unattended();
  for (uint8_t i = 0; i < r.home_count; ++i) {
    if ((lacking >> i & 1) == 0)
      continue;
    auto m = r.homes[i];
    auto place = r.record.empty() ? put_core::here : pick_fallback(r, i);
    if (m == node->self && place == put_core::here) {
      put.give_up(i);
      continue;
    }
    // One that is up is not helped by hints beyond what it can take: it may
    // still answer, else its slot is marked in the end (traps.md 19).
    if (m != node->self && takes_writes(m)) {
      if (!spare_[m].open(node->wall_us()))
        continue;
      spare_[m].take(1);
    }
    put.stand_in(i, place,
                 place != put_core::here && counts(r, i, r.list[place]));
    // A parked record is kept for every home from the start.
    if (place != put_core::here || !r.parked)
      send_hint(t, r, i, place);
  }
}

void coordinator_state::lose_patience(ticket t, request& r) {
  if (!r.committed || now_us_ < r.started_us + config.put_patience_us)
    return;
  auto waited_us = now_us_ - r.started_us;
  // One that takes its time with all it is asked is loaded, and hints, which
  // are written twice, would load it and us more.
  for (uint8_t i = 0; i < r.home_count; ++i)
    if ((r.put->unsettled() >> i & 1) != 0 && r.homes[i] != node->self
        && waited_us >= usual_waits * durable_after_us_[r.homes[i]])
      r.put->slow(i);
  attend(t, r);
  conclude(t, r);
}

void coordinator_state::expire_put(ticket t, request& r) {
  auto& put = *r.put;
  put.close();
  if (!r.lingering) {
    r.lingering = true;
    r.deadline_us = node->wall_us() + config.linger_us;
    conclude(t, r);
    return;
  }
  // Nobody keeps a hint: repair has to find what they miss.
  for (uint8_t i = 0; i < r.home_count && r.committed; ++i) {
    if ((put.unsettled() >> i & 1) == 0 || r.homes[i] == node->self)
      continue;
    auto op = op_for(r, t, i, replica_verb::mark, keeping);
    op.hint_for = view->at(r.homes[i]).id;
    op.deadline_us = owed_until();
    to_replicas_[core::shard_of(r.slot, node->shards)].push_back(std::move(op));
  }
  table_.remove(t);
}

} // namespace covey
