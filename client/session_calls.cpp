// Calls: sent in bursts, answered, repeated where safe, expired.

#include "client/back_off.hpp"
#include "client/session.hpp"

#include <algorithm>
#include <iterator>

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

// A deadline that a node thinks has passed this long before it has.
constexpr auto clock_slack = std::chrono::milliseconds{250};

} // namespace

void session_state::enqueue(call&& c) {
  next_deadline_ = std::min(next_deadline_, c.deadline);
  waiting_bytes_ += size_of(c.request);
  waiting_.push_back(std::move(c));
}

void session_state::send_burst(std::string& burst) {
  if (!burst.empty())
    self_->send(gateway_, burst_atom::value, std::move(burst));
  burst.clear();
}

void session_state::tell_taken(std::string& burst) {
  if (told_ == taken_)
    return;
  wire::Taken message;
  message.set_bytes(taken_);
  append_frame(burst, frame_kind::taken, message);
  told_ = taken_;
}

void session_state::dispatch(std::string& burst, call&& c) {
  auto id = ++last_id_;
  stamp(c.request, id, c.deadline);
  if (auto* x = std::get_if<wire::StatusRequest>(&c.request)) {
    ask<wire::StatusRequest, wire::StatusReply>(id, *x, c.deadline);
  } else if (auto* y = std::get_if<wire::RingRequest>(&c.request)) {
    ask<wire::RingRequest, wire::RingReply>(id, *y, c.deadline);
  } else {
    std::visit(
      [&](const auto& request) {
        if (burst.size() + request.ByteSizeLong() + frame_overhead
            > config_.max_burst_bytes)
          send_burst(burst);
        if (burst.empty())
          tell_taken(burst);
        append_frame(burst, kind_of<std::decay_t<decltype(request)>>(),
                     request);
      },
      c.request);
  }
  in_flight_.emplace(id, std::move(c));
}

void session_state::stamp(request_body& request, uint64_t id,
                          time_point deadline) const {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  // The node's own "timed out" says more than ours: leave it time to arrive.
  auto left = duration_cast<microseconds>(deadline - now());
  auto margin = std::min(left / 10, microseconds{50'000});
  auto at = duration_cast<microseconds>(deadline - server_at_) - margin;
  auto deadline_us = server_us_ + static_cast<uint64_t>(at.count());
  std::visit(
    [&](auto& x) {
      using type = std::decay_t<decltype(x)>;
      x.set_id(id);
      if constexpr (
        !std::is_same_v<
          type,
          wire::StatusRequest> && !std::is_same_v<type, wire::RingRequest>)
        x.set_deadline_us(deadline_us);
    },
    request);
}

template <class Request, class Reply>
void session_state::ask(uint64_t id, const Request& request,
                        time_point deadline) {
  // Without an answer the sweep ends the call, at the same deadline.
  self_->request(gateway_, caf::timespan{deadline - now()}, request)
    .then(
      [this, id](Reply& reply) {
        reply.set_id(id);
        take(std::move(reply));
        flush();
      },
      [this, id](const caf::error& err) {
        auto i = in_flight_.find(id);
        if (i == in_flight_.end() || err == caf::sec::request_timeout)
          return;
        auto c = std::move(i->second);
        in_flight_.erase(i);
        outcome o;
        o.code = errc::unavailable;
        o.text = to_string(node()) + ": " + to_string(err);
        settle(std::move(c), std::move(o));
        flush();
      });
}

void session_state::on_burst(const std::string& burst) {
  taken_ += burst.size();
  burst_reader reader{burst};
  frame_kind kind;
  std::string_view bytes;
  while (reader.next(kind, bytes)) {
    switch (kind) {
      case frame_kind::put_reply:
        take_frame<wire::PutReply>(bytes);
        break;
      case frame_kind::get_reply:
        take_frame<wire::GetReply>(bytes);
        break;
      case frame_kind::scan_reply:
        take_frame<wire::ScanReply>(bytes);
        break;
      default:
        break;
    }
  }
  if (!reader.ok() && phase_ == phase::up)
    lose("the node sent damaged bytes");
  else
    flush();
}

template <class Reply>
void session_state::take_frame(std::string_view bytes) {
  // A frame that does not parse names nobody: its call ends at its deadline.
  Reply reply;
  if (parse(bytes, reply))
    take(std::move(reply));
}

template <class Reply>
void session_state::take(Reply&& reply) {
  auto i = in_flight_.find(reply.id());
  // Unknown ids are answers to calls that have ended.
  if (i == in_flight_.end())
    return;
  auto c = std::move(i->second);
  in_flight_.erase(i);
  outcome o;
  o.code = static_cast<errc>(reply.code());
  o.text = reply.text();
  if constexpr (std::is_same_v<std::decay_t<Reply>, wire::PutReply>)
    o.maybe_written = o.code != errc::none && reply.maybe_written();
  o.reply = std::move(reply);
  if (o.reply.index() != c.request.index() + 1) {
    o = outcome{};
    o.code = errc::bad_message;
    o.text = "the node answered a different kind of request";
    o.maybe_written = c.is_write();
  }
  auto refused = o.code == errc::unavailable || o.code == errc::shutting_down;
  if (!refused)
    failures_ = 0;
  else if (o.code == errc::shutting_down
           || (config_.nodes.size() > 1
               && now() - moved_ >= config_.move_pause))
    leaving_ = to_string(o.code);
  // The node's clock was stepped since it welcomed us: greet it anew.
  if (o.code == errc::deadline_expired && c.deadline > now() + clock_slack) {
    leaving_ = "its clock was stepped";
    o.code = errc::unavailable;
  }
  settle(std::move(c), std::move(o));
}

void session_state::settle(call&& c, outcome&& o) {
  auto ok = o.code == errc::none;
  c.maybe_written = c.maybe_written || o.maybe_written;
  auto safe = o.code == errc::connection_lost || o.code == errc::unavailable
              || o.code == errc::shutting_down;
  if (safe && c.attempts < c.retries && c.deadline > now()) {
    // The first repetition goes to the next node at once; with only one node
    // it would meet the same answer.
    auto again = c.attempts++;
    auto pause = std::chrono::milliseconds{0};
    if (again > 0 || config_.nodes.size() == 1)
      pause
        = back_off(again, config_.back_off_least, config_.back_off_most, rng_);
    c.not_before = now() + pause;
    next_deadline_ = std::min(next_deadline_, c.deadline);
    // Whoever settles calls flushes after it.
    if (pause.count() == 0)
      enqueue(std::move(c));
    else
      resting_.push_back(std::move(c));
    return;
  }
  o.maybe_written = !ok && c.maybe_written;
  c.done(o);
}

void session_state::expire(call&& c) {
  outcome o;
  o.maybe_written = c.maybe_written;
  // A call that was sent once and waits to be repeated may have happened.
  o.code = c.maybe_written ? errc::connection_lost : errc::unavailable;
  if (phase_ == phase::up) {
    o.code = c.maybe_written ? errc::connection_lost : errc::overloaded;
    o.text = "the request waited for its turn at " + to_string(node())
             + " until its deadline";
  } else {
    o.text = failure_text();
    if (c.maybe_written)
      o.text
        = "sent, but the connection broke before the answer; then " + o.text;
  }
  c.retries = 0;
  settle(std::move(c), std::move(o));
}

void session_state::sweep() {
  auto t = now();
  if (t < next_deadline_)
    return;
  std::vector<call> late;
  for (auto i = in_flight_.begin(); i != in_flight_.end();) {
    if (i->second.deadline <= t) {
      late.push_back(std::move(i->second));
      i = in_flight_.erase(i);
    } else {
      ++i;
    }
  }
  for (auto& c : late) {
    outcome o;
    o.code = errc::timed_out;
    o.text = to_string(node()) + " has not answered before the deadline";
    o.maybe_written = c.is_write();
    settle(std::move(c), std::move(o));
  }
  late.clear();
  auto in_time = [t](const call& c) {
    return c.deadline > t;
  };
  auto take_late = [&](auto& calls) {
    auto first = std::stable_partition(calls.begin(), calls.end(), in_time);
    std::move(first, calls.end(), std::back_inserter(late));
    calls.erase(first, calls.end());
  };
  take_late(waiting_);
  take_late(resting_);
  next_deadline_ = time_point::max();
  waiting_bytes_ = 0;
  for (auto& [id, c] : in_flight_)
    next_deadline_ = std::min(next_deadline_, c.deadline);
  for (auto& c : resting_)
    next_deadline_ = std::min(next_deadline_, c.deadline);
  for (auto& c : waiting_) {
    next_deadline_ = std::min(next_deadline_, c.deadline);
    waiting_bytes_ += size_of(c.request);
  }
  for (auto& c : late)
    expire(std::move(c));
}

} // namespace covey::client
