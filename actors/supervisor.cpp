#include "actors/supervisor.hpp"

#include <algorithm>

namespace covey {

namespace {

/// Of a child, as outsiders are told.
constexpr size_t max_reason_bytes = 512;

} // namespace

void supervisor_state::start_from(size_t i) {
  for (; i < config.children.size(); ++i) {
    auto child = config.children[i].start(children);
    self->monitor(caf::actor_cast<caf::actor>(child));
    // What it knows is decided comes to us, and from us to all.
    if (config.children[i].role == child_spec::kind::keeper)
      self->send(caf::actor_cast<epoch_keeper_actor>(child), epoch_atom::value,
                 caf::actor_cast<epoch_sink_actor>(self));
    children.push_back(std::move(child));
  }
}

void supervisor_state::end_child(const caf::strong_actor_ptr& child) {
  auto handle = caf::actor_cast<caf::actor>(child);
  self->demonitor(handle.address());
  self->send_exit(handle, caf::exit_reason::user_shutdown);
}

void supervisor_state::stop_from(size_t i) {
  while (children.size() > i) {
    end_child(children.back());
    children.pop_back();
  }
}

void supervisor_state::child_down(const caf::down_msg& msg) {
  auto i = static_cast<size_t>(
    std::find_if(children.begin(), children.end(),
                 [&](const auto& child) {
                   return caf::actor_cast<caf::actor_addr>(child) == msg.source;
                 })
    - children.begin());
  if (i == children.size() || stopping)
    return;
  const auto& spec = config.children[i];
  auto reason = self->system().render(msg.reason);
  wire::ChildEvent event;
  event.set_name(spec.name);
  event.set_reason(reason.substr(0, max_reason_bytes));
  event.set_restarts(restarts[i]);
  event.set_essential(spec.essential);
  if (spec.essential) {
    end_node(std::move(event),
             spec.name + " crashed (" + reason
               + "): its memory may disagree with the disk, so the node stops "
                 "and must be started again");
    return;
  }
  auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                  self->clock().now().time_since_epoch())
                  .count();
  if (!limit.allows(static_cast<uint64_t>(now_ms))) {
    end_node(std::move(event),
             spec.name + " crashed (" + reason + ") too often: more than "
               + std::to_string(config.restarts) + " restarts in "
               + std::to_string(config.window_ms / 1000) + " s");
    return;
  }
  node->log->error("supervisor restarts {} and {} after it: it crashed ({})",
                   spec.name, children.size() - i - 1, reason);
  ++restarts[i];
  ++node->counters.restarts;
  stop_from(i);
  start_from(i);
  event.set_restarts(restarts[i]);
  event.set_restarted(true);
  event.set_followers(static_cast<uint32_t>(children.size() - i - 1));
  tell(event);
}

void supervisor_state::end_node(wire::ChildEvent&& event,
                                const std::string& why) {
  stopping = true;
  event.set_node_ends(why.substr(0, max_reason_bytes));
  tell(event);
  config.give_up(why);
}

void supervisor_state::drain() {
  stopping = true;
  auto gateway = find<local_gateway_actor>(child_spec::kind::gateway);
  self->request(gateway, config.drain_timeout, drain_atom::value)
    .then(
      [this](bool) {
        drain_shards();
      },
      [this](const caf::error&) {
        node->log->warn("supervisor stops with {} requests in flight",
                        node->counters.inflight);
        drain_shards();
      });
}

void supervisor_state::drain_shards() {
  size_t shards_end = 0;
  for (size_t i = 0; i < children.size(); ++i)
    if (config.children[i].role == child_spec::kind::shard)
      shards_end = i + 1;
  stop_from(shards_end);
  auto done = [this](bool clean) {
    all_clean = all_clean && clean;
    if (--undrained == 0)
      drained.deliver(all_clean);
  };
  for (size_t i = 0; i < shards_end; ++i) {
    if (config.children[i].role != child_spec::kind::shard)
      continue;
    ++undrained;
    self
      ->request(caf::actor_cast<storage_shard_actor>(children[i]),
                config.drain_timeout, drain_atom::value)
      .then(done, [done](const caf::error&) {
        done(false);
      });
  }
}

local_supervisor_actor::behavior_type
supervisor(local_supervisor_actor::stateful_pointer<supervisor_state> self,
           const supervisor_config& config, const node_context_ptr& node) {
  auto& st = self->state;
  st.config = config;
  st.node = node;
  st.limit = core::restart_limit{config.restarts, config.window_ms};
  st.restarts.resize(config.children.size());
  self->set_down_handler([&st](const caf::down_msg& msg) {
    st.watchers.erase(msg.source);
    st.child_down(msg);
  });
  // Whoever reaches the port may send anything: it must not fill our stderr.
  self->set_default_handler(caf::drop);
  st.start_from(0);
  return {
    [&st](wire::PeerHello& in) {
      st.greet(in);
    },
    [&st, self](wire::ClientHello& in) {
      auto gateway = st.find<local_gateway_actor>(child_spec::kind::gateway);
      if (gateway)
        self->delegate(gateway, std::move(in));
    },
    [&st](epoch_atom, const epoch_ptr& next) {
      st.adopt(next);
    },
    [&st](gateway_atom) -> gateway_actor {
      return st.find<gateway_actor>(child_spec::kind::gateway);
    },
    [&st](children_atom) {
      return st.list_children();
    },
    [&st](const wire::WatchRequest& in) {
      st.watch(in);
    },
    [&st, self](drain_atom) {
      st.drained = self->make_response_promise<bool>();
      st.drain();
      return st.drained;
    },
  };
}

} // namespace covey
