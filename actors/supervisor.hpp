// The supervisor: starts the actors of a node in order, and restarts them.

#pragma once

#include "actors/node_context.hpp"
#include "core/restart_limit.hpp"
#include "messages/handles.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace covey {

/// The children started so far, in order.
using started_children = std::vector<caf::strong_actor_ptr>;

struct child_spec {
  enum class kind : uint8_t { plain, shard, keeper, gateway, link, ticker };

  std::string name;
  kind role = kind::plain;
  /// Its crash ends the process: its memory may disagree with the disk.
  bool essential = false;
  /// Members only of links: whom it leads to.
  core::member_index peer = 0;
  std::function<caf::strong_actor_ptr(const started_children& earlier)> start;
  /// Holds a view, and is given each new one.
  bool holds_view = false;
};

struct supervisor_config {
  /// In order; a child uses only handles of earlier ones.
  std::vector<child_spec> children;
  /// The link to a member that an epoch adds; links stand before the ticker.
  std::function<child_spec(core::member_index)> make_link;
  uint32_t restarts = 5;
  uint64_t window_ms = 60'000;
  caf::timespan drain_timeout = std::chrono::seconds(10);
  /// Programs outside that may be subscribed at once; more are `overloaded`.
  size_t max_watchers = 64;
  /// Called when the node cannot go on, with one line saying why.
  std::function<void(const std::string& why)> give_up;
};

/// Restarts are rest-for-one: a crashed child and all after it are started
/// anew, so that handles given at spawn stay true. Epochs that come while the
/// node runs are told to all that hold a view, in the order of their start.
struct supervisor_state {
  explicit supervisor_state(local_supervisor_actor::pointer ptr) : self(ptr) {}

  void start_from(size_t i);
  void stop_from(size_t i);
  void end_child(const caf::strong_actor_ptr& child);
  void child_down(const caf::down_msg& msg);
  void end_node(wire::ChildEvent&& event, const std::string& why);
  void drain();
  void drain_shards();
  // supervisor_epoch.cpp
  /// Has the node go on with `next`, unless it knows a later one.
  void adopt(const epoch_ptr& next);
  /// Starts and stops links, so that there is one to each other member. The
  /// ticker wakes what it was given when it started, so it starts anew.
  void renew_links(const core::cluster_view& view);
  void greet(wire::PeerHello& in);
  template <class Handle>
  Handle find(child_spec::kind role, core::member_index peer = 0) const {
    for (size_t i = 0; i < children.size(); ++i)
      if (config.children[i].role == role && config.children[i].peer == peer)
        return caf::actor_cast<Handle>(children[i]);
    return {};
  }

  // -- whoever watches (supervisor_watch.cpp) --
  wire::Children list_children() const;
  void watch(const wire::WatchRequest& in);
  /// Tells all subscribers.
  void tell(const wire::ChildEvent& event);

  local_supervisor_actor::pointer self;
  supervisor_config config;
  node_context_ptr node;
  started_children children;
  std::vector<uint32_t> restarts;
  core::restart_limit limit{0, 0};
  std::map<caf::actor_addr, node_watcher_actor> watchers;
  bool stopping = false;
  size_t undrained = 0;
  bool all_clean = true;
  caf::typed_response_promise<bool> drained;

  static inline constexpr const char* name = "supervisor";
};

/// Spawn with `sys.spawn(supervisor, config, node)`.
local_supervisor_actor::behavior_type
supervisor(local_supervisor_actor::stateful_pointer<supervisor_state> self,
           const supervisor_config& config, const node_context_ptr& node);

} // namespace covey
