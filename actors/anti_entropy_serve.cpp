// Anti-entropy: the exchanges that peers have begun.

#include "actors/anti_entropy.hpp"
#include "messages/burst.hpp"

namespace covey {

void anti_entropy_state::refuse(core::member_index to, const exchange_ask& in,
                                errc code) {
  exchange_answer out;
  out.exchange = in.exchange;
  out.code = code;
  out.tree_number = tree_number;
  out.answer.id = in.question.id;
  send(to, frame_kind::exchange_answer, serialize(out));
}

void anti_entropy_state::answer_begin(core::member_index from,
                                      const exchange_ask& in) {
  if (in.epoch != view->id()) {
    refuse(from, in, errc::stale_epoch);
    return;
  }
  if (groups_.count(in.group) == 0) {
    refuse(from, in, errc::unknown_keyspace);
    return;
  }
  // One of a peer: it has given up the one before.
  if (sessions_.count(from) == 0 && sessions_.size() >= config.max_sessions) {
    refuse(from, in, errc::overloaded);
    return;
  }
  auto& s = sessions_[from];
  s = {};
  s.id = in.exchange;
  s.scope = {in.group, shared_with({in.group, from})};
  // Before anything is read for it, here or there.
  s.began_us = node->wall_us();
  s.heard_ms = now_ms();
  refuse(from, in, errc::none);
}

void anti_entropy_state::take_ask(core::member_index from,
                                  const exchange_ask& in) {
  if (in.begins) {
    answer_begin(from, in);
    return;
  }
  auto i = sessions_.find(from);
  if (i == sessions_.end() || i->second.id != in.exchange) {
    refuse(from, in, errc::unavailable);
    return;
  }
  auto& s = i->second;
  s.heard_ms = now_ms();
  size_t roots = 0;
  if (in.question.kind == core::question_kind::roots)
    for (const auto& r : in.question.ranges) {
      auto [first, end] = slots_in(*s.scope.shared, r);
      roots += static_cast<size_t>(end - first);
    }
  if (roots > core::max_exchange_roots) {
    refuse(from, in, errc::bad_message);
    return;
  }
  if (s.open >= config.max_questions) {
    refuse(from, in, errc::overloaded);
    return;
  }
  ++s.open;
  read_trees(self, with.trees, s.scope, in.question,
             [this, from, id = s.id](core::exchange_answer answer) {
               auto x = sessions_.find(from);
               if (x == sessions_.end() || x->second.id != id)
                 return;
               --x->second.open;
               exchange_answer out;
               out.exchange = id;
               out.tree_number = tree_number;
               out.answer = std::move(answer);
               send(from, frame_kind::exchange_answer, serialize(out));
             });
}

void anti_entropy_state::take_end(core::member_index from,
                                  const exchange_end& in) {
  auto i = sessions_.find(from);
  if (i == sessions_.end() || i->second.id != in.exchange)
    return;
  auto& s = i->second;
  s.heard_ms = now_ms();
  for (const auto& r : in.equal) {
    auto [slot, end] = slots_in(*s.scope.shared, r);
    std::vector<uint16_t> slots{slot, end};
    for (auto x : slots)
      compared.equal(s.scope.group, from, x, s.began_us);
  }
  if (in.over) {
    sessions_.erase(i);
    publish(from);
  }
}

void anti_entropy_state::sweep_sessions() {
  for (auto i = sessions_.begin(); i != sessions_.end();)
    i = now_ms() >= i->second.heard_ms + config.session_ms ? sessions_.erase(i)
                                                           : std::next(i);
}

} // namespace covey
