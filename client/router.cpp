// Behaviour of the router: gathering, waking, ending.

#include "client/router.hpp"

#include <algorithm>

namespace covey::client {

router_state::time_point router_state::now() const {
  return self_->clock().now();
}

void router_state::start(router_config config, connector_actor connector) {
  config_ = std::move(config);
  connector_ = std::move(connector);
  rng_.seed(config_.seed);
  for (const auto& where : config_.nodes)
    add_session(where);
  seek();
}

void router_state::submit(call& c) {
  c.bytes = size_of(c.request);
  if (c.deadline <= now() || c.bytes > config_.max_waiting_bytes) {
    outcome o;
    auto late = c.deadline <= now();
    o.code = late ? errc::deadline_expired : errc::value_too_large;
    o.text = late ? std::string{"no time was left to send it"}
                  : "the request has " + std::to_string(c.bytes)
                      + " bytes, this client sends at most "
                      + std::to_string(config_.max_waiting_bytes);
    finish(std::move(c), std::move(o));
    return;
  }
  if (waiting_calls_ >= config_.max_waiting
      || waiting_bytes_ + c.bytes > config_.max_waiting_bytes) {
    outcome o;
    o.code = errc::overloaded;
    o.text = "this client has too many requests waiting";
    finish(std::move(c), std::move(o));
    return;
  }
  budget_.on_request();
  c.submitted = now();
  route(std::move(c));
  gather();
}

void router_state::gather() {
  // What came with this message rides the same burst.
  if (self_->mailbox().empty()) {
    flush();
  } else if (!go_sent_) {
    go_sent_ = true;
    self_->send(self_, go_atom::value);
  }
}

void router_state::flush() {
  go_sent_ = false;
  // Losing a session may add some; those have nothing to send yet.
  for (size_t i = 0; i < sessions_.size(); ++i)
    flush(*sessions_[i]);
  arm();
}

void router_state::on_tick() {
  auto t = now();
  if (t < tick_due_)
    return;
  tick_due_ = time_point::max();
  auto due = std::stable_partition(resting_.begin(), resting_.end(),
                                   [&](const call& c) {
                                     return c.not_before > t;
                                   });
  std::vector<call> again{std::make_move_iterator(due),
                          std::make_move_iterator(resting_.end())};
  resting_.erase(due, resting_.end());
  for (auto& c : again)
    route(std::move(c));
  for (size_t i = 0; i < sessions_.size(); ++i) {
    auto& s = *sessions_[i];
    if (s.now == phase::greeting && t - s.hello_sent >= config_.hello_timeout)
      failed(s, "connected, but the node did not say welcome");
    else if (s.wanted)
      want(s);
  }
  seek();
  sweep();
  hedge();
  flush();
}

void router_state::arm() {
  auto busy = waiting_calls_ > 0 || !resting_.empty();
  auto due = time_point::max();
  for (const auto& s : sessions_) {
    busy = busy || !s->in_flight.empty();
    if (s->now == phase::greeting)
      due = std::min(due, s->hello_sent + config_.hello_timeout);
    else if (s->wanted && s->now == phase::resting)
      due = std::min(due, s->rest_until);
  }
  if (busy)
    due = std::min({due, next_deadline_, next_hedge_});
  for (const auto& c : resting_)
    due = std::min(due, c.not_before);
  if (alone())
    due = std::min(due, rest_until_);
  if (due == time_point::max())
    return;
  due = std::max(due, now() + config_.tick);
  if (tick_due_ <= due)
    return;
  tick_due_ = due;
  self_->delayed_send(self_, due - now(), tick_atom::value);
}

void router_state::close() {
  std::vector<call> rest;
  auto take = [&rest](auto& calls) {
    std::move(calls.begin(), calls.end(), std::back_inserter(rest));
    calls.clear();
  };
  take(waiting_);
  take(resting_);
  for (auto& s : sessions_) {
    take(s->queue);
    for (auto& [id, c] : s->in_flight) {
      c.maybe_written = c.maybe_written || c.is_write();
      take(c.joined);
      rest.push_back(std::move(c));
    }
    s->in_flight.clear();
  }
  for (auto& c : rest) {
    outcome o;
    o.code = errc::shutting_down;
    o.text = "the client was closed";
    finish(std::move(c), std::move(o));
  }
}

router_actor::behavior_type
router(loop_pointer<router_actor, router_state> self, router_config config,
       connector_actor connector) {
  auto& st = self->state;
  self->set_down_handler([&st](caf::down_msg& down) {
    st.on_down(down);
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    self->state.close();
    self->quit(std::move(exit.reason));
  });
  st.start(std::move(config), std::move(connector));
  return {
    [&st](const wire::ClientWelcome& welcome) {
      st.on_welcome(welcome);
    },
    [&st](burst_atom, const std::string& burst) {
      st.on_burst(burst);
    },
    [&st](call& c) {
      st.submit(c);
    },
    [&st](go_atom) {
      st.flush();
    },
    [&st](tick_atom) {
      st.on_tick();
    },
  };
}

} // namespace covey::client
