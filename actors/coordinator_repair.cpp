// The coordinator's read repairs.

#include "actors/coordinator.hpp"
#include "core/hash.hpp"

namespace covey {

namespace {

uint64_t key_hash(const pending_request& r) {
  return core::hash64(r.key, r.keyspace->id);
}

} // namespace

void coordinator_state::repair(ticket t, request& r, uint8_t place,
                               bool awaited) {
  using verdict = repairs_in_flight::verdict;
  t.place = place;
  t.purpose = repairing;
  t.plan = r.plan;
  auto version = core::version_hash(r.get->merged());
  auto what = repairs_.begin(key_hash(r), t, version, awaited);
  if (what == verdict::send) {
    ++node->counters.repairs;
    auto op = op_for(r, t, place, replica_verb::write, repairing);
    op.bytes = r.get->merged_bytes();
    ask(r, place, std::move(op));
  } else if (what == verdict::drop) {
    // The homes stay different, and the next read finds it.
    ++node->counters.repairs_dropped;
    r.get->repair_failed(place);
  }
}

void coordinator_state::repair_answer(ticket t, request& r, bool done) {
  auto tell = [&](ticket to, request& x) {
    get_action(to, x,
               done ? x.get->repaired(t.place) : x.get->repair_failed(t.place));
  };
  auto joined = repairs_.end(key_hash(r), t);
  tell(t, r);
  for (const auto& other : joined)
    if (auto* x = table_.find(other))
      tell(other, *x);
}

void coordinator_state::leave_repairs(ticket t, request& r) {
  for (uint8_t i = 0; i < r.home_count; ++i) {
    if ((r.get->repairing() >> i & 1) == 0)
      continue;
    t.place = i;
    t.purpose = repairing;
    t.plan = r.plan;
    for (const auto& other : repairs_.end(key_hash(r), t))
      if (auto* x = table_.find(other))
        repair(other, *x, i, true);
  }
}

/// A home that has lost its disk answers no reads, but takes what they found.
void coordinator_state::refill(ticket t, const request& r) {
  for (uint8_t i = 0; i < r.home_count; ++i) {
    if (r.failures[i] != errc::disk_lost || r.get->merged().empty())
      continue;
    ++node->counters.repairs;
    auto op = op_for(r, t, i, replica_verb::write, repairing);
    core::encode(r.get->merged(), op.bytes);
    ask(r, i, std::move(op));
  }
}

} // namespace covey
