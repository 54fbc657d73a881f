// What the gateway admits: validation, and the limits of the node and of each
// client.

#include "actors/gateway.hpp"

#include <algorithm>

namespace covey {

namespace {

/// A hundred years: longer ones are the same, and must not wrap around.
constexpr uint64_t max_ttl_ms = 100ull * 365 * 86'400 * 1000;
/// Of a context: far above what bounded clocks need.
constexpr size_t max_context_bytes = 64 * 1024;
/// What a read holds while it is under way, in sizes of its answer: a record of
/// each home of a QUORUM of three, and the values for the client.
constexpr uint64_t copies_of_a_read = 3;
/// A client with less than this under way is served even if others have left no
/// room: those that take their answers are not to wait for those that do not.
constexpr uint64_t always_under_way = 64 * 1024;

} // namespace

errc gateway_state::check(client_op& op, const std::string& keyspace,
                          std::string& text) {
  auto now_us = node->wall_us();
  const auto* ks = view->find_keyspace(keyspace);
  if (ks == nullptr) {
    text = "there is no keyspace " + keyspace.substr(0, 64);
    return errc::unknown_keyspace;
  }
  op.keyspace = core::keyspace_id(keyspace);
  if (op.verb != client_verb::scan && op.key.empty())
    return errc::empty_key;
  if (op.key.size() > config.max_key_bytes) {
    text = std::to_string(op.key.size()) + " bytes, the limit is "
           + std::to_string(config.max_key_bytes);
    return errc::key_too_large;
  }
  if (op.verb == client_verb::scan && op.value.size() > config.max_key_bytes) {
    text = "no key begins with " + std::to_string(op.value.size())
           + " bytes, the limit is " + std::to_string(config.max_key_bytes);
    return errc::key_too_large;
  }
  if (op.value.size() > config.max_value_bytes) {
    text = std::to_string(op.value.size()) + " bytes, the limit is "
           + std::to_string(config.max_value_bytes);
    return errc::value_too_large;
  }
  if (op.context.size() > max_context_bytes) {
    text = "it is longer than any context of ours";
    return errc::bad_context;
  }
  if (op.level.level > core::consistency_level::number
      || (op.level.level == core::consistency_level::number
          && op.level.count == 0)) {
    text = "no such consistency level";
    return errc::unknown_level;
  }
  if (op.quorum > core::quorum_kind::strict) {
    text = "a write is sloppy or strict";
    return errc::unknown_level;
  }
  if (op.deadline_us == 0)
    op.deadline_us = now_us + config.default_timeout_us;
  if (op.deadline_us < now_us)
    return errc::deadline_expired;
  op.deadline_us = std::min(op.deadline_us, now_us + config.max_timeout_us);
  if (draining)
    return errc::shutting_down;
  if (op.verb == client_verb::put) {
    if (op.expires_at_ms == 0 && ks->default_ttl_s != 0)
      op.expires_at_ms = now_us / 1000 + ks->default_ttl_s * 1000;
    if (!op.request)
      op.request = {random(), random()};
  }
  return errc::none;
}

std::string gateway_state::crowded(const client_op& op,
                                   const session* from) const {
  if (table.size() >= load.limit() && load.limit() < config.max_requests)
    return "the node answers too slowly to answer this one in time, too";
  if (table.size() >= config.max_requests)
    return "the node has as many requests as it may: limits.inflight-requests";
  if (bytes_in_flight > config.max_bytes)
    return "the node has as many bytes of requests as it may: "
           "limits.inflight-mb";
  if (from != nullptr && from->in_flight >= config.client_credit)
    return "this client has as many requests in flight as it may: "
           "limits.client-inflight-requests";
  // So that what a client is told, too, has a bound.
  if (from != nullptr && !from->window.admits(from->out.size() + 1)) {
    ++node->counters.client_answers_refused;
    return "this client has not taken its answers: limits.client-answer-mb";
  }
  return op.verb == client_verb::put ? std::string{} : crowded_reads(op, from);
}

std::string gateway_state::crowded_reads(const client_op& op,
                                         const session* from) const {
  auto page_bytes = op.max_bytes;
  const auto& budget = *node->answers;
  auto expected = copies_of_a_read * reads.expected(average, page_bytes);
  if (reads.any() && expected > budget.limit()) {
    ++node->counters.answers_refused;
    return "the answers under way in the node would be more bytes than they "
           "may: limits.answers-mb";
  }
  if (from == nullptr)
    return {};
  expected = from->out.size() + from->reads.expected(average, page_bytes);
  if (from->reads.any() && !from->window.fits(expected)) {
    ++node->counters.client_answers_refused;
    return "the answers under way to this client would be more bytes than they "
           "may: limits.client-answer-mb";
  }
  const auto& all = *node->answers_under_way;
  if (from->window.under_way() > always_under_way && !all.admits(expected)) {
    ++node->counters.client_answers_refused;
    return "the answers under way to all clients are as many bytes as they "
           "may: limits.answers-mb";
  }
  return {};
}

void gateway_state::fill(wire::PutRequest& in, client_op& out) {
  out.verb = client_verb::put;
  out.key = std::move(*in.mutable_key());
  out.value = std::move(*in.mutable_value());
  out.context = std::move(*in.mutable_context());
  out.tombstone = in.tombstone();
  if (out.tombstone)
    out.value.clear();
  out.request = {in.request_high(), in.request_low()};
  out.deadline_us = in.deadline_us();
  out.level.level
    = static_cast<core::consistency_level>(std::min(in.level(), 0xffu));
  out.level.count = in.level_count();
  out.quorum = static_cast<core::quorum_kind>(std::min(in.quorum(), 0xffu));
  if (in.ttl_ms() > 0)
    out.expires_at_ms
      = node->wall_us() / 1000 + std::min<uint64_t>(in.ttl_ms(), max_ttl_ms);
}

void gateway_state::fill(wire::GetRequest& in, client_op& out) {
  out.verb = client_verb::get;
  out.key = std::move(*in.mutable_key());
  out.deadline_us = in.deadline_us();
  out.level.level
    = static_cast<core::consistency_level>(std::min(in.level(), 0xffu));
  out.level.count = in.level_count();
}

void gateway_state::fill(wire::ScanRequest& in, client_op& out) {
  out.verb = client_verb::scan;
  out.key = std::move(*in.mutable_after_key());
  out.slot = static_cast<uint16_t>(
    std::min<uint32_t>(in.slot(), core::slot_count - 1));
  if (in.end_slot() > out.slot && in.end_slot() < core::slot_count)
    out.last_slot = static_cast<uint16_t>(in.end_slot() - 1);
  out.value = std::move(*in.mutable_prefix());
  out.max_bytes = std::clamp(in.max_bytes(), 1u, config.max_page_bytes);
  out.level.level
    = static_cast<core::consistency_level>(std::min(in.level(), 0xffu));
  out.level.count = in.level_count();
  out.deadline_us = in.deadline_us();
}

} // namespace covey
