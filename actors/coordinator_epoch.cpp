// The coordinator's requests when an epoch comes: docs/design/epochs.md.

#include "actors/coordinator.hpp"

#include <algorithm>

namespace covey {

void coordinator_state::adopt(view_ptr next) {
  now_us_ = node->wall_us();
  earlier_.push_back(std::move(view));
  view = std::move(next);
  grow();
  for (core::member_index m = 0; m < view->members(); ++m)
    if (links[m] != nullptr && view->at(m).state == core::member_state::removed)
      lose(m);
  table_.each([&](const ticket& t, request& r) {
    if (is_outdated(r))
      plan_anew(t, r);
  });
  for (auto& x : early_.leave())
    start_one(x.from, x.op);
}

void coordinator_state::forget_views() {
  std::vector<view_ptr> needed;
  for (auto& x : earlier_) {
    auto used = false;
    table_.each([&](const ticket&, const request& r) {
      used = used || r.view == x.get();
    });
    if (used)
      needed.push_back(std::move(x));
  }
  earlier_ = std::move(needed);
}

bool coordinator_state::is_outdated(const request& r) const {
  // Those that joined a get follow it.
  if (r.view == view.get() || r.leader)
    return false;
  if (r.awaits_epoch)
    return true;
  const auto* now = view->find_keyspace(r.keyspace->id);
  auto last = r.verb == client_verb::scan ? r.last_slot : r.slot;
  for (uint32_t slot = r.slot; slot <= last; ++slot)
    if (now == nullptr
        || r.view->id() < now->changed_in(static_cast<uint16_t>(slot)))
      return true;
  return false;
}

void coordinator_state::plan_anew(ticket t, request& r) {
  // The local shard is executing it; what it answers decides.
  if (r.put && !r.committed)
    return;
  // So many epochs in one request's time: it ends at its deadline.
  if (r.plan == ticket::max_plan)
    return;
  ++node->counters.replanned;
  if (r.put) {
    replicate_anew(t, r);
    return;
  }
  if (r.get)
    leave_repairs(t, r);
  ++r.plan;
  r.awaits_epoch = false;
  r.failures.fill(errc::none);
  // Only repairs were left, and they may be dropped.
  if (r.get && r.get->answered())
    table_.remove(t);
  else if (r.verb == client_verb::put)
    put_anew(t, r);
  else
    read_anew(t, r);
}

void coordinator_state::read_anew(ticket t, request& r) {
  auto found = locate(r, r.keyspace->id);
  const auto* need = found ? requirement_for(r) : nullptr;
  if (need == nullptr) {
    client_answer a;
    a.code = errc::unknown_level;
    a.text = "the keyspace has changed";
    if (r.get)
      answer_readers(r, std::move(a));
    else
      answer(r, std::move(a));
    table_.remove(t);
    return;
  }
  r.held = {};
  if (r.verb == client_verb::get) {
    r.get.reset();
    start_reading(t, r, *need);
    return;
  }
  client_op op;
  op.slot = r.slot;
  op.last_slot = r.last_slot;
  op.value = std::move(r.prefix);
  op.max_bytes = r.max_bytes;
  r.scan.reset();
  start_scan(t, r, op, *need);
}

void coordinator_state::put_anew(ticket t, request& r) {
  auto op = std::move(r.op ? *r.op : *r.forwarded);
  r.op.reset();
  r.forwarded.reset();
  op.parked = op.parked && op.forwarded;
  // The request id makes it one write, whoever executes it.
  r.maybe_written = r.maybe_written || r.awaited != 0;
  r.sent = r.awaited = r.absent = 0;
  r.home_spoke = r.parked = false;
  r.seen = {};
  begin(t, r, op);
}

void coordinator_state::replicate_anew(ticket t, request& r) {
  // Its hints name its homes of now when they are handed over.
  if (r.parked)
    return;
  std::vector<core::member_index> holders;
  for (uint8_t i = 0; i < r.home_count; ++i)
    if ((r.put->acked() >> i & 1) != 0)
      holders.push_back(r.homes[i]);
  auto answered = r.put->answered();
  ++r.plan;
  r.awaits_epoch = false;
  r.failures.fill(errc::none);
  r.absent = 0;
  auto found = locate(r, r.keyspace->id);
  const auto* need = found ? requirement_for(r) : nullptr;
  if (need == nullptr) {
    // Of a level that the new homes cannot meet.
    expire(t, r);
    return;
  }
  r.put.emplace(*need, r.strict, r.home_count);
  if (answered)
    r.put->close();
  for (uint8_t i = 0; i < r.home_count; ++i) {
    auto m = r.homes[i];
    if (std::find(holders.begin(), holders.end(), m) != holders.end()) {
      r.put->durable(i);
    } else if (m == node->self) {
      // Committed; its flush is under way.
    } else if (r.record.empty() || !reachable(m)) {
      r.put->failed(i);
    } else {
      auto write = op_for(r, t, i, replica_verb::write, asking);
      write.bytes = r.record;
      ask(r, i, std::move(write));
    }
  }
  attend(t, r);
  conclude(t, r);
}

bool coordinator_state::await_epoch(ticket t, request& r,
                                    const replica_answer& a) {
  // What comes while it waits is of a plan that is void. A put that others may
  // have goes on, and so does one that others are to execute.
  if (r.awaits_epoch && !r.put && !r.forwarded)
    return true;
  if (a.kind != answer_kind::failed || a.code != errc::stale_epoch)
    return false;
  if (r.put && !r.committed)
    return false;
  if (r.forwarded || (r.get && r.get->answered()) || t.purpose == keeping)
    return false;
  ++node->epochs_missed;
  r.awaits_epoch = true;
  return true;
}

void coordinator_state::earlier_answer(ticket t, request& r,
                                       core::member_index from,
                                       const replica_answer& a) {
  // Who has it on disk has it, whatever it was asked under.
  if (r.put && r.committed && t.purpose == asking
      && a.kind == answer_kind::durable) {
    for (uint8_t i = 0; i < r.home_count; ++i)
      if (r.homes[i] == from)
        r.put->durable(i);
    conclude(t, r);
  }
}

} // namespace covey
