// The gateway's sessions: their beginning and end, and what is sent to them.

#include "actors/gateway.hpp"
#include "messages/burst.hpp"
#include "messages/convert.hpp"

namespace covey {

namespace {

constexpr uint32_t protocol_version = 1;

uint64_t size_of(const client_answer& a) {
  uint64_t result = 0;
  for (const auto& value : a.values)
    result += value.size();
  for (const auto& entry : a.entries)
    for (const auto& value : entry.values)
      result += entry.key.size() + value.size();
  return result;
}

wire::ClientWelcome refused_welcome(errc code, const std::string& text) {
  wire::ClientWelcome result;
  result.set_code(static_cast<uint32_t>(code));
  result.set_text(text);
  return result;
}

} // namespace

void gateway_state::hello(const wire::ClientHello& in) {
  auto client = caf::actor_cast<client_session_actor>(self->current_sender());
  if (!client)
    return;
  auto& number = session_numbers[client.address()];
  if (number == 0) {
    if (sessions.size() >= config.max_clients) {
      session_numbers.erase(client.address());
      node->log->warn("gateway turns a client away: {} are connected, the "
                      "limit",
                      sessions.size());
      auto full = refused_welcome(errc::overloaded,
                                  "the node has as many clients as it may");
      full.set_nonce(in.nonce());
      self->send(client, std::move(full));
      return;
    }
    self->monitor(client);
    number = ++last_session;
    auto& s = sessions[number];
    s.handle = client;
    s.window = core::answer_window{config.client_answer_bytes};
    s.charge = {node->answers_under_way, 0};
    node->counters.clients = sessions.size();
    node->log->debug("gateway greets client {}", in.agent());
  }
  // Both sides count from the welcome.
  auto& s = sessions[number];
  if (!s.out.empty())
    send(s);
  s.window.reset();
  s.charge.resize(0);
  wire::ClientWelcome out;
  out.set_protocol(protocol_version);
  out.set_cluster(view->epoch().cluster);
  out.set_node(node->me().name);
  out.set_epoch_generation(view->id().generation);
  out.set_epoch_number(view->id().number);
  out.set_clock_us(node->wall_us());
  out.set_max_key_bytes(static_cast<uint32_t>(config.max_key_bytes));
  out.set_max_value_bytes(static_cast<uint32_t>(config.max_value_bytes));
  out.set_credit(config.client_credit);
  out.set_nonce(in.nonce());
  core::epoch_id known{in.epoch_generation(), in.epoch_number()};
  if (in.wants_epoch() && known != view->id())
    to_wire(view->epoch(), out);
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

void gateway_state::taken(session& s, uint64_t total) {
  s.window.taken(total, node->wall_us());
  s.charge.resize(s.window.under_way() + s.out.size());
}

void gateway_state::append(uint64_t id, session& s, client_answer& a) {
  auto size = size_of(a);
  if (size > 0 && !s.window.admits(s.out.size() + size)) {
    ++node->counters.client_answers_refused;
    client_answer refused;
    refused.id = a.id;
    refused.verb = a.verb;
    refused.code = errc::overloaded;
    refused.text = "this client has not taken the answers before this one: "
                   "limits.client-answer-mb";
    a = std::move(refused);
  }
  if (s.out.empty())
    dirty.push_back(id);
  if (a.verb == client_verb::put) {
    to_wire(a, view->id(), put_out);
    append_frame(s.out, frame_kind::put_reply, put_out);
  } else if (a.verb == client_verb::get) {
    to_wire(a, view->id(), get_out);
    append_frame(s.out, frame_kind::get_reply, get_out);
  } else {
    to_wire(a, scan_out);
    append_frame(s.out, frame_kind::scan_reply, scan_out);
  }
  s.charge.resize(s.window.under_way() + s.out.size());
  if (s.out.size() >= config.burst_bytes)
    send(s);
  if (s.window.overrun())
    overrun.push_back(id);
}

void gateway_state::send(session& s) {
  s.window.sent(s.out.size(), node->wall_us());
  self->send(s.handle, burst_atom::value, std::move(s.out));
  s.out.clear();
}

void gateway_state::drop_overrun() {
  for (auto id : overrun)
    drop(id);
  overrun.clear();
}

void gateway_state::drop(uint64_t id) {
  auto i = sessions.find(id);
  if (i == sessions.end())
    return;
  auto client = i->second.handle;
  node->log->warn("gateway ends the session of a client that does not take its "
                  "answers: {} bytes are under way to it",
                  i->second.window.under_way());
  ++node->counters.clients_dropped;
  // It reads this if it ever goes on, and may greet anew.
  self->send(client, refused_welcome(errc::connection_lost,
                                     "this client did not take its answers"));
  self->demonitor(client.address());
  forget(client.address());
}

void gateway_state::tick() {
  // Most have nothing under way; looking costs little.
  auto now_us = node->wall_us();
  load.tick(now_us);
  node->counters.load_limit = load.limit();
  for (const auto& [id, s] : sessions)
    if (s.window.stalled(now_us, config.client_patience_us))
      overrun.push_back(id);
  drop_overrun();
}

} // namespace covey
