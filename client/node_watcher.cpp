#include "client/node_watcher.hpp"

#include "client/back_off.hpp"
#include "client/dialer.hpp"

#include <algorithm>

namespace covey::client {

namespace {

/// Why the supervisor of a node is gone, in words.
std::string loss_text(const caf::error& reason, const std::string& rendered) {
  if (reason == caf::exit_reason::remote_link_unreachable)
    return "the connection broke: its process ended, or cannot be reached";
  if (reason == caf::exit_reason::user_shutdown)
    return "it was stopped";
  return "its supervisor ended (" + rendered + ")";
}

} // namespace

node_watcher_state::time_point node_watcher_state::now() const {
  return self_->clock().now();
}

void node_watcher_state::start(node_watcher_config config,
                               std::shared_ptr<watch_board> board) {
  config_ = std::move(config);
  board_ = std::move(board);
  rng_.seed(config_.seed);
  last_tick_ = now();
  for (const auto& where : config_.nodes)
    add_link(where, {}, true);
  on_tick();
}

void node_watcher_state::close() {
  for (auto& x : links_)
    self_->send_exit(x->connector, caf::exit_reason::user_shutdown);
  links_.clear();
}

// -- links --------------------------------------------------------------------

void node_watcher_state::add_link(const node_address& where,
                                  const std::string& node, bool given) {
  if (links_.size() >= config_.max_nodes) {
    ++left_out_;
    return;
  }
  links_.push_back(std::make_unique<link>(where, node));
  auto& x = *links_.back();
  x.id = ++last_link_;
  x.given = given;
  x.connector = config_.connect();
  changed_ = true;
}

void node_watcher_state::drop(const link& x) {
  auto i = std::find_if(links_.begin(), links_.end(), [&](const auto& y) {
    return y.get() == &x;
  });
  self_->send_exit(x.connector, caf::exit_reason::user_shutdown);
  if (x.now == link::phase::watching)
    self_->demonitor(x.supervisor.address());
  links_.erase(i);
  changed_ = true;
}

node_watcher_state::link* node_watcher_state::find(uint64_t id) {
  for (auto& x : links_)
    if (x->id == id)
      return x.get();
  return nullptr;
}

node_watcher_state::link* node_watcher_state::sender() {
  auto who = caf::actor_cast<caf::actor_addr>(self_->current_sender());
  for (auto& x : links_)
    if (x->now == link::phase::watching && x->supervisor.address() == who)
      return x.get();
  return nullptr;
}

void node_watcher_state::dial(link& x) {
  x.now = link::phase::dialing;
  auto attempt = ++x.attempt;
  auto current = [this, id = x.id, attempt]() -> link* {
    auto* found = find(id);
    return found != nullptr && found->attempt == attempt ? found : nullptr;
  };
  const auto& where = x.node.node().where;
  self_
    ->request(x.connector, config_.dial_timeout, dial_atom::value, where.host,
              where.port)
    .then(
      [this, current](const supervisor_actor& supervisor) {
        auto* found = current();
        if (found == nullptr)
          return;
        found->now = link::phase::greeting;
        found->supervisor = supervisor;
        ask(*found, true);
      },
      [this, current](const caf::error& err) {
        if (auto* found = current())
          failed(*found, dial_failure(err));
        publish();
      });
}

void node_watcher_state::ask(link& x, bool first) {
  do
    x.nonce = rng_();
  while (x.nonce == 0);
  x.asked_at = now();
  wire::WatchRequest request;
  request.set_nonce(x.nonce);
  request.set_agent(config_.agent);
  request.set_wants_children(first);
  request.set_wants_members(config_.all_members);
  request.set_epoch_generation(epoch_.generation);
  request.set_epoch_number(epoch_.number);
  self_->send(x.supervisor, std::move(request));
}

void node_watcher_state::failed(link& x, const std::string& reason) {
  if (x.now == link::phase::watching)
    self_->demonitor(x.supervisor.address());
  ++x.attempt;
  x.now = link::phase::resting;
  x.supervisor = nullptr;
  x.nonce = 0;
  x.rest_until = now()
                 + back_off(x.failures++, config_.back_off_least,
                            config_.back_off_most, rng_);
  x.node.lost(reason, events_);
  changed_ = true;
}

// -- news
// -----------------------------------------------------------------------

void node_watcher_state::on_state(const wire::NodeState& state) {
  auto i = std::find_if(links_.begin(), links_.end(), [&](const auto& x) {
    return x->nonce != 0 && x->nonce == state.nonce()
           && x->supervisor.address()
                == caf::actor_cast<caf::actor_addr>(self_->current_sender());
  });
  // An answer to a question that was given up.
  if (i == links_.end())
    return;
  auto& x = **i;
  if (state.code() != 0) {
    failed(x, std::string{state.text()});
  } else if (x.now == link::phase::greeting) {
    greeted(x, state);
  } else {
    x.nonce = 0;
    x.asked_at = now();
    x.node.answered(events_);
    learn(state);
  }
  publish();
}

void node_watcher_state::greeted(link& x, const wire::NodeState& state) {
  const auto& expected = x.node.node().name;
  auto node = one_line(state.node());
  if (!expected.empty() && expected != node) {
    failed(x, "another node answers there: " + node);
    return;
  }
  if (!only_way(x, node)) {
    drop(x);
    return;
  }
  x.now = link::phase::watching;
  x.failures = 0;
  x.nonce = 0;
  x.asked_at = now();
  self_->monitor(x.supervisor);
  x.node.met(state, events_);
  learn(state);
}

bool node_watcher_state::only_way(const link& x, const std::string& node) {
  auto i = std::find_if(links_.begin(), links_.end(), [&](const auto& y) {
    return y.get() != &x && y->node.node().name == node;
  });
  if (i == links_.end())
    return true;
  if ((*i)->now == link::phase::watching)
    return false;
  // The address that answers is the better one.
  drop(**i);
  return true;
}

void node_watcher_state::learn(const wire::NodeState& state) {
  core::epoch_id id{state.epoch_generation(), state.epoch_number()};
  if (!config_.all_members || state.members_size() == 0 || !(epoch_ < id))
    return;
  epoch_ = id;
  left_out_ = 0;
  auto is_member = [&](const link& x) {
    return std::any_of(state.members().begin(), state.members().end(),
                       [&](const auto& m) {
                         return one_line(m.name()) == x.node.node().name;
                       });
  };
  for (size_t i = links_.size(); i > 0; --i) {
    auto& x = *links_[i - 1];
    if (x.given || is_member(x))
      continue;
    x.node.lost("it is no member any more", events_);
    drop(x);
  }
  for (const auto& m : state.members()) {
    node_address where{m.host(), static_cast<uint16_t>(m.port())};
    auto node = one_line(m.name());
    auto known = std::any_of(links_.begin(), links_.end(), [&](const auto& x) {
      return x->node.node().name == node || x->node.node().where == where;
    });
    if (!known && m.port() > 0 && m.port() <= 65'535 && !node.empty()
        && !m.host().empty())
      add_link(where, node, false);
  }
}

void node_watcher_state::on_child(const wire::ChildEvent& event) {
  if (auto* x = sender()) {
    x->node.crashed(event, events_);
    changed_ = true;
    publish();
  }
}

void node_watcher_state::on_down(const caf::down_msg& down) {
  for (auto& x : links_)
    if (x->now == link::phase::watching
        && x->supervisor.address() == down.source)
      failed(*x, loss_text(down.reason, self_->system().render(down.reason)));
  publish();
}

void node_watcher_state::on_tick() {
  self_->delayed_send(self_, config_.tick, tick_atom::value);
  auto t = now();
  // While this program was held up itself it could not hear anybody.
  auto held_up
    = t - last_tick_ > config_.tick * 5 ? t - last_tick_ : decltype(t - t){0};
  last_tick_ = t;
  for (auto& ptr : links_) {
    auto& x = *ptr;
    // What was asked since it goes on has not waited.
    x.asked_at = std::min(x.asked_at + held_up, t);
    auto open = x.nonce != 0 ? t - x.asked_at : decltype(t - t){0};
    if (x.now == link::phase::resting && t >= x.rest_until)
      dial(x);
    else if (x.now == link::phase::greeting && open >= config_.hello_timeout)
      failed(x, "it accepts connections but does not answer");
    else if (x.now == link::phase::watching && open >= config_.silence)
      x.node.silent_for(config_.silence, events_);
    else if (x.now == link::phase::watching && x.nonce == 0
             && t - x.asked_at >= config_.ask_every)
      ask(x, false);
  }
  publish();
}

void node_watcher_state::publish() {
  if (!changed_ && events_.empty())
    return;
  changed_ = false;
  auto events = std::exchange(events_, {});
  {
    std::lock_guard<std::mutex> guard{board_->mutex};
    board_->nodes.clear();
    for (const auto& x : links_)
      board_->nodes.push_back(x->node.node());
    board_->left_out = left_out_;
  }
  auto at = std::chrono::system_clock::now();
  for (auto& event : events) {
    event.at = at;
    if (!board_->cancelled)
      board_->on_event(event);
  }
}

watching_actor::behavior_type
node_watcher(watching_actor::stateful_pointer<node_watcher_state> self,
             node_watcher_config config,
             const std::shared_ptr<watch_board>& board) {
  auto& st = self->state;
  self->set_down_handler([&st](const caf::down_msg& down) {
    st.on_down(down);
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    self->state.close();
    self->quit(std::move(exit.reason));
  });
  self->set_default_handler(caf::drop);
  st.start(std::move(config), board);
  return {
    [&st](const wire::NodeState& state) {
      st.on_state(state);
    },
    [&st](const wire::ChildEvent& event) {
      st.on_child(event);
    },
    [&st](tick_atom) {
      st.on_tick();
    },
  };
}

} // namespace covey::client
