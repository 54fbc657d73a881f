// The coordinator's scans.

#include "actors/coordinator.hpp"

#include <algorithm>

namespace covey {

void coordinator_state::start_scan(ticket t, request& r, const client_op& op,
                                   core::requirement need) {
  // A page ends where the homes change.
  auto same_homes = [&](uint32_t slot) {
    auto list = r.keyspace->at(static_cast<uint16_t>(slot));
    return std::all_of(r.homes.begin(), r.homes.begin() + r.home_count,
                       [&](auto m) {
                         return list.is_home(m);
                       });
  };
  r.last_slot = r.slot;
  while (r.last_slot < op.last_slot && same_homes(r.last_slot + 1u))
    ++r.last_slot;
  r.prefix = op.value;
  r.max_bytes = op.max_bytes;
  r.scan.emplace(std::move(need), order_of(r), r.keyspace->policy,
                 r.keyspace->hash_tags);
  scan_action(t, r, r.scan->start());
}

void coordinator_state::scan_action(ticket t, request& r,
                                    const core::scan_core::action& what) {
  for (uint8_t i = 0; i < r.home_count; ++i)
    if ((what.read >> i & 1) != 0) {
      auto op = op_for(r, t, i, replica_verb::scan, asking);
      op.last_slot = r.last_slot;
      op.max_bytes = r.max_bytes;
      op.bytes = r.prefix;
      ask(r, i, std::move(op));
    }
  if (what.answer) {
    answer_scan(r);
  } else if (what.fail) {
    client_answer a;
    a.code = code_of_failed_read(r, errc::unavailable);
    a.text = describe(r, r.scan->need(), r.scan->answers());
    answer(r, std::move(a));
  } else {
    return;
  }
  table_.remove(t);
}

void coordinator_state::scan_answer(ticket t, request& r, replica_answer& a) {
  if (a.kind == answer_kind::page) {
    r.held.absorb(std::move(a.charge));
    scan_action(t, r, r.scan->page_from(t.place, std::move(a.bytes)));
  } else if (!out_of_room(t, r, a)) {
    scan_action(t, r, r.scan->failed(t.place));
  }
}

void coordinator_state::answer_scan(request& r) {
  client_answer result;
  result.next_slot = r.scan->next_slot();
  result.next_after_key.assign(r.scan->next_after_key());
  uint64_t bytes = 0;
  for (const auto& [key, rec] : r.scan->rows()) {
    scan_entry entry;
    visible_values(rec, entry.values);
    if (entry.values.empty())
      continue;
    entry.key.assign(key);
    bytes += key.size();
    for (const auto& value : entry.values)
      bytes += value.size();
    result.entries.push_back(std::move(entry));
  }
  result.charge = {node->answers, bytes};
  answer(r, std::move(result));
}

} // namespace covey
