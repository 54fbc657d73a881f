// How calls end: repeated where that is safe, answered, expired.

#include "client/back_off.hpp"
#include "client/hedge.hpp"
#include "client/router.hpp"

#include <algorithm>
#include <iterator>

namespace covey::client {

namespace {

/// Sent without a request of CAF, which would swallow an answer that is late.
bool in_burst(const call& c) {
  return !is_about_node(c.request);
}

} // namespace

void router_state::settle(call&& c, outcome&& o, const node_session* by) {
  if (!decides(c, o, by))
    return;
  c.maybe_written = c.maybe_written || o.maybe_written;
  for (auto& j : std::exchange(c.joined, {}))
    settle(std::move(j), outcome{o}, by);
  if (!repeat(c, o, by))
    finish(std::move(c), std::move(o));
}

bool router_state::repeat(call& c, const outcome& o, const node_session* by) {
  auto safe = o.code == errc::connection_lost || o.code == errc::unavailable
              || o.code == errc::shutting_down || o.code == errc::behind
              || (o.code == errc::quorum_not_met && !c.is_write());
  if (!safe || c.attempts >= c.retries || c.deadline <= now())
    return false;
  auto free = c.attempts == 0 && o.code == errc::connection_lost;
  if (!free && !budget_.take())
    return false;
  if (by != nullptr)
    c.tried.push_back(by->id);
  // The first repetition goes to another node at once; with only one node it
  // would meet the same answer.
  auto again = c.attempts++;
  if (again == 0 && sessions_.size() > 1) {
    route(std::move(c));
    return true;
  }
  c.not_before
    = now()
      + back_off(again, config_.back_off_least, config_.back_off_most, rng_);
  next_deadline_ = std::min(next_deadline_, c.deadline);
  resting_.push_back(std::move(c));
  return true;
}

bool router_state::decides(call& c, const outcome& o, const node_session* by) {
  if (!c.hedged)
    return true;
  auto all = std::exchange(c.hedged, nullptr);
  --all->open;
  if (!all->what)
    return false;
  if (o.code != errc::none && all->open > 0) {
    // The copy that goes on may be hedged in its turn.
    next_hedge_ = now();
    return false;
  }
  c = std::move(*all->what);
  all->what.reset();
  if (o.code == errc::none && by != nullptr)
    note_overtaken(c, *by);
  return true;
}

void router_state::finish(call&& c, outcome&& o) noexcept {
  if (!decides(c, o, nullptr))
    return;
  for (auto& j : std::exchange(c.joined, {}))
    finish(std::move(j), outcome{o});
  o.maybe_written = o.code != errc::none && c.maybe_written;
  c.done(o);
}

void router_state::refuse(const node_session& s, call&& c) {
  outcome o;
  o.code = errc::overloaded;
  o.text = to_string(s.where) + " is overloaded; not sent, try again later";
  finish(std::move(c), std::move(o));
}

double router_state::draw() {
  return std::uniform_real_distribution<double>{}(rng_);
}

void router_state::note_end(node_session& s, const call& c, bool served) {
  s.overload.on_answer(now(), served, draw());
  // It is counted no more among those in flight.
  auto full = s.under_way() + 1 >= s.window.size();
  s.window.on_answer(now(), now() - c.sent, c.deadline - c.submitted, served,
                     full);
}

void router_state::expire(call&& c, const node_session* at) {
  outcome o;
  // A call that was sent once and waits to be repeated may have happened.
  if (at != nullptr) {
    o.code = c.maybe_written ? errc::connection_lost : errc::overloaded;
    o.text = "the request waited for its turn at " + to_string(at->where)
             + " until its deadline";
  } else {
    o.code = c.maybe_written ? errc::connection_lost : errc::unavailable;
    o.text = failure_text();
    if (c.maybe_written)
      o.text
        = "sent, but the connection broke before the answer; then " + o.text;
  }
  finish(std::move(c), std::move(o));
}

void router_state::sweep() {
  auto t = now();
  if (t < next_deadline_)
    return;
  next_deadline_ = time_point::max();
  // Calls that are late leave `calls`; the others keep their order.
  auto take_late = [&](auto& calls) {
    auto first
      = std::stable_partition(calls.begin(), calls.end(), [&](const call& c) {
          if (c.deadline <= t)
            return false;
          next_deadline_ = std::min(next_deadline_, c.deadline);
          return true;
        });
    std::vector<call> late{std::make_move_iterator(first),
                           std::make_move_iterator(calls.end())};
    calls.erase(first, calls.end());
    return late;
  };
  std::vector<std::pair<node_session*, call>> unanswered;
  std::vector<std::pair<node_session*, call>> unsent;
  for (auto& s : sessions_) {
    for (auto& c : take_late(s->queue)) {
      left(c);
      unsent.emplace_back(s.get(), std::move(c));
    }
    for (auto i = s->in_flight.begin(); i != s->in_flight.end();) {
      if (i->second.deadline <= t) {
        if (in_burst(i->second))
          s->overdue.emplace(i->first, t + config_.overdue_patience);
        unanswered.emplace_back(s.get(), std::move(i->second));
        i = s->in_flight.erase(i);
      } else {
        next_deadline_ = std::min(next_deadline_, i->second.deadline);
        ++i;
      }
    }
    for (auto i = s->overdue.begin(); i != s->overdue.end();) {
      if (i->second <= t) {
        i = s->overdue.erase(i);
      } else {
        next_deadline_ = std::min(next_deadline_, i->second);
        ++i;
      }
    }
  }
  for (auto& c : take_late(waiting_)) {
    left(c);
    unsent.emplace_back(nullptr, std::move(c));
  }
  for (auto& c : take_late(resting_))
    unsent.emplace_back(nullptr, std::move(c));
  for (auto& [s, c] : unsent)
    expire(std::move(c), s);
  for (auto& [s, c] : unanswered) {
    // Others first while it says nothing.
    s->avoid_until = t + config_.avoidance;
    note_end(*s, c, false);
    outcome o;
    o.code = errc::timed_out;
    o.text = to_string(s->where) + " has not answered before the deadline";
    o.maybe_written = c.is_write();
    settle(std::move(c), std::move(o), s);
  }
}

} // namespace covey::client
