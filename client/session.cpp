// Behaviour of the session: gathering, waking, ending.

#include "client/session.hpp"

#include <algorithm>

namespace covey::client {

namespace {

// The node is told of bytes taken, without anything else to send, after this
// many.
constexpr uint64_t bytes_per_word = 256 << 10;

} // namespace

void session_state::submit(call& c) {
  auto size = size_of(c.request);
  if (waiting_.size() >= config_.max_waiting
      || waiting_bytes_ + size > config_.max_waiting_bytes) {
    outcome o;
    o.code = errc::overloaded;
    o.text = "this client has too many requests waiting";
    c.retries = 0;
    settle(std::move(c), std::move(o));
    return;
  }
  enqueue(std::move(c));
  gather();
}

void session_state::gather() {
  // What came with this message rides the same burst.
  if (self_->mailbox().empty()) {
    flush();
  } else if (!go_sent_) {
    go_sent_ = true;
    self_->send(self_, go_atom::value);
  }
}

void session_state::flush() {
  go_sent_ = false;
  if (phase_ == phase::up && !leaving_.empty() && in_flight_.empty())
    leave();
  std::string burst;
  while (phase_ == phase::up && leaving_.empty() && !waiting_.empty()
         && in_flight_.size() < credit_) {
    auto c = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= std::min(waiting_bytes_, size_of(c.request));
    if (c.deadline <= now())
      expire(std::move(c));
    else
      dispatch(burst, std::move(c));
  }
  if (phase_ == phase::up && taken_ >= told_ + bytes_per_word)
    tell_taken(burst);
  send_burst(burst);
  arm();
}

void session_state::on_tick() {
  ticking_ = false;
  auto t = now();
  auto due = std::stable_partition(resting_.begin(), resting_.end(),
                                   [&](const call& c) {
                                     return c.not_before > t;
                                   });
  for (auto i = due; i != resting_.end(); ++i)
    enqueue(std::move(*i));
  resting_.erase(due, resting_.end());
  if (phase_ == phase::resting && t >= rest_until_)
    connect();
  else if (phase_ == phase::greeting
           && t - hello_sent_ >= config_.hello_timeout)
    failed("connected, but the node did not say welcome");
  sweep();
  flush();
}

void session_state::arm() {
  auto idle = phase_ == phase::up && waiting_.empty() && resting_.empty()
              && in_flight_.empty();
  if (ticking_ || idle)
    return;
  ticking_ = true;
  self_->delayed_send(self_, config_.tick, tick_atom::value);
}

void session_state::close() {
  std::vector<call> rest;
  for (auto& c : waiting_)
    rest.push_back(std::move(c));
  for (auto& c : resting_)
    rest.push_back(std::move(c));
  for (auto& [id, c] : in_flight_) {
    c.maybe_written = c.maybe_written || c.is_write();
    rest.push_back(std::move(c));
  }
  waiting_.clear();
  resting_.clear();
  in_flight_.clear();
  for (auto& c : rest) {
    outcome o;
    o.code = errc::shutting_down;
    o.text = "the client was closed";
    o.maybe_written = c.maybe_written;
    c.done(o);
  }
}

session_actor::behavior_type
session(session_actor::stateful_pointer<session_state> self,
        session_config config, connector_actor connector) {
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
