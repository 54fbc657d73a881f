// A watcher whose nodes and connectors are played.

#pragma once

#include "client/node_watcher.hpp"
#include "tests/test.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace covey::client::test {

using std::chrono::milliseconds;

/// A node as its supervisor would speak for it.
struct played_node {
  std::string name;
  uint64_t run = 1;
  std::map<std::string, uint32_t> restarts;
  /// Leaves questions open.
  bool frozen = false;
  /// Refuses with this code.
  errc refuses = errc::none;
  supervisor_actor handle;
  /// Who subscribed, and how often it was asked.
  std::set<caf::actor_addr> watchers;
  std::vector<wire::WatchRequest> asked;
  /// What it left open.
  std::vector<std::pair<caf::strong_actor_ptr, wire::WatchRequest>> open;
};

struct watch_world {
  /// By port.
  std::map<uint16_t, played_node> nodes;
  std::set<uint16_t> refused;
  std::vector<uint16_t> dials;
  std::vector<std::pair<std::string, uint16_t>> members;
  uint64_t epoch = 1;
  size_t connectors = 0;
};

using watch_world_ptr = std::shared_ptr<watch_world>;

inline wire::NodeState state_of(const watch_world& w, const played_node& node,
                                const wire::WatchRequest& in) {
  wire::NodeState out;
  out.set_nonce(in.nonce());
  if (node.refuses != errc::none) {
    out.set_code(static_cast<uint32_t>(node.refuses));
    out.set_text("no more watchers");
    return out;
  }
  out.set_node(node.name);
  out.set_run(node.run);
  out.set_epoch_generation(1);
  out.set_epoch_number(w.epoch);
  if (in.wants_children())
    for (const auto& [name, n] : node.restarts) {
      auto* child = out.add_children();
      child->set_name(name);
      child->set_restarts(n);
    }
  if (in.wants_members() && in.epoch_number() != w.epoch)
    for (const auto& [name, port] : w.members) {
      auto* member = out.add_members();
      member->set_name(name);
      member->set_host("host");
      member->set_port(port);
    }
  return out;
}

inline supervisor_actor::behavior_type
play_supervisor(supervisor_actor::pointer self, watch_world_ptr w,
                uint16_t port) {
  return {
    [](const wire::PeerHello&) {},
    [](const wire::ClientHello&) {},
    [](gateway_atom) {
      return gateway_actor{};
    },
    [](children_atom) {
      return wire::Children{};
    },
    [=](const wire::WatchRequest& in) {
      auto& node = w->nodes[port];
      node.asked.push_back(in);
      node.watchers.insert(
        caf::actor_cast<caf::actor_addr>(self->current_sender()));
      if (node.frozen)
        node.open.emplace_back(self->current_sender(), in);
      else
        self->send(caf::actor_cast<node_watcher_actor>(self->current_sender()),
                   state_of(*w, node, in));
    },
  };
}

inline connector_actor::behavior_type
play_watch_connector(connector_actor::pointer, watch_world_ptr w) {
  return {
    [w](dial_atom, const std::string&,
        uint16_t port) -> caf::result<supervisor_actor> {
      w->dials.push_back(port);
      auto i = w->nodes.find(port);
      if (w->refused.count(port) > 0 || i == w->nodes.end())
        return caf::make_error(errc::unavailable,
                               std::string{"connection refused"});
      return i->second.handle;
    },
  };
}

struct watcher_fixture : covey::test::fixture {
  watcher_fixture()
    : w(std::make_shared<watch_world>()),
      board(std::make_shared<watch_board>()) {
    board->on_event = [this](const node_event& event) {
      // Whoever is told may look.
      std::lock_guard<std::mutex> guard{board->mutex};
      events.push_back(event);
    };
  }

  ~watcher_fixture() override {
    caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
    for (auto& [port, node] : w->nodes)
      caf::anon_send_exit(node.handle, caf::exit_reason::kill);
    w->nodes.clear();
    sched.run();
  }

  /// Starts the process of a node, with its children "gateway" and "ticker".
  void start_node(uint16_t port, uint64_t run = 1) {
    auto& node = w->nodes[port];
    node.name = "n" + std::to_string(port);
    node.run = run;
    node.restarts = {{"gateway", 0}, {"ticker", 0}};
    node.handle = sys.spawn(play_supervisor, w, port);
  }
  void end_node(uint16_t port, caf::exit_reason how
                               = caf::exit_reason::remote_link_unreachable) {
    caf::anon_send_exit(w->nodes.at(port).handle, how);
    w->nodes.erase(port);
    sched.run();
  }
  /// The node goes on where it was.
  void thaw(uint16_t port) {
    auto& node = w->nodes.at(port);
    node.frozen = false;
    for (auto& [who, in] : std::exchange(node.open, {}))
      caf::send_as(caf::actor_cast<caf::actor>(node.handle),
                   caf::actor_cast<caf::actor>(who), state_of(*w, node, in));
    sched.run();
  }
  void crash_child(uint16_t port, const wire::ChildEvent& event) {
    auto& node = w->nodes.at(port);
    caf::send_as(caf::actor_cast<caf::actor>(node.handle),
                 caf::actor_cast<caf::actor>(aut), event);
    sched.run();
  }
  static wire::ChildEvent restart_of(const std::string& name, uint32_t n) {
    wire::ChildEvent event;
    event.set_name(name);
    event.set_reason("kill");
    event.set_restarts(n);
    event.set_restarted(true);
    event.set_followers(1);
    return event;
  }

  void watch(const std::vector<uint16_t>& ports,
             node_watcher_config config = {}) {
    for (auto port : ports)
      config.nodes.push_back({"host", port});
    config.connect = [this] {
      ++w->connectors;
      return sys.spawn(play_watch_connector, w);
    };
    aut = sys.spawn(node_watcher, config, board);
    sched.run();
  }
  void pass(milliseconds time) {
    for (auto t = milliseconds{0}; t < time; t += milliseconds{25}) {
      sched.advance_time(milliseconds{25});
      sched.run();
    }
  }

  /// What was reported since the last call, as "node_up n1".
  std::vector<std::string> news() {
    std::vector<std::string> result;
    for (const auto& e : std::exchange(events, {})) {
      last = e;
      auto name = e.node.name.empty() ? to_string(e.node.where) : e.node.name;
      result.push_back(to_string(e.what) + " " + name
                       + (e.child.name.empty() ? "" : " " + e.child.name));
    }
    return result;
  }

  watch_world_ptr w;
  std::shared_ptr<watch_board> board;
  watching_actor aut;
  std::vector<node_event> events;
  /// The last event that `news` has told.
  node_event last;
};

} // namespace covey::client::test
