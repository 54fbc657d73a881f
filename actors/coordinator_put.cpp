// The coordinator's puts: replication from a home, forwarding to one.

#include "actors/coordinator.hpp"
#include "core/context_token.hpp"
#include "messages/convert.hpp"

namespace covey {

void coordinator_state::start_put(ticket t, request& r, client_op& op,
                                  core::requirement need) {
  ++node->counters.puts;
  auto keyspace = core::keyspace_id(r.keyspace->name);
  auto token
    = core::decode_token(op.context, {node->token_key, keyspace, op.key});
  if (!token) {
    refuse(r.from, op, errc::bad_context);
    table_.remove(t);
    return;
  }
  if (!need.possible(unreachable_homes(r))) {
    refuse(r.from, op, errc::unavailable,
           describe(r, need,
                    ((core::home_set{1} << r.home_count) - 1)
                      & ~unreachable_homes(r),
                    "reachable"));
    table_.remove(t);
    return;
  }
  auto self_place = *own_place(r);
  r.put.emplace(std::move(need), r.home_count, self_place);
  r.seen = token->seen;
  auto put = op_for(r, t, self_place, replica_verb::put, asking);
  put.bytes = std::move(op.value);
  op.value.clear();
  put.tombstone = op.tombstone;
  put.expires_at_ms = op.expires_at_ms;
  put.request = op.request;
  put.seen = std::move(token->seen);
  put.floor_stamp = token->stamp;
  if (!op.forwarded)
    r.movable = std::move(op);
  ask(r, self_place, std::move(put));
}

void coordinator_state::put_answer(ticket t, request& r, replica_answer& a) {
  auto& put = *r.put;
  switch (a.kind) {
    case answer_kind::committed: {
      // From here on others may see it: the commit has succeeded.
      claim(r, a);
      r.committed = true;
      r.movable.reset();
      for (uint8_t i = 0; i < r.home_count; ++i) {
        if ((put.others() >> i & 1) == 0)
          continue;
        if (!reachable(r.homes[i])) {
          put_verdict(t, r, put.failed(i));
          if (table_.find(t) == nullptr)
            return;
          continue;
        }
        auto write = op_for(r, t, i, replica_verb::write, asking);
        write.bytes = a.bytes;
        ask(r, i, std::move(write));
      }
      return;
    }
    case answer_kind::durable:
      put_verdict(t, r, put.durable(t.place));
      return;
    default:
      // Refused before the commit: nothing was written anywhere.
      if (!r.committed && !put.answered()) {
        if (a.code == errc::disk_full && r.movable) {
          move_to_next_home(t, r, std::move(a.bytes));
          return;
        }
        put.close();
        client_answer failed;
        failed.code = a.code;
        failed.text = std::move(a.text);
        answer(r, std::move(failed));
        table_.remove(t);
        return;
      }
      put_verdict(t, r, put.failed(t.place));
  }
}

/// The disk filled up since the put was taken: another home may coordinate it.
void coordinator_state::move_to_next_home(ticket t, request& r,
                                          std::string value) {
  auto op = std::move(*r.movable);
  op.value = std::move(value);
  r.movable.reset();
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

void coordinator_state::put_verdict(ticket t, request& r,
                                    core::put_core::verdict v) {
  using verdict = core::put_core::verdict;
  auto& put = *r.put;
  if (v == verdict::succeed) {
    client_answer a;
    a.answered = core::count(put.acked());
    a.needed = put.need().needed();
    a.context = core::encode_token(
      {r.seen, r.stamp},
      {node->token_key, core::keyspace_id(r.keyspace->name), r.key});
    answer(r, std::move(a));
  } else if (v == verdict::fail) {
    client_answer a;
    a.code = errc::quorum_not_met;
    a.maybe_written = true;
    a.answered = core::count(put.acked());
    a.needed = put.need().needed();
    a.text = describe(r, put.need(), put.acked());
    answer(r, std::move(a));
  }
  if (put.answered() && put.settled())
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
    auto away
      = node->epoch->members[r.homes[i]].data_centre != node->me().data_centre;
    if ((r.sent & bit) != 0 || (local && away))
      continue;
    r.sent |= bit;
    r.awaited |= bit;
    auto op = op_for(r, t, i, replica_verb::forward, asking);
    op.bytes = to_wire(*r.forwarded, *r.keyspace).SerializeAsString();
    ask(r, i, std::move(op));
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
