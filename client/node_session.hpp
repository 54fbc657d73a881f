// The client's end of its dialogue with one node: what the router keeps of it.

#pragma once

#include "client/address.hpp"
#include "client/call.hpp"
#include "client/send_window.hpp"
#include "client/throttle.hpp"
#include "core/usual_latency.hpp"
#include "messages/handles.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace covey::client {

struct node_session {
  using time_point = caf::actor_clock::time_point;

  enum class phase : uint8_t { resting, dialing, greeting, up };

  bool connecting() const {
    return now == phase::dialing || now == phase::greeting;
  }
  bool usable() const {
    return now == phase::up && leaving.empty();
  }
  /// How many may be in flight.
  size_t room() const {
    return paced ? std::min(credit, window.size()) : credit;
  }
  /// How many the node has of ours, and its sockets.
  size_t under_way() const {
    return in_flight.size() + (paced ? overdue.size() : 0);
  }
  bool has_room() const {
    return under_way() + queue.size() < room();
  }
  bool silent(time_point t) const {
    return paced && overload.silent(t);
  }
  /// What joins the queue now would be answered too late.
  bool crowded() const {
    return paced && window.late() && queue.size() >= window.size();
  }

  uint32_t id = 0;
  node_address where;
  /// A home of something that was asked for: it is dialled again and again.
  bool wanted = false;
  phase now = phase::resting;
  /// Answers to older attempts are stale.
  uint64_t attempt = 0;
  /// Failed attempts since the node last did something for us.
  uint32_t failures = 0;
  /// Why the last attempt failed.
  std::string reason;
  time_point rest_until;
  time_point hello_sent;
  uint64_t nonce = 0;
  /// Greeted again while up, for its clock or its epoch.
  bool renewing = false;
  supervisor_actor supervisor;
  gateway_actor gateway;
  /// As the node calls itself.
  std::string name;
  /// The node's clock showed `server_us` when ours showed `server_at`.
  uint64_t server_us = 0;
  time_point server_at;
  size_t credit = 0;
  /// Bytes of bursts since the welcome, and what the node was told of them.
  uint64_t taken = 0;
  uint64_t told = 0;
  /// Held back by what `overload` and `window` have learnt.
  bool paced = true;
  throttle overload;
  send_window window;
  /// How long its gets take that succeed.
  core::usual_latency usual_get;
  time_point last_success;
  /// It answered `unavailable`, or nothing: others come first until then.
  time_point avoid_until;
  /// Why nothing more is sent, if so: the session rests once all is answered.
  std::string leaving;
  /// Calls to be sent here.
  std::deque<call> queue;
  std::unordered_map<uint64_t, call> in_flight;
  /// Calls that have ended, and that the node has not answered yet; until when
  /// an answer is expected.
  std::unordered_map<uint64_t, time_point> overdue;
};

} // namespace covey::client
