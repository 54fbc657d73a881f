// The client's actor: sends each request to a node that holds its key.

#pragma once

#include "client/address.hpp"
#include "client/call.hpp"
#include "client/cluster_view.hpp"
#include "client/node_session.hpp"
#include "client/retry_budget.hpp"
#include "messages/burst.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace covey::client {

/// Version of the dialogue in messages/client.proto.
inline constexpr uint32_t protocol_version = 1;

using router_actor
  = client_session_actor::extend<caf::reacts_to<call>, caf::reacts_to<go_atom>,
                                 caf::reacts_to<tick_atom>>;

struct router_config {
  /// Where to begin, in this order, round and round; at least one.
  std::vector<node_address> nodes;
  /// Learn the ring, and go to the homes; otherwise only to `nodes`, one at a
  /// time.
  bool by_slot = true;
  /// Homes here come first.
  std::string data_centre;
  /// Refuse here what an overloaded node would refuse anyway.
  bool hold_back = true;
  /// Program and version, for the nodes' logs.
  std::string agent = "covey";
  uint64_t seed = 0;
  std::chrono::milliseconds dial_timeout{1500};
  std::chrono::milliseconds hello_timeout{1000};
  /// Between attempts at a node, and between repetitions of a request.
  std::chrono::milliseconds back_off_least{50};
  std::chrono::milliseconds back_off_most{2000};
  /// Whatever is due together within this time is seen to at once.
  std::chrono::milliseconds tick{20};
  /// A node that answered `unavailable` comes last for this long.
  std::chrono::milliseconds avoidance{1000};
  /// A get goes to a second home too, after this long at least; 0: never.
  std::chrono::milliseconds hedge_after{50};
  /// Requests that a node gets before it has answered any.
  size_t first_window = 1;
  /// A request that was given up is taken to fill the node's sockets until it
  /// is answered, or for this long.
  std::chrono::milliseconds overdue_patience{10'000};
  /// Calls that wait for credit or for a connection; more are `overloaded`.
  size_t max_waiting = 16'384;
  size_t max_waiting_bytes = 64 << 20;
  size_t max_burst_bytes = 256 << 10;
};

class router_state {
public:
  static inline constexpr const char* name = "client-router";

  explicit router_state(router_actor::pointer self) : self_(self) {}

  void start(router_config config, connector_actor connector);
  void submit(call& c);
  void flush();
  void on_welcome(const wire::ClientWelcome& welcome);
  void on_burst(const std::string& burst);
  void on_tick();
  void on_down(const caf::down_msg& down);
  /// Ends every call with `shutting_down`.
  void close();

private:
  using time_point = caf::actor_clock::time_point;
  using phase = node_session::phase;

  time_point now() const;

  // -- routing (router_routing.cpp) --
  node_session* choose(const call& c);
  std::vector<node_session*> homes_of(const call& c);
  void want(node_session& s);
  /// Puts `c` into the queue of a session, or among those that wait for one.
  void route(call&& c);
  void enqueue(node_session& s, call&& c);
  void route_all(std::deque<call>&& calls);
  /// `c` is about to be in a queue.
  void note_waiting(const call& c);
  /// `c` is in no queue any more.
  void left(const call& c);
  void learn(const wire::ClientWelcome& welcome);
  node_session* session_of(const core::member& m);

  // -- connecting (router_sessions.cpp) --
  node_session& add_session(const node_address& where);
  node_session* find(uint32_t id);
  node_session* sender();
  /// None takes requests, or is on its way to.
  bool alone() const;
  /// If so, dials the next one in turn.
  void seek();
  void dial(node_session& s);
  void greet(node_session& s, const supervisor_actor& supervisor);
  void say_hello(node_session& s);
  void failed(node_session& s, const std::string& reason);
  void disconnect(node_session& s);
  void lose(node_session& s, const std::string& reason);
  /// Has something besides `s` to go to.
  void look_beyond(const node_session& s);
  std::string failure_text() const;

  // -- calls (router_calls.cpp) --
  void gather();
  void flush(node_session& s);
  void send_burst(node_session& s);
  void tell_taken(node_session& s);
  void dispatch(node_session& s, call&& c);
  bool held_back(node_session& s, const call& c);
  bool join(node_session& s, call& c);
  void stamp(const node_session& s, request_body& request, uint64_t id,
             time_point deadline) const;
  template <class Request, class Reply>
  void ask(node_session& s, uint64_t id, const Request& request,
           time_point deadline);
  template <class Reply>
  void take_frame(node_session& s, std::string_view bytes);
  template <class Reply>
  void take(node_session& s, Reply&& reply);

  // -- ends (router_ends.cpp) --
  void settle(call&& c, outcome&& o, const node_session* by);
  /// False if `c` is a copy of a hedged get that another one answers or has
  /// answered; else it becomes the get itself.
  bool decides(call& c, const outcome& o, const node_session* by);
  /// True if it is repeated.
  bool repeat(call& c, const outcome& o, const node_session* by);
  /// A callback that throws would take the calls of all others with it.
  void finish(call&& c, outcome&& o) noexcept;
  /// Answers a call for an overloaded node, unsent.
  void refuse(const node_session& s, call&& c);
  /// Evenly from [0, 1).
  double draw();
  /// A call that was sent has ended; `served`: with an answer that is no
  /// refusal.
  void note_end(node_session& s, const call& c, bool served);
  void note_success(node_session& s, const call& c);
  void expire(call&& c, const node_session* at);
  void sweep();
  void arm();

  // -- second homes for slow gets (router_hedges.cpp) --
  bool may_hedge(const call& c) const;
  /// `c` is about to be sent, and in flight at `s` afterwards.
  void note_sent(const call& c);
  void hedge();
  void hedge_at(node_session& other, call& c, const node_session& first);
  node_session* second_home(const call& c, const node_session& first);
  /// `by` has answered a get first: those asked before it that have done
  /// nothing since come last for a while.
  void note_overtaken(const call& c, const node_session& by);
  const core::member* member_of(const node_session& s) const;

  router_actor::pointer self_;
  router_config config_;
  connector_actor connector_;
  std::mt19937_64 rng_;
  retry_budget budget_;

  /// The configured nodes first; never fewer than these.
  std::vector<std::unique_ptr<node_session>> sessions_;
  std::unordered_map<caf::actor_addr, node_session*> by_gateway_;
  uint32_t last_session_ = 0;
  /// Whose turn it is when none is up, and how many turns have failed.
  size_t turn_ = 0;
  uint32_t failed_turns_ = 0;
  time_point rest_until_;
  std::unique_ptr<cluster_view> view_;
  /// By member of the view.
  std::vector<node_session*> of_member_;

  uint64_t last_id_ = 0;
  /// Calls without a session to go to.
  std::deque<call> waiting_;
  /// Calls here and in queues of sessions, and their bytes.
  size_t waiting_calls_ = 0;
  size_t waiting_bytes_ = 0;
  /// Calls in their back-off.
  std::vector<call> resting_;
  /// What the burst being made holds, and its gets by hash.
  std::string burst_;
  std::unordered_map<uint64_t, uint64_t> burst_gets_;
  /// No deadline is earlier.
  time_point next_deadline_ = time_point::max();
  /// No get is to be hedged earlier.
  time_point next_hedge_ = time_point::max();
  bool go_sent_ = false;
  time_point tick_due_ = time_point::max();
  /// The newest epoch that was asked for.
  core::epoch_id asked_;
};

/// Spawn with `sys.spawn(router, config, connector)`; ends with exit_msg.
router_actor::behavior_type
router(loop_pointer<router_actor, router_state> self, router_config config,
       connector_actor connector);

} // namespace covey::client
