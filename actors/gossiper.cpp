#include "actors/gossiper.hpp"

#include "messages/burst.hpp"
#include "messages/gossip.hpp"

#include <algorithm>

namespace covey {

uint64_t gossiper_state::now_ms() const {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(
      self->clock().now().time_since_epoch())
      .count());
}

void gossiper_state::start(const gossiper_config& config,
                           const node_context_ptr& ctx) {
  node = ctx;
  auto newest = node->newest_view();
  std::vector<core::uuid> ids;
  for (const auto& m : newest->epoch().members)
    ids.push_back(m.id);
  membership.emplace(config.membership, ids, node->self, node->run, config.seed,
                     now_ms());
  owed.emplace(ids.size(), config.membership.heartbeat_ms);
  adopt(std::move(newest));
}

void gossiper_state::adopt(view_ptr next) {
  view = std::move(next);
  std::vector<core::uuid> ids;
  std::vector<bool> removed;
  for (const auto& m : view->epoch().members) {
    ids.push_back(m.id);
    removed.push_back(m.state == core::member_state::removed);
  }
  membership->grow(ids, removed, now_ms());
  owed->grow(ids.size());
  links.resize(ids.size());
  published.members.resize(ids.size());
  for (core::member_index m = 0; m < ids.size(); ++m)
    if (removed[m])
      disconnected(m);
}

core::own_state gossiper_state::own() const {
  core::own_state out;
  uint64_t oldest = 0;
  for (const uint64_t since : node->unflushed_since_us)
    if (since != 0 && (oldest == 0 || since < oldest))
      oldest = since;
  auto now_us = node->wall_us();
  if (oldest != 0 && now_us > oldest)
    out.unflushed_ms = (now_us - oldest) / 1000;
  out.load = static_cast<uint32_t>(
    std::min<uint64_t>(node->counters.inflight, UINT32_MAX));
  out.catching_up = node->catching_up;
  return out;
}

void gossiper_state::send(core::member_index to, frame_kind kind,
                          std::string message) {
  if (!links[to])
    return;
  ++node->counters.gossip_messages;
  node->counters.gossip_bytes += message.size();
  self->send(links[to], gossip_frame{to, kind, std::move(message)});
}

void gossiper_state::tell_owed(core::member_index to) {
  auto word = owed->word_for(to, node->hints[to].rows > 0, now_ms());
  if (!word)
    return;
  wire::HintsOwed out;
  out.set_owed(*word);
  send(to, frame_kind::hints_owed, out.SerializeAsString());
}

void gossiper_state::connected(core::member_index m,
                               const gossip_link_actor& link, uint64_t run) {
  links[m] = link;
  membership->connected(m, run, now_ms());
  owed->connected(m, node->hints[m].rows > 0);
  tell_owed(m);
}

void gossiper_state::disconnected(core::member_index m) {
  links[m] = gossip_link_actor{};
  owed->disconnected(m);
}

void gossiper_state::tick() {
  node->catching_up = owed->catching_up(now_ms());
  std::vector<core::member_index> reachable;
  for (size_t i = 0; i < links.size(); ++i)
    if (links[i])
      reachable.push_back(static_cast<core::member_index>(i));
  auto out = membership->tick(now_ms(), own(), reachable);
  for (const auto& x : out.probes)
    send(x.to, frame_kind::probe, serialize(x.what));
  for (const auto& x : out.letters)
    send(x.to, frame_kind::gossip, serialize(x.what));
  for (auto m : reachable)
    tell_owed(m);
  publish();
}

void gossiper_state::take(const gossip_frame& in) {
  auto sound = true;
  if (in.kind == frame_kind::gossip) {
    auto message = parse_gossip(in.message);
    sound = message.has_value();
    if (sound) {
      auto reply = membership->receive(*message, now_ms(), node->wall_us());
      if (!reply.empty())
        send(in.peer, frame_kind::gossip, serialize(reply));
      publish();
    }
  } else if (in.kind == frame_kind::probe) {
    auto probe = parse_probe(in.message);
    sound = probe.has_value();
    if (sound)
      send(in.peer, frame_kind::probe_answer,
           serialize(membership->answer(*probe)));
  } else if (in.kind == frame_kind::hints_owed) {
    wire::HintsOwed word;
    sound = parse(in.message, word);
    if (sound)
      owed->told(in.peer, word.owed(), now_ms());
  } else {
    auto answer = parse_probe_answer(in.message);
    sound = answer.has_value();
    if (sound)
      membership->answered(in.peer, *answer, now_ms(), node->wall_us());
  }
  if (!sound)
    node->log->warn("gossiper drops a malformed message of {} bytes from {}",
                    in.message.size(), view->at(in.peer).name);
}

void gossiper_state::publish() {
  auto changed = membership->refresh(now_ms(), node->wall_us());
  count();
  if (!changed)
    return;
  log_changes();
  published = membership->view();
  auto liveness = std::make_shared<const core::liveness_view>(published);
  for (const auto& coordinator : coordinators)
    self->send(coordinator, view_atom::value, liveness_ptr{liveness});
  self->send(gateway, view_atom::value, liveness_ptr{liveness});
  self->send(hints, view_atom::value, liveness_ptr{liveness});
  self->send(repairs, view_atom::value, liveness_ptr{liveness});
}

void gossiper_state::log_changes() const {
  const auto& beliefs = membership->view();
  for (size_t i = 0; i < beliefs.members.size(); ++i) {
    const auto& now = beliefs.members[i];
    const auto& member = view->at(static_cast<core::member_index>(i)).name;
    if (now.stalled != published.members[i].stalled)
      node->log->warn("gossiper: the disk of {} {}", member,
                      now.stalled ? "does not keep up" : "keeps up again");
    if (now.state == published.members[i].state)
      continue;
    std::string accusers;
    for (auto m : now.accusers)
      accusers += (accusers.empty() ? "" : ", ") + view->at(m).name;
    if (now.state == core::health::up)
      node->log->info("gossiper: {} is up, run {}", member, now.run);
    else
      node->log->warn("gossiper: {} is {}, run {}: not heard by {}", member,
                      now.state == core::health::down ? "down" : "suspect",
                      now.run, accusers);
  }
}

void gossiper_state::count() {
  const auto& from = membership->counters();
  auto& to = node->counters;
  to.member_suspects += from.suspects - counted.suspects;
  to.member_downs += from.downs - counted.downs;
  to.accusations += from.accusations - counted.accusations;
  to.refutations += from.refutations - counted.refutations;
  to.pauses += from.pauses - counted.pauses;
  to.gossip_refused += from.refused_rows - counted.refused_rows;
  counted = from;
  auto now = now_ms();
  for (size_t i = 0; i < links.size(); ++i) {
    auto m = static_cast<core::member_index>(i);
    const auto& life = membership->table().life_of(m);
    auto& gauge = node->peers[i];
    gauge.heartbeat = life.heartbeat;
    gauge.heartbeat_age_ms
      = life.run == 0 || m == node->self ? 0 : now - life.learnt_ms;
    gauge.load = membership->table().row(m).load;
    gauge.unflushed_ms = membership->table().row(m).unflushed_ms;
  }
}

gossiper_actor::behavior_type
gossiper(gossiper_actor::stateful_pointer<gossiper_state> self,
         const gossiper_config& config, const node_context_ptr& node,
         const std::vector<coordinator_actor>& coordinators,
         const local_gateway_actor& gateway, const hint_store_actor& hints,
         const anti_entropy_actor& repairs) {
  auto& st = self->state;
  st.coordinators = coordinators;
  st.gateway = gateway;
  st.hints = hints;
  st.repairs = repairs;
  st.start(config, node);
  return {
    [&st](const gossip_frame& in) {
      st.take(in);
    },
    [&st](peer_up_atom, uint16_t member, const gossip_link_actor& link,
          uint64_t run) {
      st.connected(member, link, run);
    },
    [&st](peer_down_atom, uint16_t member) {
      st.disconnected(member);
    },
    [&st](refused_atom, uint16_t member, bool refused) {
      st.membership->refused(member, refused);
    },
    [&st](epoch_atom, view_ptr& next) {
      st.adopt(std::move(next));
    },
    [&st](tick_atom) {
      st.tick();
    },
  };
}

} // namespace covey
