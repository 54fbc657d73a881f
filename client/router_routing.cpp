// Routing: which session gets which call.

#include "client/router.hpp"
#include "messages/convert.hpp"

#include <algorithm>

namespace covey::client {

namespace {

// What makes a session a worse choice, heaviest first.
constexpr unsigned tried_before = 8;
constexpr unsigned avoided = 4;
constexpr unsigned no_home = 2;
constexpr unsigned no_room = 1;

} // namespace

std::vector<node_session*> router_state::homes_of(const call& c) {
  std::vector<node_session*> result;
  if (!view_)
    return result;
  std::vector<core::member_index> members;
  if (auto* put = std::get_if<wire::PutRequest>(&c.request))
    members = view_->homes(put->keyspace(), put->key(), config_.data_centre);
  else if (auto* get = std::get_if<wire::GetRequest>(&c.request))
    members = view_->homes(get->keyspace(), get->key(), config_.data_centre);
  else if (auto* scan = std::get_if<wire::ScanRequest>(&c.request))
    members = view_->homes(scan->keyspace(),
                           static_cast<uint16_t>(std::min<uint32_t>(
                             scan->slot(), core::slot_count - 1)),
                           config_.data_centre);
  result.reserve(members.size());
  for (auto m : members)
    result.push_back(of_member_[m]);
  return result;
}

node_session* router_state::choose(const call& c) {
  node_session* best = nullptr;
  auto best_rank = ~0u;
  auto t = now();
  auto consider = [&](node_session& s, unsigned rank) {
    if (!s.usable())
      return;
    rank += (c.was_tried(s.id) ? tried_before : 0)
            + (s.avoid_until > t || s.silent(t) ? avoided : 0)
            + (s.has_room() ? 0 : no_room);
    if (rank < best_rank) {
      best = &s;
      best_rank = rank;
    }
  };
  for (auto* s : homes_of(c)) {
    consider(*s, 0);
    if (best_rank == 0)
      return best;
    if (!s->usable())
      want(*s);
  }
  if (best_rank >= avoided)
    for (auto& s : sessions_)
      consider(*s, no_home);
  if (best == nullptr || best_rank < tried_before)
    return best;
  // Better wait for one that was not tried yet, if it is on its way.
  auto on_its_way = [&](const auto& s) {
    return s->connecting() && !c.was_tried(s->id);
  };
  return std::any_of(sessions_.begin(), sessions_.end(), on_its_way) ? nullptr
                                                                     : best;
}

void router_state::want(node_session& s) {
  s.wanted = true;
  if (s.now == phase::resting && now() >= s.rest_until)
    dial(s);
}

void router_state::route(call&& c) {
  auto* s = choose(c);
  if (s != nullptr && s->crowded()) {
    refuse(*s, std::move(c));
    return;
  }
  if (s != nullptr) {
    enqueue(*s, std::move(c));
    return;
  }
  note_waiting(c);
  waiting_.push_back(std::move(c));
  seek();
}

void router_state::enqueue(node_session& s, call&& c) {
  note_waiting(c);
  s.queue.push_back(std::move(c));
}

void router_state::note_waiting(const call& c) {
  next_deadline_ = std::min(next_deadline_, c.deadline);
  ++waiting_calls_;
  waiting_bytes_ += c.bytes;
}

void router_state::route_all(std::deque<call>&& calls) {
  for (auto& c : calls) {
    left(c);
    route(std::move(c));
  }
}

void router_state::left(const call& c) {
  --waiting_calls_;
  waiting_bytes_ -= c.bytes;
}

node_session* router_state::session_of(const core::member& m) {
  node_session* result = nullptr;
  node_address where{m.host, m.port};
  for (auto& s : sessions_) {
    if (s->name == m.name && s->now == phase::up)
      return s.get();
    if (result == nullptr && s->where == where)
      result = s.get();
  }
  return result != nullptr ? result : &add_session(where);
}

void router_state::learn(const wire::ClientWelcome& welcome) {
  core::epoch_id id{welcome.epoch_generation(), welcome.epoch_number()};
  if (!config_.by_slot || welcome.members_size() == 0
      || (view_ && !(view_->epoch().id < id)))
    return;
  auto epoch = epoch_from_wire(welcome);
  if (!epoch)
    return;
  view_ = std::make_unique<cluster_view>(std::move(*epoch));
  asked_ = std::max(asked_, id);
  of_member_.clear();
  for (const auto& m : view_->epoch().members)
    of_member_.push_back(session_of(m));
  auto is_member = [this](const node_session& s) {
    return std::find(of_member_.begin(), of_member_.end(), &s)
           != of_member_.end();
  };
  // The configured nodes stay: they are where to begin again.
  for (size_t i = sessions_.size(); i > config_.nodes.size(); --i) {
    auto& s = *sessions_[i - 1];
    if (is_member(s))
      continue;
    s.wanted = false;
    if (s.now == phase::up)
      s.leaving = "it is no member any more";
    else if (s.now == phase::resting)
      sessions_.erase(sessions_.begin() + static_cast<ptrdiff_t>(i) - 1);
  }
}

} // namespace covey::client
