#include "actors/gateway.hpp"

#include "actors/outbox.hpp"
#include "messages/burst.hpp"
#include "messages/convert.hpp"

#include <algorithm>

namespace covey {

namespace {

client_answer late_answer(const client_answer& a) {
  client_answer result;
  result.verb = a.verb;
  result.code = errc::timed_out;
  result.text = "the answer was ready after the deadline";
  return result;
}

} // namespace

template <class Request>
void gateway_state::take(Request& in, in_flight x) {
  client_op op;
  x.client_id = in.id();
  fill(in, op);
  op.epoch = view->id();
  client_answer refusal;
  refusal.verb = op.verb;
  refusal.code = check(op, in.keyspace(), refusal.text);
  if (refusal.code == errc::none) {
    refusal.text = crowded(op, x.session != 0 ? &sessions[x.session] : nullptr);
    if (!refusal.text.empty())
      refusal.code = errc::overloaded;
  }
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
  x.verb = op.verb;
  x.page_bytes = op.max_bytes;
  x.taken_us = node->wall_us();
  x.deadline_us = op.deadline_us;
  auto* from = x.session != 0 ? &sessions[x.session] : nullptr;
  if (from != nullptr)
    ++from->in_flight;
  if (x.verb != client_verb::put) {
    reads.opened(x.page_bytes);
    if (from != nullptr)
      from->reads.opened(x.page_bytes);
  }
  *row = std::move(x);
  op.id = t.pack();
  auto slot
    = op.verb == client_verb::scan
        ? op.slot
        : core::slot_of(op.key, view->find_keyspace(op.keyspace)->hash_tags);
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
    } else if (kind == frame_kind::taken) {
      if (parse(message, taken_in))
        taken(sessions[x.session], taken_in.bytes());
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
    if (auto i = sessions.find(x.session); i != sessions.end())
      append(i->first, i->second, a);
    return;
  }
  if (auto* put = std::get_if<put_promise>(&x.promise)) {
    wire::PutReply reply;
    to_wire(a, view->id(), reply);
    put->deliver(std::move(reply));
  } else if (auto* get = std::get_if<get_promise>(&x.promise)) {
    wire::GetReply reply;
    to_wire(a, view->id(), reply);
    get->deliver(std::move(reply));
  } else if (auto* scan = std::get_if<scan_promise>(&x.promise)) {
    wire::ScanReply reply;
    to_wire(a, reply);
    scan->deliver(std::move(reply));
  }
}

void gateway_state::note_load(const in_flight& x, errc code, uint64_t now_us) {
  auto late = code == errc::timed_out || code == errc::deadline_expired;
  // Other failures come early and say nothing about the load.
  if ((code == errc::none || late) && now_us >= x.taken_us)
    load.answered(now_us - x.taken_us, x.deadline_us - x.taken_us,
                  code == errc::none);
}

void gateway_state::answers(client_answers& batch) {
  auto now_us = node->wall_us();
  for (auto& a : batch.answers) {
    auto t = ticket::unpack(a.id);
    auto* x = table.find(t);
    if (x == nullptr)
      continue;
    bytes_in_flight -= x->bytes;
    note_load(*x, a.code, now_us);
    auto i = sessions.find(x->session);
    auto* to = i != sessions.end() ? &i->second : nullptr;
    if (to != nullptr)
      --to->in_flight;
    if (x->verb != client_verb::put) {
      reads.closed(x->page_bytes);
      if (to != nullptr)
        to->reads.closed(x->page_bytes);
      if (x->verb == client_verb::get && a.code == errc::none)
        average.observed(a.charge.bytes());
      // Whoever asked has given up: the values are not worth sending.
      if (a.code == errc::none && x->deadline_us < now_us) {
        ++node->counters.answers_late;
        a = late_answer(a);
      }
    }
    deliver(*x, a);
    a.charge = {};
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
    if (i != sessions.end() && !i->second.out.empty())
      send(i->second);
  }
  dirty.clear();
  drop_overrun();
}

local_gateway_actor::behavior_type
gateway(loop_pointer<local_gateway_actor, gateway_state> self,
        const gateway_config& config, const node_context_ptr& node,
        const std::vector<coordinator_actor>& coordinators,
        const flusher_actor& flusher, const epoch_keeper_actor& keeper) {
  auto& st = self->state;
  st.config = config;
  st.node = node;
  st.view = node->newest_view();
  st.coordinators = coordinators;
  st.flusher = flusher;
  st.keeper = keeper;
  st.to_coordinators.resize(coordinators.size());
  st.random.seed(config.seed);
  st.load = core::load_limit{config.max_requests};
  st.started_us = node->wall_us();
  // The gateway before this one may have left its figures.
  node->counters.inflight = 0;
  node->counters.clients = 0;
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
    [&st](const wire::StatusRequest& in) {
      return st.ask_status(in);
    },
    [&st](const wire::RingRequest& in) {
      return st.ring(in);
    },
    [&st](const wire::KeyspaceRequest& in) {
      return st.change_keyspace(in);
    },
    [&st](const wire::RepairRequest& in) {
      return st.ask_repair(in);
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
    [&st](view_atom, liveness_ptr& liveness) {
      st.liveness = std::move(liveness);
    },
    [&st](epoch_atom, view_ptr& next) {
      st.view = std::move(next);
    },
    [&st](repair_atom, const anti_entropy_actor& repairs) {
      st.repairs = repairs;
    },
    [&st](go_atom) {
      st.armed = false;
      st.flush();
    },
    [&st](tick_atom) {
      st.tick();
    },
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
