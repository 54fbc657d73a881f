// The coordinator's puts: replication from a home, forwarding to one.

#include "actors/coordinator.hpp"
#include "core/context_token.hpp"
#include "messages/convert.hpp"

namespace covey {

void coordinator_state::start_put(ticket t, request& r, client_op& op,
                                  core::requirement need) {
  if (r.plan == 0)
    ++node->counters.puts;
  auto token
    = core::decode_token(op.context, {node->token_key, r.keyspace->id, op.key});
  if (!token) {
    refuse(r.from, op, errc::bad_context);
    table_.remove(t);
    return;
  }
  if (!plan(r, need)) {
    client_answer a;
    a.code = errc::unavailable;
    a.text
      = describe(r, need, r.put->all() & ~unreachable_homes(r), "reachable");
    // A home that it was handed to before may yet execute it.
    a.maybe_written = r.maybe_written || r.awaited != 0;
    answer(r, std::move(a));
    table_.remove(t);
    return;
  }
  auto self_place = r.parked ? *own_fallback(r) : *own_place(r);
  r.seen = token->seen;
  auto put = op_for(r, t, self_place, replica_verb::put, asking);
  put.bytes = std::move(op.value);
  op.value.clear();
  put.tombstone = op.tombstone;
  put.expires_at_ms = op.expires_at_ms;
  put.request = op.request;
  put.seen = std::move(token->seen);
  put.floor_stamp = token->stamp;
  put.asked_us = op.asked_us;
  put.parked = r.parked;
  for (uint8_t i = 0; i < r.home_count; ++i)
    if ((r.absent >> i & 1) != 0)
      put.absent.push_back(view->at(r.homes[i]).id);
  r.op = std::move(op);
  ask(r, self_place, std::move(put));
}

void coordinator_state::put_answer(ticket t, request& r, replica_answer& a) {
  auto& put = *r.put;
  auto durable = a.kind == answer_kind::durable;
  switch (t.purpose) {
    case forwarding:
      // Of the time when others were to coordinate it.
      return;
    case hinting:
      if (durable)
        put.hinted(t.place);
      else
        put.hint_failed(t.place);
      break;
    case keeping:
      if (durable) {
        put.kept(t.place);
      } else {
        ++node->counters.hints_dropped;
        put.give_up(t.place);
      }
      break;
    default:
      if (r.list[t.place] == node->self) {
        if (!local_answer(t, r, a))
          return;
      } else if (durable) {
        put.durable(t.place);
        note_durable(r.homes[t.place], r.started_us);
      } else {
        put.failed(t.place);
      }
  }
  attend(t, r);
  conclude(t, r);
}

bool coordinator_state::local_answer(ticket t, request& r, replica_answer& a) {
  auto& put = *r.put;
  if (a.kind == answer_kind::committed) {
    // From here on others may see it: the commit has succeeded.
    claim(r, a);
    r.committed = true;
    r.op.reset();
    if (!is_outdated(r))
      replicate(t, r, a.bytes);
    if (!put.answered()) {
      r.record = std::move(a.bytes);
      r.held.absorb(std::move(a.charge));
    }
    if (!is_outdated(r))
      return true;
    plan_anew(t, r);
    return false;
  }
  if (a.kind == answer_kind::durable) {
    if (r.parked)
      put.hinted(t.place);
    else
      put.durable(t.place);
    for (uint8_t i = 0; i < r.home_count; ++i)
      if ((r.absent >> i & 1) != 0)
        put.kept(i);
    return true;
  }
  if (r.committed) {
    if (r.parked)
      put.hint_failed(t.place);
    else
      put.failed(t.place);
    return true;
  }
  // Refused before the commit: nothing was written anywhere.
  if (!put.answered()) {
    if (a.code == errc::disk_full && !r.op->forwarded && !r.parked) {
      move_to_next_home(t, r, std::move(a.bytes));
      return false;
    }
    if (a.code == errc::stale_epoch) {
      // The replica was told of the new epoch before this actor is.
      r.op->value = std::move(a.bytes);
      r.put.reset();
      r.awaits_epoch = true;
      if (is_outdated(r))
        plan_anew(t, r);
      return false;
    }
    put.close();
    client_answer failed;
    failed.code = a.code;
    failed.text = std::move(a.text);
    failed.maybe_written = r.maybe_written || r.awaited != 0;
    answer(r, std::move(failed));
  }
  table_.remove(t);
  return false;
}

void coordinator_state::replicate(ticket t, request& r,
                                  const std::string& bytes) {
  auto& put = *r.put;
  for (uint8_t i = 0; i < r.home_count; ++i) {
    auto m = r.homes[i];
    if (m == node->self || put.stand_in_of(i) == core::put_core::here)
      continue;
    if (auto place = put.stand_in_of(i); place < r.list.size) {
      if (r.list[place] == node->self)
        continue;
      auto hint = op_for(r, t, place, replica_verb::hint, hinting);
      hint.hint_for = view->at(m).id;
      hint.deadline_us = owed_until();
      hint.bytes = bytes;
      ask(r, place, std::move(hint));
    } else if (!reachable(m)) {
      put.failed(i);
    } else {
      auto write = op_for(r, t, i, replica_verb::write, asking);
      write.bytes = bytes;
      ask(r, i, std::move(write));
    }
  }
}

/// The disk filled up since the put was taken: another home may coordinate it.
void coordinator_state::move_to_next_home(ticket t, request& r,
                                          std::string value) {
  auto op = std::move(*r.op);
  op.value = std::move(value);
  r.op.reset();
  r.put.reset();
  r.seen = {};
  start_forward(t, r, op);
}

void coordinator_state::claim(request& r, const replica_answer& a) {
  r.stamp = a.stamp;
  auto rec = core::decode_record(a.bytes);
  // Alone in its record, the write has replaced all that the record knows: the
  // client may claim the same, which is short. Beside siblings that the client
  // has not seen, it may claim no more than its own dot.
  if (rec && rec->siblings.size() == 1 && rec->siblings.front().id == a.dot) {
    r.seen = rec->seen;
    return;
  }
  r.seen.add(a.dot);
  r.seen.limit_singles(core::record::max_singles);
}

void coordinator_state::conclude(ticket t, request& r) {
  using verdict = core::put_core::verdict;
  auto& put = *r.put;
  auto v = put.judge();
  if (v != verdict::wait) {
    client_answer a;
    a.answered = core::count(put.counted());
    a.needed = put.need().needed();
    if (v == verdict::succeed) {
      a.homes = put.met_by_homes();
      a.context = core::encode_token({r.seen, r.stamp},
                                     {node->token_key, r.keyspace->id, r.key});
    } else {
      a.code = errc::quorum_not_met;
      a.maybe_written = true;
      a.text = describe(r, put.need(), put.counted());
    }
    answer(r, std::move(a));
  }
  if (!put.answered())
    return;
  // What stands in from now on is this home: it has the record.
  r.record = {};
  r.held = {};
  if (put.settled())
    table_.remove(t);
}

void coordinator_state::start_forward(ticket t, request& r, client_op& op) {
  ++node->counters.forwards;
  r.forwarded = std::move(op);
  auto self_place = own_place(r);
  // A home whose disk is full: another one may coordinate.
  if (self_place)
    r.sent |= core::home_set{1} << *self_place;
  if (!forward_next(t, r)) {
    if (self_place)
      refuse(r.from, *r.forwarded, errc::disk_full);
    else
      refuse(r.from, *r.forwarded, errc::unavailable,
             "none of the homes can be reached");
    table_.remove(t);
  }
}

bool coordinator_state::forward_next(ticket t, request& r) {
  // A home elsewhere would take "local" for its own data centre.
  auto local = r.level.level == core::consistency_level::local_quorum
               || r.level.level == core::consistency_level::local_one;
  for (auto i : order_of(r)) {
    auto bit = core::home_set{1} << i;
    auto away = view->at(r.homes[i]).data_centre != node->me().data_centre;
    if ((r.sent & bit) != 0 || (local && away))
      continue;
    r.sent |= bit;
    r.awaited |= bit;
    auto op = op_for(r, t, i, replica_verb::forward, forwarding);
    r.forwarded->epoch = r.view->id();
    op.bytes = to_wire(*r.forwarded, *r.keyspace).SerializeAsString();
    ask(r, i, std::move(op));
    return true;
  }
  return park(t, r);
}

/// With no home to coordinate it, a sloppy put is parked at the first fallback
/// that takes writes.
bool coordinator_state::park(ticket t, request& r) {
  // A home that lives and refuses is to be spared, not circumvented.
  if (r.strict || r.home_spoke)
    return false;
  for (uint8_t i = 0; i < r.home_count; ++i)
    if (r.homes[i] != node->self && takes_writes(r.homes[i]))
      return false;
  for (uint32_t i = r.list.homes; i < r.list.size; ++i) {
    auto bit = core::home_set{1} << i;
    auto m = r.list[i];
    if ((r.sent & bit) != 0 || !takes_writes(m))
      continue;
    r.sent |= bit;
    if (m == node->self) {
      if (node->disk_full)
        continue;
      auto op = std::move(*r.forwarded);
      r.forwarded.reset();
      r.parked = true;
      start_put(t, r, op, *requirement_for(r));
      return true;
    }
    r.awaited |= bit;
    r.forwarded->parked = true;
    r.forwarded->epoch = r.view->id();
    auto place = static_cast<uint8_t>(i);
    auto op = op_for(r, t, place, replica_verb::forward, forwarding);
    op.bytes = to_wire(*r.forwarded, *r.keyspace).SerializeAsString();
    ask(r, place, std::move(op));
    return true;
  }
  return false;
}

void coordinator_state::forward_answer(ticket t, request& r,
                                       replica_answer& a) {
  auto awaited = (r.awaited >> t.place & 1) != 0;
  // Given up already; only that it was done would be news.
  if (!awaited && a.kind != answer_kind::forwarded)
    return;
  r.awaited &= ~(core::home_set{1} << t.place);
  client_answer result;
  wire::PutReply reply;
  if (a.kind == answer_kind::forwarded && reply.ParseFromString(a.bytes)) {
    result = from_wire(reply);
    r.home_spoke = r.home_spoke || t.place < r.home_count;
  } else {
    result.code = a.code == errc::none ? errc::connection_lost : a.code;
    // A link that is down or full, or that took it up too late, has sent
    // nothing.
    result.maybe_written = a.code != errc::unavailable
                           && a.code != errc::overloaded
                           && a.code != errc::deadline_expired;
  }
  // A home that says that the level was missed has asked all the others.
  auto passed_on = is_retryable(result.code) || result.code == errc::clock_skew;
  if (passed_on && result.code != errc::quorum_not_met) {
    r.maybe_written = r.maybe_written || result.maybe_written;
    // The same request id makes it safe to hand it to another home.
    if (forward_next(t, r) || r.awaited != 0)
      return;
    // They know other homes: this node is behind, else they would have waited.
    if (result.code == errc::not_owner || result.code == errc::stale_epoch) {
      r.awaits_epoch = true;
      ++node->epochs_missed;
      return;
    }
    if (r.maybe_written && !result.maybe_written)
      result.code = errc::quorum_not_met;
  }
  // What one home did not do another may have done, or be doing.
  if (result.code != errc::none)
    result.maybe_written
      = result.maybe_written || r.maybe_written || r.awaited != 0;
  answer(r, std::move(result));
  table_.remove(t);
}

} // namespace covey
