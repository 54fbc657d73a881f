// The coordinator's gets.

#include "actors/coordinator.hpp"
#include "core/context_token.hpp"

#include <algorithm>

namespace covey {

namespace {

/// What a planted bug takes for the record.
core::record oldest_of(core::record r) {
  auto oldest = std::min_element(r.siblings.begin(), r.siblings.end(),
                                 [](const auto& x, const auto& y) {
                                   return x.stamp < y.stamp;
                                 });
  if (oldest != r.siblings.end())
    r.siblings.assign(1, core::sibling{*oldest});
  return r;
}

} // namespace

void coordinator_state::start_get(ticket t, request& r,
                                  const core::requirement& need) {
  ++node->counters.gets;
  if (!join(t, r))
    start_reading(t, r, need);
}

void coordinator_state::start_reading(ticket t, request& r,
                                      const core::requirement& need) {
  auto down = unreachable_homes(r);
  if (!need.possible(down)) {
    client_answer a;
    a.code = errc::unavailable;
    a.needed = need.needed();
    a.text = describe(
      r, need, ((core::home_set{1} << r.home_count) - 1) & ~down, "reachable");
    answer_readers(r, std::move(a));
    table_.remove(t);
    return;
  }
  r.get.emplace(need, order_of(r), r.keyspace->policy);
  auto what = r.get->start();
  r.asked_first = what.read | what.digest;
  if (r.asked_first != 0)
    expect_answers(t, r);
  get_action(t, r, what);
}

void coordinator_state::get_action(ticket t, request& r,
                                   const core::get_core::action& what) {
  auto& get = *r.get;
  for (uint8_t i = 0; i < r.home_count; ++i) {
    if (((what.read | what.digest) >> i & 1) != 0) {
      auto op = op_for(r, t, i, replica_verb::read, asking);
      op.flushed = get.need().overlaps_itself();
      if ((what.digest >> i & 1) != 0) {
        op.digest_number = core::version_hash_number;
        op.digest_above = config.digest_above_bytes;
      }
      ask(r, i, std::move(op));
    }
    if ((what.repair >> i & 1) != 0)
      repair(t, r, i, !get.answered());
  }
  if (what.answer || what.fail)
    note_unanswered(r);
  if (what.answer) {
    answer_get(r);
    refill(t, r);
  }
  if (what.fail) {
    client_answer a;
    a.code = code_of_failed_read(r, errc::quorum_not_met);
    a.answered = core::count(get.answers());
    a.needed = get.need().needed();
    a.text = describe(r, get.need(), get.answers());
    answer_readers(r, std::move(a));
  }
  if (get.settled())
    table_.remove(t);
}

void coordinator_state::answer_readers(request& r, client_answer a) {
  for (const auto& t : r.joined)
    if (auto* x = table_.find(t)) {
      answer(*x, a);
      table_.remove(t);
    }
  r.joined.clear();
  answer(r, std::move(a));
}

bool coordinator_state::out_of_room(ticket t, request& r,
                                    const replica_answer& a) {
  if (a.code != errc::overloaded || node->answers->admits(1))
    return false;
  client_answer refused;
  refused.code = errc::overloaded;
  refused.text = a.text;
  if (r.get)
    answer_readers(r, std::move(refused));
  else
    answer(r, std::move(refused));
  table_.remove(t);
  return true;
}

errc coordinator_state::code_of_failed_read(const request& r, errc otherwise) {
  auto end = r.failures.begin() + r.home_count;
  return std::find(r.failures.begin(), end, errc::overloaded) == end
           ? otherwise
           : errc::overloaded;
}

void coordinator_state::get_answer(ticket t, request& r, replica_answer& a,
                                   uint8_t why) {
  auto& get = *r.get;
  if (why == repairing) {
    repair_answer(t, r, a.kind == answer_kind::durable);
    return;
  }
  if ((r.asked_first & get.awaited() & core::home_set{1} << t.place) != 0
      && a.kind != answer_kind::failed)
    note_latency(r.homes[t.place], r.started_us);
  core::get_core::action what;
  if (a.kind == answer_kind::record) {
    r.held.absorb(std::move(a.charge));
    what = get.record_from(t.place, std::move(a.bytes));
  } else if (a.kind == answer_kind::digest) {
    what = get.digest_from(t.place, a.digest);
    if (what.read != 0)
      ++node->counters.digest_misses;
  } else {
    if (get.reading() && out_of_room(t, r, a))
      return;
    what = get.failed(t.place);
  }
  get_action(t, r, what);
}

void coordinator_state::visible_values(const core::record& rec,
                                       std::vector<std::string>& out) const {
  auto now_ms = node->wall_us() / 1000;
  for (const auto& s : rec.siblings)
    if (!s.tombstone && (s.expires_at_ms == 0 || s.expires_at_ms > now_ms))
      out.emplace_back(s.value);
}

void coordinator_state::answer_get(request& r) {
  const auto& merged = r.get->merged();
  client_answer a;
  a.answered = core::count(r.get->answers());
  a.needed = r.get->need().needed();
  if (config.planted == planted_bug::older_sibling)
    visible_values(oldest_of(merged), a.values);
  else
    visible_values(merged, a.values);
  uint64_t bytes = 0;
  for (const auto& value : a.values)
    bytes += value.size();
  a.charge = {node->answers, bytes};
  a.context = core::encode_token({merged.seen, merged.highest_stamp()},
                                 {node->token_key, r.keyspace->id, r.key});
  answer_readers(r, std::move(a));
}

} // namespace covey
