// Anti-entropy: which exchange is next, and what comes of it.

#include "actors/anti_entropy.hpp"

#include "messages/burst.hpp"

#include <algorithm>

namespace covey {

namespace {

/// What a budget saves up: this part of a second.
constexpr uint64_t reserve_part = 7;

} // namespace

uint64_t anti_entropy_state::now_ms() const {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(
      self->clock().now().time_since_epoch())
      .count());
}

void anti_entropy_state::start(const anti_entropy_config& cfg,
                               const node_context_ptr& ctx) {
  config = cfg;
  node = ctx;
  random_.seed(config.seed);
  last_op_ = random_() >> 1;
  budget_
    = core::token_bucket{config.bytes_per_s, config.bytes_per_s / reserve_part};
  adopt(node->newest_view());
}

/// What is under way was meant for the homes of before. Members keep their
/// indexes; slots may have left and come back, so that nothing of before counts
/// as compared.
void anti_entropy_state::adopt(view_ptr next) {
  if (running_)
    end(false, errc::stale_epoch);
  sessions_.clear();
  view = std::move(next);
  links_.resize(std::max(links_.size(), view->members()));
  groups_.clear();
  for (const auto& ks : view->keyspaces())
    groups_[ks.group] = ks.slots;
  shared_.clear();
  marks_.clear();
  compared.clear();
  for (core::member_index m = 0; m < view->members(); ++m)
    publish(m);
}

void anti_entropy_state::up(core::member_index m,
                            const exchange_link_actor& link) {
  links_.at(m) = link;
}

void anti_entropy_state::down(core::member_index m) {
  links_.at(m) = exchange_link_actor{};
  sessions_.erase(m);
  other_trees_.erase(m);
  if (running_ && running_->peer == m)
    end(false, errc::connection_lost);
}

bool anti_entropy_state::reachable(core::member_index m) const {
  return links_[m] && liveness->state_of(m) == core::health::up
         && !liveness->stalled(m);
}

bool anti_entropy_state::begins_with(core::member_index m) const {
  // A tournament: of an even sum the larger one, of an odd one the smaller.
  auto even = (node->self + m) % 2 == 0;
  return even == (node->self > m);
}

slot_list anti_entropy_state::shared_with(const group_and_peer& x) {
  auto& result = shared_[x];
  if (result)
    return result;
  auto slots = std::make_shared<std::vector<uint16_t>>();
  auto group = groups_.find(x.first);
  for (uint32_t s = 0; group != groups_.end() && s < core::slot_count; ++s) {
    auto slot = static_cast<uint16_t>(s);
    auto list = group->second->homes.at(slot);
    if (list.is_home(node->self) && list.is_home(x.second))
      slots->push_back(slot);
  }
  result = slots;
  return result;
}

void anti_entropy_state::send(core::member_index to, frame_kind kind,
                              std::string message) {
  if (!links_[to])
    return;
  budget_.take(message.size());
  node->counters.exchange_bytes += message.size();
  self->send(links_[to], exchange_frame{to, kind, std::move(message)});
}

void anti_entropy_state::publish(core::member_index m) {
  if (m == node->self)
    return;
  auto oldest = UINT64_MAX;
  for (const auto& group : groups_)
    if (auto slots = shared_with({group.first, m}); !slots->empty())
      oldest = std::min(oldest, compared.oldest_us(group.first, m, *slots));
  auto& gauge = node->peers[m];
  gauge.shares_slots = oldest != UINT64_MAX;
  gauge.compared_us = oldest == UINT64_MAX ? 0 : oldest;
}

// -- which exchange -----------------------------------------------------------

void anti_entropy_state::choose() {
  if (running_ || begin_commanded() || begin_marked())
    return;
  auto now = now_ms();
  std::optional<group_and_peer> next;
  for (core::member_index m = 0; m < links_.size(); ++m) {
    if (m == node->self || !reachable(m) || !begins_with(m))
      continue;
    for (const auto& group : groups_) {
      group_and_peer x{group.first, m};
      // The first ones are spread.
      auto due = due_ms_.emplace(x, now + random_() % config.interval_ms)
                   .first->second;
      if (due > now || shared_with(x)->empty())
        continue;
      // Exchanges may take longer than the interval: who has waited longest is
      // next, or the others would never be.
      if (!next || due < due_ms_[*next])
        next = x;
    }
  }
  if (!next)
    return;
  due_ms_[*next] = now + config.interval_ms;
  begin(*next, reason::due, *shared_with(*next));
}

void anti_entropy_state::begin(const group_and_peer& x, reason why,
                               std::vector<uint16_t> wanted) {
  running_.emplace();
  auto& r = *running_;
  r.id = random_() | 1;
  r.peer = x.second;
  r.why = why;
  r.scope = {x.first, shared_with(x)};
  r.wanted = std::move(wanted);
  r.began_ms = now_ms();
  r.began_us = node->wall_us();
  exchange_ask ask;
  ask.exchange = r.id;
  ask.begins = true;
  ask.group = x.first;
  ask.tree_number = tree_number;
  ask.epoch = view->id();
  send(r.peer, frame_kind::exchange_ask, serialize(ask));
}

void anti_entropy_state::begin_answered(const exchange_answer& in) {
  auto& r = *running_;
  const auto& peer = view->at(r.peer).name;
  if (in.code == errc::none && in.tree_number != tree_number) {
    if (other_trees_.insert(r.peer).second)
      node->log->warn("anti-entropy cannot compare with {}: its trees are of "
                      "number {}, ours of {}; run the same version on all "
                      "nodes",
                      peer, in.tree_number, tree_number);
    end(false, errc::wrong_cluster);
    return;
  }
  if (in.code != errc::none) {
    node->log->debug("anti-entropy is refused by {}: {}", peer,
                     to_string(in.code));
    end(false, in.code);
    return;
  }
  std::map<uint32_t, core::conflict_policy> policies;
  for (const auto& ks : view->keyspaces())
    if (ks.group == r.scope.group)
      policies[ks.id] = ks.policy;
  r.began_ms = now_ms();
  r.began_us = node->wall_us();
  r.exchange.emplace(config.exchange, *r.scope.shared, r.wanted,
                     std::move(policies), r.began_ms);
  pump();
}

void anti_entropy_state::tick() {
  const auto& c = node->counters;
  uint64_t writes = c.puts + c.gets + c.flushed_writes;
  auto busy = writes - last_writes_ > config.busy_writes_per_tick + own_writes_;
  last_writes_ = writes;
  own_writes_ = 0;
  auto rate = busy ? config.busy_bytes_per_s : config.bytes_per_s;
  budget_.set_rate(rate, rate / reserve_part);
  sweep_sessions();
  sweep_command();
  read_marks();
  if (running_ && running_->exchange) {
    sweep_repairs();
    running_->exchange->tick(now_ms());
    pump();
  } else if (running_
             && now_ms() >= running_->began_ms + config.exchange.patience_ms) {
    end(false, errc::timed_out);
  }
  choose();
}

void anti_entropy_state::take(const exchange_frame& in) {
  auto sound = true;
  if (in.kind == frame_kind::exchange_ask) {
    auto ask = parse_exchange_ask(in.message);
    sound = ask.has_value();
    if (sound)
      take_ask(in.peer, *ask);
  } else if (in.kind == frame_kind::exchange_end) {
    auto word = parse_exchange_end(in.message);
    sound = word.has_value();
    if (sound)
      take_end(in.peer, *word);
  } else {
    auto answer = parse_exchange_answer(in.message);
    sound = answer.has_value();
    // Of an exchange that is over: nobody waits for it (traps.md 33).
    auto ours = sound && running_ && running_->peer == in.peer
                && running_->id == answer->exchange;
    if (ours) {
      running_->bytes += in.message.size();
      budget_.take(in.message.size());
      if (!running_->exchange)
        begin_answered(*answer);
      else if (answer->code == errc::unavailable)
        end(false, errc::unavailable);
      else if (answer->code != errc::none)
        running_->exchange->failed(core::side::peer, answer->answer.id,
                                   now_ms());
      else
        running_->exchange->answered(core::side::peer,
                                     std::move(answer->answer), now_ms());
      pump();
    }
  }
  if (!sound)
    node->log->warn("anti-entropy drops a malformed message of {} bytes from "
                    "{}",
                    in.message.size(), view->at(in.peer).name);
}

anti_entropy_actor::behavior_type
anti_entropy(loop_pointer<anti_entropy_actor, anti_entropy_state> self,
             const anti_entropy_config& config, const node_context_ptr& node,
             const anti_entropy_collaborators& collaborators) {
  auto& st = self->state;
  st.with = collaborators;
  st.start(config, node);
  self->send(st.with.gateway, repair_atom::value,
             caf::actor_cast<anti_entropy_actor>(self));
  return {
    [&st](const exchange_frame& in) {
      st.take(in);
    },
    [&st](replica_answers& answers) {
      st.on_answers(answers);
    },
    [&st](peer_up_atom, uint16_t member, const exchange_link_actor& link) {
      st.up(member, link);
    },
    [&st](peer_down_atom, uint16_t member) {
      st.down(member);
    },
    [&st](view_atom, liveness_ptr& liveness) {
      st.liveness = std::move(liveness);
    },
    [&st](epoch_atom, view_ptr& next) {
      st.adopt(std::move(next));
    },
    [&st](tick_atom) {
      st.tick();
    },
    [&st](const wire::RepairRequest& in) {
      return st.repair(in);
    },
  };
}

} // namespace covey
