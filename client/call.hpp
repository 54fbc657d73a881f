// A request on its way to a node, and what became of it.

#pragma once

#include "messages/client.pb.h"
#include "messages/errors.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace covey::client {

using request_body
  = std::variant<wire::PutRequest, wire::GetRequest, wire::ScanRequest,
                 wire::StatusRequest, wire::RingRequest, wire::RepairRequest>;

/// In the order of `request_body`, after the alternative for "no reply".
using reply_body = std::variant<std::monostate, wire::PutReply, wire::GetReply,
                                wire::ScanReply, wire::StatusReply,
                                wire::RingReply, wire::RepairReply>;

struct outcome {
  errc code = errc::none;
  std::string text;
  /// On an error: whether the write may have happened, at any attempt.
  bool maybe_written = false;
  reply_body reply;
};

/// Of the operator, about the node itself: sent alone, whatever the load is.
inline bool is_about_node(const request_body& request) {
  return std::holds_alternative<wire::StatusRequest>(request)
         || std::holds_alternative<wire::RingRequest>(request)
         || std::holds_alternative<wire::RepairRequest>(request);
}

inline size_t size_of(const request_body& request) {
  return std::visit(
    [](const auto& x) {
      return x.ByteSizeLong();
    },
    request);
}

struct hedged_get;

/// The router sets `id` and `deadline_us` of the request.
struct call {
  request_body request;
  caf::actor_clock::time_point deadline;
  /// How often it may be sent again after an error that makes this safe.
  uint32_t retries = 0;
  /// Called exactly once, on the router's thread; must not block.
  std::function<void(outcome&)> done;

  // Kept by the router.
  size_t bytes = 0;
  caf::actor_clock::time_point submitted;
  caf::actor_clock::time_point sent;
  uint32_t attempts = 0;
  bool maybe_written = false;
  caf::actor_clock::time_point not_before;
  /// Sessions that were tried.
  std::vector<uint32_t> tried;
  /// Gets of the same that get this one's answer.
  std::vector<call> joined;
  /// This is one of the copies of a get (client/hedge.hpp).
  std::shared_ptr<hedged_get> hedged;

  bool is_write() const {
    return std::holds_alternative<wire::PutRequest>(request);
  }
  bool was_tried(uint32_t session) const {
    return std::find(tried.begin(), tried.end(), session) != tried.end();
  }
};

} // namespace covey::client

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(covey::client::call)
