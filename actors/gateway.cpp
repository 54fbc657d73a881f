#include "actors/gateway.hpp"

#include "actors/outbox.hpp"
#include "messages/burst.hpp"
#include "messages/convert.hpp"

#include <algorithm>

namespace covey {

namespace {

constexpr uint32_t protocol_version = 1;
/// A hundred years: longer ones are the same, and must not wrap around.
constexpr uint64_t max_ttl_ms = 100ull * 365 * 86'400 * 1000;
/// Of a context: far above what bounded clocks need.
constexpr size_t max_context_bytes = 64 * 1024;

} // namespace

void gateway_state::hello(const wire::ClientHello& in) {
  auto client = caf::actor_cast<client_session_actor>(self->current_sender());
  if (!client)
    return;
  if (session_numbers.count(client.address()) == 0) {
    if (sessions.size() >= config.max_clients) {
      node->log->warn("gateway turns a client away: {} are connected, the "
                      "limit",
                      sessions.size());
      wire::ClientWelcome full;
      full.set_code(static_cast<uint32_t>(errc::overloaded));
      full.set_text("the node has as many clients as it may");
      full.set_nonce(in.nonce());
      self->send(client, std::move(full));
      return;
    }
    self->monitor(client);
    session_numbers[client.address()] = ++last_session;
    sessions[last_session].handle = client;
    node->counters.clients = sessions.size();
    node->log->debug("gateway greets client {}", in.agent());
  }
  wire::ClientWelcome out;
  out.set_protocol(protocol_version);
  out.set_cluster(node->epoch->cluster);
  out.set_node(node->me().name);
  out.set_epoch_generation(node->epoch->id.generation);
  out.set_epoch_number(node->epoch->id.number);
  out.set_clock_us(node->wall_us());
  out.set_max_key_bytes(static_cast<uint32_t>(config.max_key_bytes));
  out.set_max_value_bytes(static_cast<uint32_t>(config.max_value_bytes));
  out.set_credit(config.client_credit);
  out.set_nonce(in.nonce());
  core::epoch_id known{in.epoch_generation(), in.epoch_number()};
  if (in.wants_epoch() && known != node->epoch->id)
    to_wire(*node->epoch, out);
  self->send(client, std::move(out));
}

void gateway_state::forget(const caf::actor_addr& client) {
  auto i = session_numbers.find(client);
  if (i == session_numbers.end())
    return;
  sessions.erase(i->second);
  session_numbers.erase(i);
  node->counters.clients = sessions.size();
}

errc gateway_state::check(client_op& op, const std::string& keyspace,
                          std::string& text) {
  auto now_us = node->wall_us();
  const auto* ks = node->epoch->find_keyspace(keyspace);
  if (ks == nullptr) {
    text = "there is no keyspace " + keyspace.substr(0, 64);
    return errc::unknown_keyspace;
  }
  op.keyspace = core::keyspace_id(keyspace);
  if (op.verb != client_verb::scan && op.key.empty())
    return errc::empty_key;
  if (op.key.size() > config.max_key_bytes) {
    text = std::to_string(op.key.size()) + " bytes, the limit is "
           + std::to_string(config.max_key_bytes);
    return errc::key_too_large;
  }
  if (op.verb == client_verb::scan && op.value.size() > config.max_key_bytes) {
    text = "no key begins with " + std::to_string(op.value.size())
           + " bytes, the limit is " + std::to_string(config.max_key_bytes);
    return errc::key_too_large;
  }
  if (op.value.size() > config.max_value_bytes) {
    text = std::to_string(op.value.size()) + " bytes, the limit is "
           + std::to_string(config.max_value_bytes);
    return errc::value_too_large;
  }
  if (op.context.size() > max_context_bytes) {
    text = "it is longer than any context of ours";
    return errc::bad_context;
  }
  if (op.level.level > core::consistency_level::number
      || (op.level.level == core::consistency_level::number
          && op.level.count == 0)) {
    text = "no such consistency level";
    return errc::unknown_level;
  }
  if (op.deadline_us == 0)
    op.deadline_us = now_us + config.default_timeout_us;
  if (op.deadline_us < now_us)
    return errc::deadline_expired;
  op.deadline_us = std::min(op.deadline_us, now_us + config.max_timeout_us);
  if (draining)
    return errc::shutting_down;
  if (table.size() >= config.max_requests || bytes_in_flight > config.max_bytes)
    return errc::overloaded;
  if (op.verb == client_verb::put) {
    if (op.expires_at_ms == 0 && ks->default_ttl_s != 0)
      op.expires_at_ms = now_us / 1000 + ks->default_ttl_s * 1000;
    if (!op.request)
      op.request = {random(), random()};
  }
  return errc::none;
}

void gateway_state::fill(wire::PutRequest& in, client_op& out) {
  out.verb = client_verb::put;
  out.key = std::move(*in.mutable_key());
  out.value = std::move(*in.mutable_value());
  out.context = std::move(*in.mutable_context());
  out.tombstone = in.tombstone();
  if (out.tombstone)
    out.value.clear();
  out.request = {in.request_high(), in.request_low()};
  out.deadline_us = in.deadline_us();
  out.level.level
    = static_cast<core::consistency_level>(std::min(in.level(), 0xffu));
  out.level.count = in.level_count();
  if (in.ttl_ms() > 0)
    out.expires_at_ms
      = node->wall_us() / 1000 + std::min<uint64_t>(in.ttl_ms(), max_ttl_ms);
}

void gateway_state::fill(wire::GetRequest& in, client_op& out) {
  out.verb = client_verb::get;
  out.key = std::move(*in.mutable_key());
  out.deadline_us = in.deadline_us();
  out.level.level
    = static_cast<core::consistency_level>(std::min(in.level(), 0xffu));
  out.level.count = in.level_count();
}

void gateway_state::fill(wire::ScanRequest& in, client_op& out) {
  out.verb = client_verb::scan;
  out.key = std::move(*in.mutable_after_key());
  out.slot = static_cast<uint16_t>(
    std::min<uint32_t>(in.slot(), core::slot_count - 1));
  if (in.end_slot() > out.slot && in.end_slot() < core::slot_count)
    out.last_slot = static_cast<uint16_t>(in.end_slot() - 1);
  out.value = std::move(*in.mutable_prefix());
  out.max_bytes = std::clamp(in.max_bytes(), 1u, config.max_page_bytes);
  out.level.level
    = static_cast<core::consistency_level>(std::min(in.level(), 0xffu));
  out.level.count = in.level_count();
  out.deadline_us = in.deadline_us();
}

template <class Request>
void gateway_state::take(Request& in, in_flight x) {
  client_op op;
  x.client_id = in.id();
  fill(in, op);
  op.epoch = node->epoch->id;
  client_answer refusal;
  refusal.verb = op.verb;
  refusal.code = check(op, in.keyspace(), refusal.text);
  if (refusal.code == errc::none && x.session != 0
      && sessions[x.session].in_flight >= config.client_credit)
    refusal.code = errc::overloaded;
  if (refusal.code != errc::none) {
    ++node->counters.refused;
    deliver(x, refusal);
    return;
  }
  submit(std::move(op), std::move(x));
}

void gateway_state::submit(client_op op, in_flight x) {
  ticket t;
  auto* row = table.add(t);
  x.bytes = op.key.size() + op.value.size() + op.context.size();
  bytes_in_flight += x.bytes;
  if (x.session != 0)
    ++sessions[x.session].in_flight;
  *row = std::move(x);
  op.id = t.pack();
  auto slot = op.verb == client_verb::scan
                ? op.slot
                : core::slot_of(
                  op.key, node->epoch->find_keyspace(op.keyspace)->hash_tags);
  to_coordinators[slot % to_coordinators.size()].push_back(std::move(op));
  node->counters.inflight = table.size();
}

void gateway_state::burst(const std::string& bytes) {
  auto i = session_numbers.find(
    caf::actor_cast<caf::actor_addr>(self->current_sender()));
  // Without a hello nobody has said what it may send.
  if (i == session_numbers.end())
    return;
  burst_reader frames{bytes};
  frame_kind kind;
  std::string_view message;
  auto sound = true;
  while (frames.next(kind, message)) {
    in_flight x;
    x.session = i->second;
    if (kind == frame_kind::put_request) {
      if (parse(message, put_in))
        take(put_in, std::move(x));
      else
        sound = false;
    } else if (kind == frame_kind::get_request) {
      if (parse(message, get_in))
        take(get_in, std::move(x));
      else
        sound = false;
    } else if (kind == frame_kind::scan_request) {
      if (parse(message, scan_in))
        take(scan_in, std::move(x));
      else
        sound = false;
    }
  }
  if (!sound || !frames.ok())
    node->log->warn("gateway drops malformed frames of a burst of {} bytes",
                    bytes.size());
}

void gateway_state::deliver(in_flight& x, client_answer& a) {
  a.id = x.client_id;
  if (x.session != 0) {
    auto i = sessions.find(x.session);
    if (i == sessions.end())
      return;
    auto& out = i->second.out;
    if (out.empty())
      dirty.push_back(x.session);
    if (a.verb == client_verb::put) {
      to_wire(a, node->epoch->id, put_out);
      append_frame(out, frame_kind::put_reply, put_out);
    } else if (a.verb == client_verb::get) {
      to_wire(a, node->epoch->id, get_out);
      append_frame(out, frame_kind::get_reply, get_out);
    } else {
      to_wire(a, scan_out);
      append_frame(out, frame_kind::scan_reply, scan_out);
    }
    if (out.size() >= config.burst_bytes)
      self->send(i->second.handle, burst_atom::value, std::move(out));
    return;
  }
  if (auto* put = std::get_if<put_promise>(&x.promise)) {
    wire::PutReply reply;
    to_wire(a, node->epoch->id, reply);
    put->deliver(std::move(reply));
  } else if (auto* get = std::get_if<get_promise>(&x.promise)) {
    wire::GetReply reply;
    to_wire(a, node->epoch->id, reply);
    get->deliver(std::move(reply));
  } else if (auto* scan = std::get_if<scan_promise>(&x.promise)) {
    wire::ScanReply reply;
    to_wire(a, reply);
    scan->deliver(std::move(reply));
  }
}

void gateway_state::answers(client_answers& batch) {
  for (auto& a : batch.answers) {
    auto t = ticket::unpack(a.id);
    auto* x = table.find(t);
    if (x == nullptr)
      continue;
    bytes_in_flight -= x->bytes;
    if (auto i = sessions.find(x->session); i != sessions.end())
      --i->second.in_flight;
    deliver(*x, a);
    table.remove(t);
  }
  node->counters.inflight = table.size();
  if (draining && table.size() == 0 && drained.pending())
    drained.deliver(true);
}

void gateway_state::flush() {
  auto me = caf::actor_cast<client_asker_actor>(self);
  for (size_t i = 0; i < coordinators.size(); ++i)
    if (!to_coordinators[i].empty()) {
      self->send(coordinators[i],
                 client_ops{me, std::move(to_coordinators[i])});
      to_coordinators[i].clear();
    }
  for (auto id : dirty) {
    auto i = sessions.find(id);
    if (i == sessions.end() || i->second.out.empty())
      continue;
    self->send(i->second.handle, burst_atom::value, std::move(i->second.out));
    i->second.out.clear();
  }
  dirty.clear();
}

local_gateway_actor::behavior_type
gateway(loop_pointer<local_gateway_actor, gateway_state> self,
        const gateway_config& config, const node_context_ptr& node,
        const std::vector<coordinator_actor>& coordinators,
        const flusher_actor& flusher) {
  auto& st = self->state;
  st.config = config;
  st.node = node;
  st.coordinators = coordinators;
  st.flusher = flusher;
  st.to_coordinators.resize(coordinators.size());
  st.random.seed(config.seed);
  st.started_us = node->wall_us();
  self->set_down_handler([&st](const caf::down_msg& msg) {
    st.forget(msg.source);
  });
  auto done = [&st, self] {
    flush_when_idle(self, st.armed, [&st] {
      st.flush();
    });
  };
  return {
    [&st, self, done](wire::PutRequest& in) {
      gateway_state::in_flight x;
      auto promise = self->make_response_promise<wire::PutReply>();
      x.promise = promise;
      st.take(in, std::move(x));
      done();
      return promise;
    },
    [&st, self, done](wire::GetRequest& in) {
      gateway_state::in_flight x;
      auto promise = self->make_response_promise<wire::GetReply>();
      x.promise = promise;
      st.take(in, std::move(x));
      done();
      return promise;
    },
    [&st, self, done](wire::ScanRequest& in) {
      gateway_state::in_flight x;
      auto promise = self->make_response_promise<wire::ScanReply>();
      x.promise = promise;
      st.take(in, std::move(x));
      done();
      return promise;
    },
    [&st, self](const wire::StatusRequest& in) {
      auto promise = self->make_response_promise<wire::StatusReply>();
      auto id = in.id();
      auto reply = [&st, promise, id](const statistic_list& engine) mutable {
        auto out = st.status(engine);
        out.set_id(id);
        promise.deliver(std::move(out));
      };
      self->request(st.flusher, std::chrono::seconds(2), stats_atom::value)
        .then(
          [reply](const statistic_list& engine) mutable {
            reply(engine);
          },
          [reply](const caf::error&) mutable {
            reply({});
          });
      return promise;
    },
    [&st](const wire::RingRequest& in) {
      return st.ring(in);
    },
    [&st](const wire::ClientHello& in) {
      st.hello(in);
    },
    [&st, done](burst_atom, const std::string& bytes) {
      st.burst(bytes);
      done();
    },
    [&st, done](client_answers& batch) {
      st.answers(batch);
      done();
    },
    [&st](go_atom) {
      st.armed = false;
      st.flush();
    },
    [](tick_atom) {},
    [&st, self](drain_atom) {
      st.draining = true;
      st.drained = self->make_response_promise<bool>();
      if (st.table.size() == 0)
        st.drained.deliver(true);
      return st.drained;
    },
  };
}

} // namespace covey
