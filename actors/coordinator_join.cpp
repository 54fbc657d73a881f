// Gets that share the reads of another one.

#include "actors/coordinator.hpp"
#include "core/hash.hpp"

namespace covey {

uint64_t coordinator_state::hash_of(const request& r) {
  return core::hash64(r.key, r.keyspace->id + (uint64_t{r.level.count} << 40)
                               + (uint64_t(r.level.level) << 32));
}

bool coordinator_state::join(ticket t, request& r) {
  auto hash = hash_of(r);
  // A read that was sent may have been answered before a put that the client
  // of this get knows of (traps.md 17b).
  auto also_sent = config.planted == planted_bug::join_sent_read;
  auto found = unsent_.find(hash, also_sent);
  auto* leader = found ? table_.find(*found) : nullptr;
  if (leader == nullptr || !leader->get || !leader->get->reading()
      || leader->awaits_epoch || leader->keyspace != r.keyspace
      || leader->key != r.key || leader->level.level != r.level.level
      || leader->level.count != r.level.count) {
    unsent_.add(hash, t);
    return false;
  }
  ++node->counters.joined_gets;
  r.leader = *found;
  leader->joined.push_back(t);
  return true;
}

void coordinator_state::read_apart(request& r) {
  for (const auto& t : r.joined) {
    auto* x = table_.find(t);
    if (x == nullptr || x->deadline_us <= now_us_)
      continue;
    x->leader.reset();
    x->started_us = now_us_;
    // The level was met by the same homes when it joined.
    start_reading(t, *x, *requirement_for(*x));
  }
  r.joined.clear();
}

} // namespace covey
