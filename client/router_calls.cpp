// Calls: sent in bursts, answered.

#include "client/router.hpp"

#include <algorithm>

namespace covey::client {

namespace {

template <class Request>
constexpr frame_kind kind_of() {
  if constexpr (std::is_same_v<Request, wire::PutRequest>)
    return frame_kind::put_request;
  else if constexpr (std::is_same_v<Request, wire::GetRequest>)
    return frame_kind::get_request;
  else
    return frame_kind::scan_request;
}

// Room for the kind and the length of a frame.
constexpr size_t frame_overhead = 11;

// The node is told of bytes taken, without anything else to send, after this
// many.
constexpr uint64_t bytes_per_word = 256 << 10;

// A deadline that a node thinks has passed this long before it has.
constexpr auto clock_slack = std::chrono::milliseconds{250};

bool same(const wire::GetRequest& x, const wire::GetRequest& y) {
  return x.key() == y.key() && x.keyspace() == y.keyspace()
         && x.level() == y.level() && x.level_count() == y.level_count();
}

template <class Reply>
core::epoch_id epoch_of(const Reply& reply) {
  if constexpr (std::is_same_v<
                  Reply,
                  wire::PutReply> || std::is_same_v<Reply, wire::GetReply>)
    return {reply.epoch_generation(), reply.epoch_number()};
  else
    return {};
}

} // namespace

void router_state::flush(node_session& s) {
  if (s.now == phase::up && !s.leaving.empty()) {
    route_all(std::exchange(s.queue, {}));
    if (s.in_flight.empty())
      failed(s, "answers: " + std::string{s.leaving});
    return;
  }
  if (!s.usable())
    return;
  auto t = now();
  while (!s.queue.empty() && s.under_way() < s.room()) {
    auto c = std::move(s.queue.front());
    s.queue.pop_front();
    left(c);
    if (c.deadline <= t)
      expire(std::move(c), &s);
    else if (s.paced && s.window.hopeless(t, c.deadline - t))
      refuse(s, std::move(c));
    else
      dispatch(s, std::move(c));
  }
  if (s.taken >= s.told + bytes_per_word)
    tell_taken(s);
  send_burst(s);
}

void router_state::send_burst(node_session& s) {
  if (!burst_.empty())
    self_->send(s.gateway, burst_atom::value, std::move(burst_));
  burst_.clear();
  burst_gets_.clear();
}

void router_state::tell_taken(node_session& s) {
  if (s.told == s.taken)
    return;
  wire::Taken message;
  message.set_bytes(s.taken);
  append_frame(burst_, frame_kind::taken, message);
  s.told = s.taken;
}

bool router_state::held_back(node_session& s, const call& c) {
  // Whoever asks how an overloaded node is needs the answer.
  if (!s.paced || is_about_node(c.request))
    return false;
  return !s.overload.admits(now(), draw());
}

void router_state::dispatch(node_session& s, call&& c) {
  if (held_back(s, c)) {
    refuse(s, std::move(c));
    return;
  }
  if (join(s, c))
    return;
  auto id = ++last_id_;
  c.sent = now();
  note_sent(c);
  stamp(s, c.request, id, c.deadline);
  if (auto* x = std::get_if<wire::StatusRequest>(&c.request)) {
    ask<wire::StatusRequest, wire::StatusReply>(s, id, *x, c.deadline);
  } else if (auto* y = std::get_if<wire::RingRequest>(&c.request)) {
    ask<wire::RingRequest, wire::RingReply>(s, id, *y, c.deadline);
  } else if (auto* z = std::get_if<wire::KeyspaceRequest>(&c.request)) {
    ask<wire::KeyspaceRequest, wire::KeyspaceReply>(s, id, *z, c.deadline);
  } else if (auto* r = std::get_if<wire::RepairRequest>(&c.request)) {
    ask<wire::RepairRequest, wire::RepairReply>(s, id, *r, c.deadline);
  } else {
    std::visit(
      [&](const auto& request) {
        if (burst_.size() + request.ByteSizeLong() + frame_overhead
            > config_.max_burst_bytes)
          send_burst(s);
        if (burst_.empty())
          tell_taken(s);
        append_frame(burst_, kind_of<std::decay_t<decltype(request)>>(),
                     request);
      },
      c.request);
  }
  if (auto* get = std::get_if<wire::GetRequest>(&c.request); get && !c.hedged)
    burst_gets_[std::hash<std::string>{}(get->key())] = id;
  s.in_flight.emplace(id, std::move(c));
}

bool router_state::join(node_session& s, call& c) {
  auto* get = std::get_if<wire::GetRequest>(&c.request);
  if (get == nullptr || c.hedged || burst_gets_.empty())
    return false;
  auto i = burst_gets_.find(std::hash<std::string>{}(get->key()));
  if (i == burst_gets_.end())
    return false;
  // What is in this burst has not been sent yet, so that its answer is no older
  // than this call.
  auto& first = s.in_flight.at(i->second);
  // It ends with that one's deadline, so that its own must be about the same.
  if (!same(*get, std::get<wire::GetRequest>(first.request))
      || c.deadline < first.deadline
      || c.deadline > first.deadline + config_.tick)
    return false;
  first.joined.push_back(std::move(c));
  return true;
}

void router_state::stamp(const node_session& s, request_body& request,
                         uint64_t id, time_point deadline) const {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  // The node's own "timed out" says more than ours: leave it time to arrive.
  auto left = duration_cast<microseconds>(deadline - now());
  auto margin = std::min(left / 10, microseconds{50'000});
  auto at = duration_cast<microseconds>(deadline - s.server_at) - margin;
  auto deadline_us = s.server_us + static_cast<uint64_t>(at.count());
  std::visit(
    [&](auto& x) {
      using type = std::decay_t<decltype(x)>;
      x.set_id(id);
      if constexpr (
        !std::is_same_v<
          type,
          wire::
            StatusRequest> && !std::is_same_v<type, wire::RingRequest> && !std::is_same_v<type, wire::RepairRequest>)
        x.set_deadline_us(deadline_us);
    },
    request);
}

template <class Request, class Reply>
void router_state::ask(node_session& s, uint64_t id, const Request& request,
                       time_point deadline) {
  // Without an answer the sweep ends the call, at the same deadline.
  self_->request(s.gateway, caf::timespan{deadline - now()}, request)
    .then(
      [this, id, where = s.id](Reply& reply) {
        reply.set_id(id);
        if (auto* found = find(where))
          take(*found, std::move(reply));
        flush();
      },
      [this, id, where = s.id](const caf::error& err) {
        auto* found = find(where);
        if (found == nullptr || err == caf::sec::request_timeout)
          return;
        auto i = found->in_flight.find(id);
        if (i == found->in_flight.end())
          return;
        auto c = std::move(i->second);
        found->in_flight.erase(i);
        outcome o;
        o.code = errc::unavailable;
        o.text = to_string(found->where) + ": " + to_string(err);
        settle(std::move(c), std::move(o), found);
        flush();
      });
}

void router_state::on_burst(const std::string& burst) {
  auto* s = sender();
  if (s == nullptr)
    return;
  s->taken += burst.size();
  burst_reader reader{burst};
  frame_kind kind;
  std::string_view bytes;
  while (reader.next(kind, bytes)) {
    switch (kind) {
      case frame_kind::put_reply:
        take_frame<wire::PutReply>(*s, bytes);
        break;
      case frame_kind::get_reply:
        take_frame<wire::GetReply>(*s, bytes);
        break;
      case frame_kind::scan_reply:
        take_frame<wire::ScanReply>(*s, bytes);
        break;
      default:
        break;
    }
  }
  if (reader.ok())
    gather();
  else
    lose(*s, "the node sent damaged bytes");
}

template <class Reply>
void router_state::take_frame(node_session& s, std::string_view bytes) {
  // A frame that does not parse names nobody: its call ends at its deadline.
  Reply reply;
  if (parse(bytes, reply))
    take(s, std::move(reply));
}

template <class Reply>
void router_state::take(node_session& s, Reply&& reply) {
  auto i = s.in_flight.find(reply.id());
  // Unknown ids are answers to calls that have ended.
  if (i == s.in_flight.end()) {
    s.overdue.erase(reply.id());
    return;
  }
  auto c = std::move(i->second);
  s.in_flight.erase(i);
  outcome o;
  o.code = static_cast<errc>(reply.code());
  o.text = reply.text();
  if constexpr (std::is_same_v<std::decay_t<Reply>, wire::PutReply>)
    o.maybe_written = o.code != errc::none && reply.maybe_written();
  auto epoch = epoch_of(reply);
  o.reply = std::move(reply);
  if (o.reply.index() != c.request.index() + 1) {
    o = outcome{};
    o.code = errc::bad_message;
    o.text = "the node answered a different kind of request";
    o.maybe_written = c.is_write();
  }
  // It has not learnt of the keyspace yet.
  if (o.code == errc::unknown_keyspace && view_ && core::epoch_id{} < epoch
      && epoch < view_->epoch().id)
    o.code = errc::behind;
  if (o.code == errc::none)
    note_success(s, c);
  note_end(s, c, o.code != errc::overloaded);
  if (o.code == errc::shutting_down) {
    s.leaving = to_string(o.code);
  } else if (o.code == errc::unavailable) {
    s.avoid_until = now() + config_.avoidance;
    look_beyond(s);
  } else {
    s.failures = 0;
    failed_turns_ = 0;
  }
  auto stepped
    = o.code == errc::deadline_expired && c.deadline > now() + clock_slack;
  // Its clock was stepped since it welcomed us.
  if (stepped)
    o.code = errc::unavailable;
  auto newer = config_.by_slot && asked_ < epoch;
  if ((stepped || newer) && !s.renewing && s.usable()) {
    s.renewing = true;
    if (newer)
      asked_ = epoch;
    say_hello(s);
  }
  settle(std::move(c), std::move(o), &s);
}

} // namespace covey::client
