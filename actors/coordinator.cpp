#include "actors/coordinator.hpp"

#include "actors/outbox.hpp"

#include <algorithm>

namespace covey {

void coordinator_state::start(client_ops& ops) {
  now_us_ = node->wall_us();
  for (auto& op : ops.ops)
    start_one(ops.from, op);
}

void coordinator_state::start_one(const client_asker_actor& from,
                                  client_op& op) {
  if (op.deadline_us < now_us_) {
    refuse(from, op, errc::deadline_expired);
    return;
  }
  if (view->id() < op.epoch) {
    ++node->counters.waited_for_epoch;
    ++node->epochs_missed;
    auto bytes = op.key.size() + op.value.size() + op.context.size();
    if (!early_.admit(from, op, bytes, now_us_))
      refuse(from, op, errc::behind);
    return;
  }
  if (op.asked_us == 0)
    op.asked_us = now_us_;
  ticket t;
  auto* r = table_.add(t);
  if (r == nullptr) {
    refuse(from, op, errc::overloaded);
    return;
  }
  r->from = from;
  begin(t, *r, op);
}

void coordinator_state::begin(ticket t, request& r, client_op& op) {
  auto refused = [&](errc code, std::string text = {}) {
    refuse(r.from, op, code, std::move(text), r.maybe_written);
    table_.remove(t);
  };
  if (!place(r, op)) {
    refused(errc::unknown_keyspace);
    return;
  }
  const auto* need = requirement_for(r);
  if (need == nullptr) {
    refused(errc::unknown_level, core::to_string(r.level)
                                   + " cannot be met by the "
                                   + std::to_string(r.home_count)
                                   + " homes of keyspace " + r.keyspace->name);
    return;
  }
  if (op.verb == client_verb::get)
    start_get(t, r, *need);
  else if (op.verb == client_verb::scan)
    start_scan(t, r, op, *need);
  else if (own_place(r) && (op.forwarded || !node->disk_full))
    start_put(t, r, op, *need);
  else if (op.forwarded && op.parked && own_fallback(r)) {
    r.parked = true;
    start_put(t, r, op, *need);
  } else if (op.forwarded)
    refused(errc::not_owner);
  else
    start_forward(t, r, op);
}

void coordinator_state::grow() {
  const auto& members = view->epoch().members;
  links.resize(members.size());
  to_links_.resize(members.size());
  spare_.resize(members.size(), core::token_bucket{config.slow_hints_per_s,
                                                   config.slow_hints_per_s});
  latencies_.resize(members.size());
  durable_after_us_.resize(members.size());
  usual_us_.resize(members.size(), UINT64_MAX);
  one_data_centre_
    = std::all_of(members.begin(), members.end(), [&](const auto& m) {
        return m.data_centre == members.front().data_centre;
      });
}

bool coordinator_state::place(request& r, const client_op& op) {
  // Those of a scan begin at its slot.
  r.key = op.key;
  r.slot = op.slot;
  r.verb = op.verb;
  if (!locate(r, op.keyspace))
    return false;
  r.id = op.id;
  r.started_us = now_us_;
  r.deadline_us = op.deadline_us;
  r.level = op.level;
  if (r.level.level == core::consistency_level::keyspace_default)
    r.level = op.verb == client_verb::put ? r.keyspace->default_write
                                          : r.keyspace->default_read;
  r.strict = op.quorum == core::quorum_kind::strict
             || (op.quorum == core::quorum_kind::keyspace_default
                 && r.keyspace->strict_puts);
  return true;
}

bool coordinator_state::locate(request& r, uint32_t keyspace) {
  r.view = view.get();
  r.keyspace = view->find_keyspace(keyspace);
  if (r.keyspace == nullptr)
    return false;
  if (r.verb != client_verb::scan)
    r.slot = core::slot_of(r.key, r.keyspace->hash_tags);
  r.list = r.keyspace->at(r.slot);
  r.home_count = static_cast<uint8_t>(r.list.homes);
  std::copy(r.list.first, r.list.first + r.list.homes, r.homes.begin());
  return true;
}

const core::requirement* coordinator_state::requirement_for(const request& r) {
  auto compute = [&] {
    std::vector<std::string> data_centres;
    for (size_t i = 0; i < r.home_count; ++i)
      data_centres.push_back(view->at(r.homes[i]).data_centre);
    return core::requirement_of(r.level, data_centres, node->me().data_centre);
  };
  if (!one_data_centre_) {
    computed_ = compute();
    return computed_ ? &*computed_ : nullptr;
  }
  std::array<uint32_t, 3> key{static_cast<uint32_t>(r.level.level),
                              r.level.count, r.home_count};
  auto i = known_.find(key);
  if (i == known_.end())
    i = known_.emplace(key, compute()).first;
  return i->second ? &*i->second : nullptr;
}

bool coordinator_state::reachable(core::member_index m) const {
  return m == node->self || links[m] != nullptr;
}

bool coordinator_state::takes_writes(core::member_index m) const {
  return m == node->self
         || (reachable(m) && liveness->state_of(m) == core::health::up
             && !liveness->stalled(m));
}

core::home_set coordinator_state::unreachable_homes(const request& r) const {
  core::home_set result = 0;
  for (uint8_t i = 0; i < r.home_count; ++i)
    if (!reachable(r.homes[i]))
      result |= core::home_set{1} << i;
  return result;
}

std::optional<uint8_t> coordinator_state::own_place(const request& r) const {
  for (uint8_t i = 0; i < r.home_count; ++i)
    if (r.homes[i] == node->self)
      return i;
  return std::nullopt;
}

std::optional<uint8_t> coordinator_state::own_fallback(const request& r) const {
  for (uint32_t i = r.list.homes; i < r.list.size; ++i)
    if (r.list[i] == node->self)
      return static_cast<uint8_t>(i);
  return std::nullopt;
}

replica_op coordinator_state::op_for(const request& r, ticket t, uint8_t home,
                                     replica_verb verb, purpose why) const {
  t.place = home;
  t.purpose = why;
  t.plan = r.plan;
  replica_op op;
  op.id = t.pack();
  op.verb = verb;
  op.epoch = r.view->id();
  op.deadline_us = r.deadline_us;
  op.keyspace = r.keyspace->id;
  op.slot = r.slot;
  op.key = r.key;
  return op;
}

void coordinator_state::ask(const request& r, uint8_t place, replica_op op) {
  auto m = r.list[place];
  if (m == node->self)
    to_replicas_[core::shard_of(r.slot, node->shards)].push_back(std::move(op));
  else
    to_links_[m].push_back(std::move(op));
}

void coordinator_state::on_answers(replica_answers& answers) {
  now_us_ = node->wall_us();
  for (auto& a : answers.answers) {
    auto t = ticket::unpack(a.id);
    auto* r = table_.find(t);
    // Late: the request was answered and forgotten.
    if (r == nullptr || r->leader)
      continue;
    if (t.plan != r->plan) {
      earlier_answer(t, *r, answers.from, a);
      continue;
    }
    if (t.place >= r->list.size || await_epoch(t, *r, a))
      continue;
    if (a.kind == answer_kind::failed && a.code != errc::none
        && t.place < r->home_count && t.purpose != keeping)
      r->failures[t.place] = a.code;
    if (r->put)
      put_answer(t, *r, a);
    else if (r->get)
      get_answer(t, *r, a, t.purpose);
    else if (r->scan)
      scan_answer(t, *r, a);
    else if (t.purpose == forwarding)
      forward_answer(t, *r, a);
  }
}

void coordinator_state::tick() {
  now_us_ = node->wall_us();
  update_usual();
  if (!earlier_.empty())
    forget_views();
  if (table_.size() == 0)
    return;
  auto now_us = now_us_;
  table_.each([&](const ticket& t, request& r) {
    if (now_us >= r.deadline_us) {
      expire(t, r);
      return;
    }
    if (r.put) {
      lose_patience(t, r);
      return;
    }
    if (r.awaits_epoch)
      return;
    if (now_us < r.started_us + config.patience_us * (r.impatient + 1))
      return;
    ++r.impatient;
    if (r.get)
      get_action(t, r, r.get->slow());
    else if (r.scan)
      scan_action(t, r, r.scan->slow());
    else if (r.forwarded)
      forward_next(t, r);
  });
}

void coordinator_state::lose(core::member_index m) {
  links.at(m) = replica_actor{};
  replica_answers lost;
  lost.from = m;
  table_.each([&](ticket t, request& r) {
    if ((r.put && !r.committed) || r.leader)
      return;
    t.plan = r.plan;
    for (uint8_t i = 0; i < r.list.size; ++i) {
      if (r.list[i] != m)
        continue;
      t.place = i;
      auto add = [&](purpose why) {
        t.purpose = why;
        lost.answers.push_back(refusal(t.pack(), errc::connection_lost));
      };
      if (r.forwarded) {
        add(forwarding);
        continue;
      }
      add(r.put && i >= r.home_count ? hinting : asking);
      if (r.get)
        add(repairing);
    }
  });
  on_answers(lost);
}

void coordinator_state::flush() {
  unsent_.sent();
  if (!unusual_.empty() && !hurrying_) {
    hurrying_ = true;
    auto due_us = unusual_.top().first;
    // A clock that was set back must not make it wait for long.
    auto wait_us
      = std::min(due_us > now_us_ ? due_us - now_us_ : 0, config.patience_us);
    self->delayed_send(
      self, std::chrono::microseconds(std::max(wait_us, config.hurry_us)),
      hurry_atom::value);
  }
  auto me = caf::actor_cast<replica_asker_actor>(self);
  for (size_t i = 0; i < to_replicas_.size(); ++i)
    if (!to_replicas_[i].empty()) {
      self->send(replicas[i], replica_ops{me, std::move(to_replicas_[i])});
      to_replicas_[i].clear();
    }
  for (size_t i = 0; i < to_links_.size(); ++i) {
    if (to_links_[i].empty())
      continue;
    auto ops = std::move(to_links_[i]);
    to_links_[i].clear();
    if (links[i] != nullptr) {
      self->send(links[i], replica_ops{me, std::move(ops)});
      continue;
    }
    // The link went down after these were gathered.
    replica_answers lost;
    lost.from = static_cast<core::member_index>(i);
    for (auto& op : ops)
      lost.answers.push_back(refusal(op.id, errc::connection_lost));
    self->send(self, std::move(lost));
  }
  to_clients_.take_all([this](const auto& to, auto answers) {
    self->send(to, client_answers{std::move(answers)});
  });
}

coordinator_actor::behavior_type
coordinator(loop_pointer<coordinator_actor, coordinator_state> self,
            const coordinator_config& config, const node_context_ptr& node,
            const std::vector<replica_actor>& replicas) {
  auto& st = self->state;
  st.config = config;
  st.node = node;
  st.replicas = replicas;
  st.view = node->newest_view();
  st.to_replicas_.resize(replicas.size());
  st.repairs_ = repairs_in_flight{config.max_background_repairs};
  st.grow();
  auto done = [&st, self] {
    flush_when_idle(self, st.armed, [&st] {
      st.flush();
    });
  };
  return {
    [&st, done](client_ops& ops) {
      st.start(ops);
      done();
    },
    [&st, done](replica_answers& answers) {
      st.on_answers(answers);
      done();
    },
    [&st](peer_up_atom, uint16_t member, const replica_actor& link) {
      st.links.at(member) = link;
    },
    [&st, done](peer_down_atom, uint16_t member) {
      st.lose(member);
      done();
    },
    [&st](view_atom, liveness_ptr& liveness) {
      st.liveness = std::move(liveness);
    },
    [&st, done](epoch_atom, view_ptr& next) {
      st.adopt(std::move(next));
      done();
    },
    [&st](go_atom) {
      st.armed = false;
      st.flush();
    },
    [&st, done](hurry_atom) {
      st.hurry();
      done();
    },
    [&st, done](tick_atom) {
      st.tick();
      done();
    },
  };
}

} // namespace covey
