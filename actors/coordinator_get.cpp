// The coordinator's gets.

#include "actors/coordinator.hpp"
#include "core/context_token.hpp"

#include <algorithm>

namespace covey {

void coordinator_state::start_get(ticket t, request& r,
                                  core::requirement need) {
  ++node->counters.gets;
  auto down = unreachable_homes(r);
  if (!need.possible(down)) {
    client_answer a;
    a.code = errc::unavailable;
    a.needed = need.needed();
    a.text = describe(
      r, need, ((core::home_set{1} << r.home_count) - 1) & ~down, "reachable");
    answer(r, std::move(a));
    table_.remove(t);
    return;
  }
  r.get.emplace(std::move(need), order_of(r), r.keyspace->policy);
  get_action(t, r, r.get->start());
}

void coordinator_state::get_action(ticket t, request& r,
                                   const core::get_core::action& what) {
  auto& get = *r.get;
  for (uint8_t i = 0; i < r.home_count; ++i) {
    if ((what.read >> i & 1) != 0) {
      auto op = op_for(r, t, i, replica_verb::read, asking);
      op.flushed = get.need().overlaps_itself();
      ask(r, i, std::move(op));
    }
    if ((what.repair >> i & 1) != 0) {
      ++node->counters.repairs;
      auto op = op_for(r, t, i, replica_verb::write, repairing);
      op.bytes = get.merged_bytes();
      ask(r, i, std::move(op));
    }
  }
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
    answer(r, std::move(a));
  }
  if (get.settled())
    table_.remove(t);
}

bool coordinator_state::out_of_room(ticket t, const request& r,
                                    const replica_answer& a) {
  if (a.code != errc::overloaded || node->answers->admits(1))
    return false;
  client_answer refused;
  refused.code = errc::overloaded;
  refused.text = a.text;
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
  core::get_core::action what;
  if (why == repairing) {
    what = a.kind == answer_kind::durable ? get.repaired(t.place)
                                          : get.repair_failed(t.place);
  } else if (a.kind == answer_kind::record) {
    r.held.absorb(std::move(a.charge));
    what = get.record_from(t.place, std::move(a.bytes));
  } else {
    if (!get.answered() && out_of_room(t, r, a))
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

void coordinator_state::answer_get(request& r) {
  const auto& merged = r.get->merged();
  client_answer a;
  a.answered = core::count(r.get->answers());
  a.needed = r.get->need().needed();
  visible_values(merged, a.values);
  uint64_t bytes = 0;
  for (const auto& value : a.values)
    bytes += value.size();
  a.charge = {node->answers, bytes};
  a.context = core::encode_token(
    {merged.seen, merged.highest_stamp()},
    {node->token_key, core::keyspace_id(r.keyspace->name), r.key});
  answer(r, std::move(a));
}

} // namespace covey
