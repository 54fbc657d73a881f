// The coordinator's answers: how a request ends, and what is said of it.

#include "actors/coordinator.hpp"

namespace covey {

void coordinator_state::answer(const request& r, client_answer a) {
  a.id = r.id;
  a.verb = r.verb;
  if (a.code != errc::none)
    ++node->counters.failed;
  to_clients_.add(r.from, std::move(a));
}

void coordinator_state::refuse(const client_asker_actor& from,
                               const client_op& op, errc code, std::string text,
                               bool maybe_written) {
  request r;
  r.from = from;
  r.id = op.id;
  r.verb = op.verb;
  client_answer a;
  a.code = code;
  a.text = std::move(text);
  a.maybe_written = maybe_written;
  answer(r, std::move(a));
}

std::string coordinator_state::describe(const request& r,
                                        const core::requirement& need,
                                        core::home_set homes,
                                        const char* verb) const {
  auto result = core::to_string(r.level) + " needs "
                + std::to_string(need.needed()) + " of "
                + std::to_string(r.home_count) + " homes, "
                + std::to_string(core::count(homes)) + " " + verb;
  std::string why;
  for (uint8_t i = 0; i < r.home_count; ++i) {
    if ((homes >> i & 1) != 0)
      continue;
    const auto& member = view->at(r.homes[i]);
    std::string reason;
    if (r.failures[i] != errc::none)
      reason = to_string(r.failures[i]);
    else if (!reachable(r.homes[i]))
      reason = "down";
    else
      continue;
    why += (why.empty() ? "" : ", ") + member.name + ": " + reason;
  }
  return why.empty() ? result : result + " (" + why + ")";
}

void coordinator_state::expire(const ticket& t, request& r) {
  client_answer a;
  a.code = errc::timed_out;
  for (uint8_t i = 0; i < r.home_count; ++i)
    if (r.failures[i] == errc::none && reachable(r.homes[i]))
      r.failures[i] = errc::timed_out;
  if (r.put) {
    if (!r.put->answered()) {
      a.maybe_written = true;
      a.answered = core::count(r.put->counted());
      a.needed = r.put->need().needed();
      a.text = describe(r, r.put->need(), r.put->counted());
      answer(r, std::move(a));
    }
    expire_put(t, r);
    return;
  }
  if (r.get) {
    if (!r.get->answered()) {
      a.answered = core::count(r.get->answers());
      a.needed = r.get->need().needed();
      a.text = describe(r, r.get->need(), r.get->answers());
      answer(r, std::move(a));
      note_unanswered(r);
    }
    leave_repairs(t, r);
    read_apart(r);
  } else if (r.leader) {
    const auto* leader = table_.find(*r.leader);
    if (leader != nullptr && leader->get)
      a.text = describe(r, leader->get->need(), leader->get->answers());
    answer(r, std::move(a));
  } else {
    a.maybe_written = r.forwarded.has_value() || r.maybe_written;
    if (r.scan)
      a.text = describe(r, r.scan->need(), r.scan->answers());
    answer(r, std::move(a));
  }
  table_.remove(t);
}

} // namespace covey
