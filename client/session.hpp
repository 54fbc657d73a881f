// The client's end of a dialogue with one node at a time.

#pragma once

#include "client/address.hpp"
#include "client/call.hpp"
#include "messages/burst.hpp"
#include "messages/handles.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace covey::client {

/// Version of the dialogue in messages/client.proto.
inline constexpr uint32_t protocol_version = 1;

using session_actor
  = client_session_actor::extend<caf::reacts_to<call>, caf::reacts_to<go_atom>,
                                 caf::reacts_to<tick_atom>>;

struct session_config {
  /// Tried in this order, round and round; at least one.
  std::vector<node_address> nodes;
  /// Program and version, for the node's log.
  std::string agent = "covey";
  uint64_t seed = 0;
  std::chrono::milliseconds dial_timeout{1500};
  std::chrono::milliseconds hello_timeout{1000};
  /// Between rounds through all nodes, and between repetitions of a request.
  std::chrono::milliseconds back_off_least{50};
  std::chrono::milliseconds back_off_most{2000};
  /// Sweep; runs only while there is something to wait for.
  std::chrono::milliseconds tick{20};
  /// At most one move to another node in this time because of `unavailable`.
  std::chrono::milliseconds move_pause{1000};
  /// Calls that wait for credit or for a connection; more are `overloaded`.
  size_t max_waiting = 16'384;
  size_t max_waiting_bytes = 64 << 20;
  size_t max_burst_bytes = 256 << 10;
};

class session_state {
public:
  static inline constexpr const char* name = "client-session";

  explicit session_state(session_actor::pointer self) : self_(self) {}

  void start(session_config config, connector_actor connector);
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

  enum class phase { resting, dialing, greeting, up };

  time_point now() const;
  const node_address& node() const;

  // -- connecting (session_connect.cpp) --
  void connect();
  void greet(const supervisor_actor& supervisor);
  void failed(const std::string& reason);
  void disconnect();
  void lose(const std::string& reason);
  void leave();
  std::string failure_text() const;

  // -- calls (session_calls.cpp) --
  void gather();
  void enqueue(call&& c);
  void send_burst(std::string& burst);
  void tell_taken(std::string& burst);
  void dispatch(std::string& burst, call&& c);
  void stamp(request_body& request, uint64_t id, time_point deadline) const;
  template <class Request, class Reply>
  void ask(uint64_t id, const Request& request, time_point deadline);
  template <class Reply>
  void take_frame(std::string_view bytes);
  template <class Reply>
  void take(Reply&& reply);
  void settle(call&& c, outcome&& o);
  void expire(call&& c);
  void sweep();
  void arm();

  session_actor::pointer self_;
  session_config config_;
  connector_actor connector_;
  std::mt19937_64 rng_;

  phase phase_ = phase::resting;
  size_t node_index_ = 0;
  /// Answers to older attempts are stale.
  uint64_t attempt_ = 0;
  /// Failed attempts since a node last did something for us.
  uint32_t failures_ = 0;
  std::vector<std::string> reasons_;
  time_point rest_until_;
  time_point hello_sent_;
  time_point moved_;
  supervisor_actor supervisor_;
  gateway_actor gateway_;
  /// The node's clock showed `server_us_` when ours showed `server_at_`.
  uint64_t server_us_ = 0;
  time_point server_at_;
  size_t credit_ = 0;
  /// Bytes of bursts since the welcome, and what the node was told of them.
  uint64_t taken_ = 0;
  uint64_t told_ = 0;
  /// Why nothing more is sent here, if so: the session goes on to the next node
  /// when all is answered.
  std::string leaving_;

  uint64_t last_id_ = 0;
  std::deque<call> waiting_;
  size_t waiting_bytes_ = 0;
  /// Calls in their back-off.
  std::vector<call> resting_;
  std::unordered_map<uint64_t, call> in_flight_;
  /// No deadline is earlier.
  time_point next_deadline_ = time_point::max();
  bool go_sent_ = false;
  bool ticking_ = false;
};

/// Spawn with `sys.spawn(session, config, connector)`; ends with exit_msg.
session_actor::behavior_type
session(session_actor::stateful_pointer<session_state> self,
        session_config config, connector_actor connector);

} // namespace covey::client
