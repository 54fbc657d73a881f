// The actor of a watcher: one connection to each node, kept and made anew.

#pragma once

#include "client/node_watch.hpp"
#include "core/epoch.hpp"
#include "messages/handles.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace covey::client {

/// What the actor shares with whoever owns the watcher.
struct watch_board {
  node_callback on_event;
  std::atomic<bool> cancelled{false};
  std::mutex mutex;
  std::vector<watched_node> nodes;
  size_t left_out = 0;
};

struct node_watcher_config {
  std::vector<node_address> nodes;
  bool all_members = true;
  std::string agent = "covey";
  uint64_t seed = 0;
  size_t max_nodes = max_watched_nodes;
  std::chrono::milliseconds silence{1500};
  /// From an answer to the next question.
  std::chrono::milliseconds ask_every{300};
  std::chrono::milliseconds dial_timeout{1600};
  std::chrono::milliseconds hello_timeout{1000};
  std::chrono::milliseconds back_off_least{50};
  std::chrono::milliseconds back_off_most{500};
  std::chrono::milliseconds tick{50};
  /// One for each node; ended with the watcher.
  std::function<connector_actor()> connect;
};

using watching_actor = node_watcher_actor::extend<caf::reacts_to<tick_atom>>;

class node_watcher_state {
public:
  static inline constexpr const char* name = "client-watcher";

  explicit node_watcher_state(watching_actor::pointer self) : self_(self) {}

  void start(node_watcher_config config, std::shared_ptr<watch_board> board);
  void on_state(const wire::NodeState& state);
  void on_child(const wire::ChildEvent& event);
  void on_down(const caf::down_msg& down);
  void on_tick();
  void close();

private:
  using time_point = caf::actor_clock::time_point;

  struct link {
    enum class phase : uint8_t { resting, dialing, greeting, watching };

    link(const node_address& where, std::string called)
      : node(where, std::move(called)) {}

    uint64_t id = 0;
    node_watch node;
    /// By the user; others were learnt.
    bool given = false;
    phase now = phase::resting;
    connector_actor connector;
    /// Answers to older attempts are stale.
    uint64_t attempt = 0;
    uint32_t failures = 0;
    time_point rest_until;
    supervisor_actor supervisor;
    /// Of the question that is open; 0: none is.
    uint64_t nonce = 0;
    time_point asked_at;
  };

  time_point now() const;
  void add_link(const node_address& where, const std::string& node, bool given);
  void drop(const link& x);
  link* find(uint64_t id);
  /// Whose supervisor sent the message that is being handled.
  link* sender();
  void dial(link& x);
  void ask(link& x, bool first);
  void greeted(link& x, const wire::NodeState& state);
  /// False if `x` is one more way to a node that is watched already.
  bool only_way(const link& x, const std::string& node);
  void failed(link& x, const std::string& reason);
  void learn(const wire::NodeState& state);
  /// Shows what changed, then reports the events.
  void publish();

  watching_actor::pointer self_;
  node_watcher_config config_;
  std::shared_ptr<watch_board> board_;
  std::mt19937_64 rng_;
  std::vector<std::unique_ptr<link>> links_;
  uint64_t last_link_ = 0;
  /// Of the members that are known.
  core::epoch_id epoch_{0, 0};
  size_t left_out_ = 0;
  time_point last_tick_;
  node_watch::events events_;
  bool changed_ = false;
};

/// Spawn with `sys.spawn(node_watcher, config, board)`; ends with exit_msg.
watching_actor::behavior_type
node_watcher(watching_actor::stateful_pointer<node_watcher_state> self,
             node_watcher_config config,
             const std::shared_ptr<watch_board>& board);

} // namespace covey::client
