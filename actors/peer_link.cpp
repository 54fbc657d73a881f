// The peer link's traffic: operations out, bursts in.

#include "actors/peer_link.hpp"

#include "actors/outbox.hpp"
#include "messages/burst.hpp"
#include "messages/convert.hpp"

#include <algorithm>

namespace covey {

namespace {

/// The peer is told of bytes taken, without anything else to send, after this
/// many or an eighth of what it may have under way.
constexpr uint64_t bytes_per_word = 1 << 20;

} // namespace

void peer_link_state::refuse(const replica_asker_actor& to, uint64_t id,
                             errc code) {
  to_askers_.add(to, refusal(id, code));
}

void peer_link_state::send_all(replica_ops& ops) {
  auto now_us = node->wall_us();
  for (auto& op : ops.ops) {
    if (phase_ != phase::up) {
      refuse(ops.from, op.id, errc::unavailable);
      continue;
    }
    if (op.deadline_us < now_us) {
      refuse(ops.from, op.id, errc::deadline_expired);
      continue;
    }
    auto size = op.key.size() + op.bytes.size();
    if (!credit_.admits(out_.size() + size)) {
      refuse(ops.from, op.id, errc::overloaded);
      continue;
    }
    credit_.opened();
    open_.push_back({ops.from, op.id, op.deadline_us, true});
    auto correlation = first_ + open_.size() - 1;
    if (op.verb == replica_verb::forward) {
      forward_.Clear();
      forward_.set_id(correlation);
      // These bytes are our own serialization.
      forward_.mutable_put()->ParseFromString(op.bytes);
      forward_.mutable_put()->set_deadline_us(clock_.to_peer(op.deadline_us));
      forward_.mutable_put()->set_asked_us(
        clock_.to_peer(forward_.put().asked_us()));
      append_frame(out_, frame_kind::forward, forward_);
    } else {
      to_wire(op, request_);
      request_.set_id(correlation);
      request_.set_deadline_us(clock_.to_peer(op.deadline_us));
      append_frame(out_, frame_kind::replica_request, request_);
    }
    ++out_frames_;
    if (out_.size() >= config.burst_bytes)
      flush();
  }
}

void peer_link_state::answer_all(replica_answers& answers) {
  if (phase_ != phase::up)
    return;
  for (auto& a : answers.answers) {
    fit(a);
    to_wire(a, answer_);
    a.charge = {};
    append_frame(out_, frame_kind::replica_answer, answer_);
    ++out_frames_;
    if (out_.size() >= config.burst_bytes)
      flush();
  }
}

void peer_link_state::fit(replica_answer& answer) {
  if (answer.bytes.empty()
      || credit_.admits_answer(out_.size() + answer.bytes.size()))
    return;
  ++node->counters.peer_answers_refused;
  answer
    = refusal(answer.id, errc::overloaded,
              node->me().name + " has as many bytes of answers on the way to "
                + peer().name + " as it may");
}

void peer_link_state::charge(replica_answer& answer) {
  if (answer.bytes.empty())
    return;
  if (node->answers->admits(answer.bytes.size())) {
    answer.charge = {node->answers, answer.bytes.size()};
    return;
  }
  ++node->counters.answers_refused;
  answer = refusal(answer.id, errc::overloaded,
                   node->me().name
                     + " has as many bytes of answers in memory as it may");
}

void peer_link_state::answer_all(client_answers& answers) {
  if (phase_ != phase::up)
    return;
  for (auto& a : answers.answers) {
    forwarded_.Clear();
    forwarded_.set_id(a.id);
    to_wire(a, view->id(), *forwarded_.mutable_reply());
    append_frame(out_, frame_kind::forwarded, forwarded_);
    ++out_frames_;
  }
}

void peer_link_state::gossip(const gossip_frame& frame) {
  if (phase_ != phase::up)
    return;
  // A burst of its own: it waits for nothing that is gathered.
  std::string bytes;
  append_frame(bytes, frame.kind, std::string_view{frame.message});
  credit_.sent(bytes.size());
  told_ = received_;
  ++node->counters.bursts_sent;
  ++node->counters.frames_sent;
  self->send(remote_, burst_atom::value, session_, received_, std::move(bytes));
}

void peer_link_state::exchange(exchange_frame& frame) {
  // What is dropped is asked for again, in another exchange.
  if (phase_ == phase::up && bulk_.size() < config.max_bulk)
    bulk_.push_back(std::move(frame));
}

void peer_link_state::send_bulk() {
  while (!bulk_.empty() && phase_ == phase::up
         && credit_.bytes_under_way() < config.max_bytes_beside_bulk) {
    std::string bytes;
    append_frame(bytes, bulk_.front().kind,
                 std::string_view{bulk_.front().message});
    bulk_.pop_front();
    credit_.sent(bytes.size());
    told_ = received_;
    ++node->counters.bursts_sent;
    ++node->counters.frames_sent;
    self->send(remote_, burst_atom::value, session_, received_,
               std::move(bytes));
  }
}

void peer_link_state::flush() {
  auto word
    = std::clamp<uint64_t>(config.max_bytes_under_way / 8, 1, bytes_per_word);
  if (phase_ == phase::up && (!out_.empty() || received_ - told_ >= word)) {
    credit_.sent(out_.size());
    told_ = received_;
    ++node->counters.bursts_sent;
    node->counters.frames_sent += out_frames_;
    self->send(remote_, burst_atom::value, session_, received_,
               std::move(out_));
  }
  out_.clear();
  out_frames_ = 0;
  send_bulk();
  dispatch();
}

void peer_link_state::dispatch() {
  auto me = caf::actor_cast<replica_asker_actor>(self);
  for (size_t i = 0; i < to_replicas_.size(); ++i)
    if (!to_replicas_[i].empty()) {
      self->send(replicas[i], replica_ops{me, std::move(to_replicas_[i])});
      to_replicas_[i].clear();
    }
  auto me_client = caf::actor_cast<client_asker_actor>(self);
  for (size_t i = 0; i < to_coordinators_.size(); ++i)
    if (!to_coordinators_[i].empty()) {
      self->send(coordinators[i],
                 client_ops{me_client, std::move(to_coordinators_[i])});
      to_coordinators_[i].clear();
    }
  to_askers_.take_all([this](const auto& to, auto answers) {
    self->send(to, replica_answers{config.peer, std::move(answers)});
  });
}

void peer_link_state::close(uint64_t correlation, replica_answer answer) {
  // Unknown ids belong to requests that were given up.
  if (correlation < first_ || correlation >= first_ + open_.size())
    return;
  auto& row = open_[correlation - first_];
  if (!row.open)
    return;
  row.open = false;
  credit_.closed();
  answer.id = row.id;
  auto to = std::move(row.from);
  while (!open_.empty() && !open_.front().open) {
    open_.pop_front();
    ++first_;
  }
  to_askers_.add(to, std::move(answer));
}

void peer_link_state::burst(uint64_t in_session, uint64_t taken,
                            const std::string& bytes) {
  if (phase_ != phase::up || in_session != session_) {
    // A burst may overtake its own welcome.
    if (phase_ != phase::greeting || in_session != session_)
      disown(in_session);
    return;
  }
  last_heard_ms_ = now_ms();
  credit_.acknowledged(taken);
  received_ += bytes.size();
  burst_reader frames{bytes};
  frame_kind kind;
  std::string_view message;
  while (frames.next(kind, message))
    take_frame(static_cast<uint8_t>(kind), message);
  if (!frames.ok())
    node->log->warn("peer-link drops the rest of a malformed burst from {}",
                    peer().name);
  flush_when_idle(self, armed, [this] {
    flush();
  });
}

void peer_link_state::take_frame(uint8_t kind, std::string_view message) {
  switch (static_cast<frame_kind>(kind)) {
    case frame_kind::replica_request:
      take_request(message);
      return;
    case frame_kind::replica_answer:
      if (parse(message, answer_)) {
        auto answer = from_wire(answer_);
        charge(answer);
        close(answer.id, std::move(answer));
      }
      return;
    case frame_kind::forward:
      take_forward(message);
      return;
    case frame_kind::forwarded:
      if (parse(message, forwarded_)) {
        replica_answer answer;
        answer.kind = answer_kind::forwarded;
        answer.bytes = forwarded_.reply().SerializeAsString();
        close(forwarded_.id(), std::move(answer));
      }
      return;
    case frame_kind::known:
      if (wire::Known known; parse(message, known)) {
        known_counters list;
        auto n = std::min(known.incarnations_size(), known.counters_size());
        for (int i = 0; i < n; ++i)
          list.dots.push_back({known.incarnations(i), known.counters(i)});
        for (auto& shard : shards)
          self->send(shard, known_atom::value, list);
      }
      return;
    case frame_kind::gossip:
    case frame_kind::probe:
    case frame_kind::probe_answer:
    case frame_kind::hints_owed:
      self->send(gossiper,
                 gossip_frame{config.peer, static_cast<frame_kind>(kind),
                              std::string{message}});
      return;
    case frame_kind::paxos:
    case frame_kind::epoch_word:
      self->send(keeper,
                 gossip_frame{config.peer, static_cast<frame_kind>(kind),
                              std::string{message}});
      return;
    case frame_kind::exchange_ask:
    case frame_kind::exchange_answer:
    case frame_kind::exchange_end:
      self->send(repairs,
                 exchange_frame{config.peer, static_cast<frame_kind>(kind),
                                std::string{message}});
      return;
    case frame_kind::ping:
      if (wire::Ping ping; parse(message, ping)) {
        wire::Pong pong;
        pong.set_echo_us(ping.clock_us());
        pong.set_clock_us(node->wall_us());
        append_frame(out_, frame_kind::pong, pong);
        ++out_frames_;
      }
      return;
    case frame_kind::pong:
      if (wire::Pong pong; parse(message, pong)) {
        clock_.sample(pong.echo_us(), node->wall_us(), pong.clock_us());
        node->peers[config.peer].round_trip_us
          = static_cast<uint32_t>(clock_.round_trip_us());
      }
      return;
    default:
      // Of a newer peer.
      return;
  }
}

void peer_link_state::take_request(std::string_view message) {
  if (!parse(message, request_))
    return;
  replica_op op;
  if (from_wire(request_, op)) {
    to_replicas_[core::shard_of(op.slot, node->shards)].push_back(
      std::move(op));
    return;
  }
  answer_.Clear();
  answer_.set_id(request_.id());
  answer_.set_kind(static_cast<uint32_t>(answer_kind::failed));
  answer_.set_code(static_cast<uint32_t>(errc::bad_message));
  append_frame(out_, frame_kind::replica_answer, answer_);
  ++out_frames_;
}

void peer_link_state::take_forward(std::string_view message) {
  if (!parse(message, forward_))
    return;
  auto& put = *forward_.mutable_put();
  const auto* ks = view->find_keyspace(put.keyspace());
  client_op op;
  op.id = forward_.id();
  op.verb = client_verb::put;
  op.forwarded = true;
  op.keyspace = core::keyspace_id(put.keyspace());
  op.level.level
    = static_cast<core::consistency_level>(std::min(put.level(), 0xffu));
  op.level.count = put.level_count();
  op.deadline_us = put.deadline_us();
  op.key = std::move(*put.mutable_key());
  op.value = std::move(*put.mutable_value());
  op.context = std::move(*put.mutable_context());
  op.request = {put.request_high(), put.request_low()};
  op.tombstone = put.tombstone();
  op.expires_at_ms = put.expires_at_ms();
  op.quorum = static_cast<core::quorum_kind>(std::min(put.quorum(), 0xffu));
  op.parked = put.parked();
  op.asked_us = put.asked_us();
  op.epoch = {put.epoch_generation(), put.epoch_number()};
  // Whoever knows more may have a keyspace that is not known here yet.
  auto early = ks == nullptr && view->id() < op.epoch;
  if ((ks == nullptr && !early) || op.key.empty()
      || op.level.level > core::consistency_level::number
      || op.quorum > core::quorum_kind::strict) {
    client_answers refusal;
    refusal.answers.emplace_back();
    refusal.answers.back().id = op.id;
    refusal.answers.back().verb = client_verb::put;
    refusal.answers.back().code = errc::bad_message;
    answer_all(refusal);
    return;
  }
  auto slot = ks != nullptr ? core::slot_of(op.key, ks->hash_tags) : 0u;
  to_coordinators_[slot % to_coordinators_.size()].push_back(std::move(op));
}

local_peer_link_actor::behavior_type
peer_link(loop_pointer<local_peer_link_actor, peer_link_state> self,
          const peer_link_config& config, const node_context_ptr& node,
          const peer_link_collaborators& collaborators) {
  auto& st = self->state;
  st.connector = collaborators.connector;
  // One does not go on without the other: a link that could not dial any more
  // would look alive.
  self->link_to(st.connector);
  st.replicas = collaborators.replicas;
  st.shards = collaborators.shards;
  st.coordinators = collaborators.coordinators;
  st.gossiper = collaborators.gossiper;
  st.knocker = collaborators.knocker;
  st.hints = collaborators.hints;
  st.keeper = collaborators.keeper;
  st.repairs = collaborators.repairs;
  st.start(config, node);
  self->set_down_handler([&st](const caf::down_msg& msg) {
    st.lost(msg.source);
  });
  auto done = [&st, self] {
    flush_when_idle(self, st.armed, [&st] {
      st.flush();
    });
  };
  return {
    [&st](burst_atom, uint64_t session, uint64_t taken,
          const std::string& bytes) {
      st.burst(session, taken, bytes);
    },
    [&st](const wire::PeerHello& in) {
      st.hello(in);
    },
    [&st](const wire::PeerWelcome& in) {
      st.welcome(in);
    },
    [&st, done](replica_ops& ops) {
      st.send_all(ops);
      done();
    },
    [&st, done](replica_answers& answers) {
      st.answer_all(answers);
      done();
    },
    [&st, done](client_answers& answers) {
      st.answer_all(answers);
      done();
    },
    [&st](epoch_atom, view_ptr& next) {
      st.view = std::move(next);
    },
    [&st](const gossip_frame& frame) {
      st.gossip(frame);
    },
    [&st, done](exchange_frame& frame) {
      st.exchange(frame);
      done();
    },
    [&st](go_atom) {
      st.armed = false;
      st.flush();
    },
    [&st, done](tick_atom) {
      st.tick();
      done();
    },
  };
}

} // namespace covey
