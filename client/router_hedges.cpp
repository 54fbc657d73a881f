// Gets that take long go to a second home as well.

#include "client/hedge.hpp"
#include "client/router.hpp"

#include <algorithm>

namespace covey::client {

namespace {

const call& get_of(const call& copy) {
  return copy.hedged ? *copy.hedged->what : copy;
}

/// A node of another data centre would take "local" for itself.
bool is_local(const core::epoch& e, const wire::GetRequest& get) {
  auto level = static_cast<core::consistency_level>(get.level());
  const auto* ks = e.find_keyspace(get.keyspace());
  if (level == core::consistency_level::keyspace_default && ks != nullptr)
    level = ks->default_read.level;
  return level == core::consistency_level::local_one
         || level == core::consistency_level::local_quorum;
}

} // namespace

bool router_state::may_hedge(const call& c) const {
  if (config_.hedge_after.count() == 0
      || !std::holds_alternative<wire::GetRequest>(c.request))
    return false;
  // One that is answered, or has another copy under way already.
  if (c.hedged && (!c.hedged->what || c.hedged->open > 1))
    return false;
  const auto& get = get_of(c);
  return get.attempts < get.retries;
}

void router_state::note_sent(const call& c) {
  if (may_hedge(c))
    next_hedge_
      = std::min(next_hedge_, c.sent
                                + hedge_delay(std::nullopt, config_.hedge_after,
                                              c.deadline - c.submitted));
}

void router_state::note_success(node_session& s, const call& c) {
  s.last_success = now();
  if (!std::holds_alternative<wire::GetRequest>(c.request))
    return;
  auto took
    = std::chrono::duration_cast<std::chrono::microseconds>(now() - c.sent);
  s.usual_get.add(static_cast<uint64_t>(took.count()));
}

void router_state::note_overtaken(const call& c, const node_session& by) {
  for (auto id : c.tried) {
    if (id == by.id)
      return;
    auto* slower = find(id);
    // One that was just slow has answered others meanwhile.
    if (slower != nullptr && slower->last_success <= c.sent)
      slower->avoid_until = now() + config_.avoidance;
  }
}

void router_state::hedge() {
  auto t = now();
  if (t < next_hedge_)
    return;
  next_hedge_ = time_point::max();
  for (auto& s : sessions_) {
    if (s->in_flight.empty())
      continue;
    auto usual = s->usual_get.p99_us();
    for (auto& [id, c] : s->in_flight) {
      if (!may_hedge(c))
        continue;
      auto due
        = c.sent
          + hedge_delay(usual, config_.hedge_after, c.deadline - c.submitted);
      if (due > t) {
        next_hedge_ = std::min(next_hedge_, due);
        continue;
      }
      auto* other = budget_.empty() ? nullptr : second_home(get_of(c), *s);
      if (other != nullptr && budget_.take())
        hedge_at(*other, c, *s);
      else
        next_hedge_ = std::min(next_hedge_, t + config_.tick);
    }
  }
}

void router_state::hedge_at(node_session& other, call& c,
                            const node_session& first) {
  if (!c.hedged) {
    auto all = std::make_shared<hedged_get>();
    all->open = 1;
    // What stays in flight only stands for it.
    call copy;
    copy.request = wire::GetRequest{};
    copy.deadline = c.deadline;
    copy.submitted = c.submitted;
    copy.sent = c.sent;
    copy.hedged = all;
    all->what = std::exchange(c, std::move(copy));
    all->what->tried.push_back(first.id);
  }
  auto& get = *c.hedged->what;
  ++get.attempts;
  ++c.hedged->open;
  get.tried.push_back(other.id);
  call copy;
  copy.request = get.request;
  copy.deadline = get.deadline;
  copy.submitted = get.submitted;
  copy.bytes = get.bytes;
  copy.tried = get.tried;
  copy.hedged = c.hedged;
  enqueue(other, std::move(copy));
}

node_session* router_state::second_home(const call& c,
                                        const node_session& first) {
  const auto* here = member_of(first);
  if (here == nullptr)
    return nullptr;
  auto t = now();
  auto local = is_local(view_->epoch(), std::get<wire::GetRequest>(c.request));
  for (auto* s : homes_of(c)) {
    if (s == &first || c.was_tried(s->id)
        || (local && member_of(*s)->data_centre != here->data_centre))
      continue;
    if (!s->usable())
      want(*s);
    else if (s->avoid_until <= t && !s->silent(t) && s->has_room()
             && !s->crowded())
      return s;
  }
  return nullptr;
}

const core::member* router_state::member_of(const node_session& s) const {
  auto i = std::find(of_member_.begin(), of_member_.end(), &s);
  return i == of_member_.end()
           ? nullptr
           : &view_->epoch()
                .members[static_cast<size_t>(i - of_member_.begin())];
}

} // namespace covey::client
