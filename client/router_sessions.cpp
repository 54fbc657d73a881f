// Sessions with nodes: dialling, greeting, losing, taking turns.

#include "client/back_off.hpp"
#include "client/dialer.hpp"
#include "client/router.hpp"

#include <algorithm>

namespace covey::client {

node_session& router_state::add_session(const node_address& where) {
  sessions_.push_back(std::make_unique<node_session>());
  sessions_.back()->id = ++last_session_;
  sessions_.back()->where = where;
  sessions_.back()->paced = config_.hold_back;
  sessions_.back()->window = send_window{config_.first_window};
  return *sessions_.back();
}

node_session* router_state::find(uint32_t id) {
  for (auto& s : sessions_)
    if (s->id == id)
      return s.get();
  return nullptr;
}

node_session* router_state::sender() {
  auto i = by_gateway_.find(
    caf::actor_cast<caf::actor_addr>(self_->current_sender()));
  return i == by_gateway_.end() ? nullptr : i->second;
}

bool router_state::alone() const {
  return std::none_of(sessions_.begin(), sessions_.end(), [](auto& s) {
    return s->connecting() || s->usable();
  });
}

void router_state::seek() {
  if (!alone() || now() < rest_until_)
    return;
  for (size_t i = 0; i < sessions_.size(); ++i) {
    auto& s = *sessions_[turn_++ % sessions_.size()];
    if (s.now == phase::resting) {
      dial(s);
      return;
    }
  }
}

void router_state::dial(node_session& s) {
  s.now = phase::dialing;
  auto attempt = ++s.attempt;
  auto current = [this, id = s.id, attempt]() -> node_session* {
    auto* found = find(id);
    return found != nullptr && found->attempt == attempt ? found : nullptr;
  };
  self_
    ->request(connector_, config_.dial_timeout, dial_atom::value, s.where.host,
              s.where.port)
    .then(
      [this, current](const supervisor_actor& supervisor) {
        if (auto* found = current())
          greet(*found, supervisor);
      },
      [this, current](const caf::error& err) {
        if (auto* found = current())
          failed(*found, dial_failure(err));
      });
}

void router_state::greet(node_session& s, const supervisor_actor& supervisor) {
  if (!supervisor) {
    failed(s, "nothing of covey's is published there");
    return;
  }
  s.now = phase::greeting;
  s.supervisor = supervisor;
  say_hello(s);
  arm();
}

void router_state::say_hello(node_session& s) {
  s.nonce = rng_();
  s.hello_sent = now();
  wire::ClientHello hello;
  hello.set_protocol(protocol_version);
  hello.set_agent(config_.agent);
  hello.set_nonce(s.nonce);
  hello.set_wants_epoch(config_.by_slot);
  if (view_) {
    hello.set_epoch_generation(view_->epoch().id.generation);
    hello.set_epoch_number(view_->epoch().id.number);
  }
  self_->send(s.supervisor, std::move(hello));
}

void router_state::on_welcome(const wire::ClientWelcome& welcome) {
  // The node has ended the session.
  if (auto* s = sender(); s != nullptr && welcome.code() != 0) {
    lose(*s, welcome.text());
    return;
  }
  auto i = std::find_if(sessions_.begin(), sessions_.end(), [&](auto& s) {
    return s->nonce == welcome.nonce()
           && (s->now == phase::greeting || s->renewing);
  });
  // A welcome that comes too late may be from a node that we gave up.
  if (i == sessions_.end() || self_->current_sender() == nullptr)
    return;
  auto& s = **i;
  if (welcome.code() != 0) {
    lose(s, welcome.text());
    return;
  }
  if (welcome.protocol() != protocol_version) {
    lose(s, "speaks version " + std::to_string(welcome.protocol())
              + " of the client protocol, this program speaks version "
              + std::to_string(protocol_version));
    return;
  }
  for (size_t m = 0; m < of_member_.size(); ++m)
    if (of_member_[m] == &s
        && view_->epoch().members[m].name != welcome.node()) {
      lose(s, "another node answers there: " + welcome.node());
      return;
    }
  // Our steady clock carries the node's clock on from here: steps of this
  // machine's time of day then do not move deadlines.
  // It showed this at the latest now: a node that was frozen when we greeted it
  // must take no deadline for later than it is.
  s.server_us = welcome.clock_us();
  s.server_at = now();
  s.credit = std::max<size_t>(1, welcome.credit());
  s.renewing = false;
  // Both sides count from the welcome.
  s.taken = s.told = 0;
  if (s.now == phase::greeting) {
    auto gateway = caf::actor_cast<gateway_actor>(self_->current_sender());
    if (by_gateway_.count(gateway.address()) > 0) {
      s.wanted = false;
      failed(s, "it is known under another address");
      return;
    }
    s.now = phase::up;
    s.name = welcome.node();
    s.leaving.clear();
    s.avoid_until = time_point{};
    // What was learnt of the process before it, or of a broken connection,
    // says nothing of this one.
    s.overload = {};
    s.window = send_window{config_.first_window};
    s.gateway = std::move(gateway);
    by_gateway_[s.gateway.address()] = &s;
    self_->monitor(s.gateway);
  }
  learn(welcome);
  route_all(std::exchange(waiting_, {}));
  flush();
}

void router_state::failed(node_session& s, const std::string& reason) {
  disconnect(s);
  s.reason = reason;
  s.rest_until = now()
                 + back_off(s.failures++, config_.back_off_least,
                            config_.back_off_most, rng_);
  if (alone() && ++failed_turns_ % sessions_.size() == 0) {
    auto round = static_cast<uint32_t>(failed_turns_ / sessions_.size() - 1);
    rest_until_
      = now()
        + back_off(round, config_.back_off_least, config_.back_off_most, rng_);
  }
  seek();
  route_all(std::exchange(s.queue, {}));
  route_all(std::exchange(waiting_, {}));
  arm();
}

void router_state::disconnect(node_session& s) {
  ++s.attempt;
  s.now = phase::resting;
  // It tells no epoch any more: the next answer that knows a newer one asks.
  if (s.renewing)
    asked_ = view_ ? view_->epoch().id : core::epoch_id{};
  s.renewing = false;
  if (s.gateway) {
    self_->demonitor(s.gateway.address());
    by_gateway_.erase(s.gateway.address());
  }
  s.gateway = nullptr;
  s.supervisor = nullptr;
  s.leaving.clear();
}

void router_state::on_down(const caf::down_msg& down) {
  auto i = by_gateway_.find(down.source);
  if (i != by_gateway_.end())
    lose(*i->second, "the connection broke");
}

void router_state::lose(node_session& s, const std::string& reason) {
  std::vector<std::pair<uint64_t, call>> lost;
  lost.reserve(s.in_flight.size());
  for (auto& [id, c] : s.in_flight)
    lost.emplace_back(id, std::move(c));
  s.in_flight.clear();
  s.overdue.clear();
  std::sort(lost.begin(), lost.end(), [](const auto& x, const auto& y) {
    return x.first < y.first;
  });
  failed(s, reason);
  for (auto& [id, c] : lost) {
    outcome o;
    o.code = errc::connection_lost;
    o.text = to_string(s.where) + ": " + reason;
    o.maybe_written = c.is_write();
    settle(std::move(c), std::move(o), &s);
  }
  flush();
}

void router_state::look_beyond(const node_session& s) {
  auto t = now();
  for (const auto& x : sessions_)
    if (x.get() != &s
        && (x->connecting() || (x->usable() && x->avoid_until <= t)))
      return;
  for (size_t i = 0; i < sessions_.size(); ++i) {
    auto& x = *sessions_[turn_++ % sessions_.size()];
    if (x.now == phase::resting && t >= x.rest_until) {
      dial(x);
      return;
    }
  }
}

std::string router_state::failure_text() const {
  std::string result = "no connection to";
  auto separator = " ";
  for (const auto& s : sessions_) {
    result += separator + to_string(s->where) + " (";
    separator = ", ";
    if (!s->reason.empty())
      result += s->reason;
    else
      result += s->connecting() ? "no answer yet" : "not tried";
    result += ')';
  }
  return result;
}

} // namespace covey::client
