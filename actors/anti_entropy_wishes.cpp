// Anti-entropy: what is compared out of turn, for marks and for clients.

#include "actors/anti_entropy.hpp"

#include <algorithm>

namespace covey {

namespace {

constexpr auto shard_timeout = std::chrono::seconds(10);
constexpr uint64_t max_marks_wait_ms = 10'000;
/// How long a client's repair waits for a peer that is busy.
constexpr uint64_t max_busy_ms = 30'000;

} // namespace

// -- marks --------------------------------------------------------------------

void anti_entropy_state::read_marks() {
  auto wait = std::min(max_marks_wait_ms, config.interval_ms);
  if (node->repair_marks == 0 || now_ms() < marks_read_ms_ + wait)
    return;
  marks_read_ms_ = now_ms();
  marks_.clear();
  for (const auto& shard : with.shards)
    self->request(shard, shard_timeout, repair_mark_query{})
      .then(
        [this](const repair_mark_list& list) {
          take_marks(list.marks);
        },
        // Looked for again.
        [](const caf::error&) {});
}

void anti_entropy_state::take_marks(const std::vector<repair_mark>& marks) {
  repair_mark_removal useless;
  useless.before_us = node->wall_us();
  for (const auto& mark : marks) {
    auto m = view->member_of(mark.target);
    // Of a member that the epoch does not have: kept, as hints for it are.
    if (!m || *m == node->self)
      continue;
    auto shared = shared_with({mark.group, *m});
    if (std::binary_search(shared->begin(), shared->end(), mark.slot))
      marks_[{mark.group, *m}].insert(mark.slot);
    else
      useless.marks.push_back(mark);
  }
  // Slots that this node is no home of: their homes compare them in any case.
  if (!useless.marks.empty())
    for (const auto& shard : with.shards)
      self->send(shard, useless);
}

bool anti_entropy_state::begin_marked() {
  for (const auto& [x, slots] : marks_) {
    auto& due = marks_due_ms_[x];
    if (slots.empty() || !reachable(x.second) || now_ms() < due)
      continue;
    due = now_ms() + std::min(max_marks_wait_ms, config.interval_ms);
    begin(x, reason::marks, {slots.begin(), slots.end()});
    return true;
  }
  return false;
}

void anti_entropy_state::forget_marks(const std::vector<uint16_t>& equal,
                                      uint64_t before_us) {
  const auto& r = *running_;
  auto i = marks_.find({r.scope.group, r.peer});
  if (i == marks_.end())
    return;
  std::map<uint32_t, repair_mark_removal> by_shard;
  for (auto slot : equal)
    if (i->second.erase(slot) > 0)
      by_shard[core::shard_of(slot, node->shards)].marks.push_back(
        {view->at(r.peer).id, r.scope.group, slot});
  for (auto& [shard, removal] : by_shard) {
    removal.before_us = before_us;
    self->send(with.shards[shard], std::move(removal));
  }
}

// -- clients ------------------------------------------------------------------

wire::RepairReply anti_entropy_state::repair(const wire::RepairRequest& in) {
  wire::RepairReply out;
  out.set_id(in.id());
  auto now = now_ms();
  if (in.run() == 0 || in.first_slot() > in.last_slot()
      || in.last_slot() >= core::slot_count) {
    out.set_code(static_cast<uint32_t>(errc::bad_message));
    out.set_text("slots are 0 to 16383, the first before the last");
    return out;
  }
  if (command_ && command_->run != in.run() && !command_->done) {
    out.set_code(static_cast<uint32_t>(errc::overloaded));
    out.set_text(node->me().name + " repairs for another client already");
    return out;
  }
  if (!command_ || command_->run != in.run()) {
    command_.emplace();
    auto& c = *command_;
    c.run = in.run();
    c.started_ms = now;
    c.first = static_cast<uint16_t>(in.first_slot());
    c.last = static_cast<uint16_t>(in.last_slot());
    for (core::member_index m = 0; m < links_.size(); ++m)
      for (const auto& group : groups_) {
        if (m == node->self)
          continue;
        auto [first, end]
          = slots_in(*shared_with({group.first, m}), {c.first, c.last});
        if (first == end)
          continue;
        c.jobs.emplace_back(group.first, m);
        c.sums.set_slots(c.sums.slots() + static_cast<uint64_t>(end - first));
      }
    std::reverse(c.jobs.begin(), c.jobs.end());
    choose();
  }
  command_->polled_ms = now;
  out = command_->sums;
  if (running_ && running_->why == reason::client)
    add_progress(*running_, out);
  out.set_id(in.id());
  out.set_done(command_->done);
  out.set_elapsed_ms((command_->done ? command_->ended_ms : now)
                     - command_->started_ms);
  return out;
}

void anti_entropy_state::add_progress(const running& x,
                                      wire::RepairReply& out) const {
  if (!x.exchange)
    return;
  const auto& p = x.exchange->progress();
  out.set_compared(out.compared() + p.compared);
  out.set_differing(out.differing() + p.differing);
  out.set_left(out.left() + p.left);
  out.set_sent(out.sent() + x.sent);
  out.set_fetched(out.fetched() + x.fetched);
  out.set_bytes(out.bytes() + x.bytes);
}

bool anti_entropy_state::begin_commanded() {
  if (!command_ || command_->done || now_ms() < command_->not_before_ms)
    return false;
  auto& c = *command_;
  while (!c.jobs.empty()) {
    auto x = c.jobs.back();
    if (reachable(x.second)) {
      auto shared = shared_with(x);
      auto [first, end] = slots_in(*shared, {c.first, c.last});
      begin(x, reason::client, {first, end});
      return true;
    }
    c.jobs.pop_back();
    c.sums.add_skipped(view->at(x.second).name);
  }
  c.done = true;
  c.ended_ms = now_ms();
  return false;
}

void anti_entropy_state::command_ended(const running& x, bool complete,
                                       errc why) {
  // Its client may have gone away.
  if (!command_ || command_->jobs.empty())
    return;
  auto& c = *command_;
  auto busy = why == errc::overloaded || why == errc::unavailable
              || why == errc::timed_out || why == errc::stale_epoch;
  if (c.waits_since_ms == 0)
    c.waits_since_ms = now_ms();
  if (!complete && busy && now_ms() < c.waits_since_ms + max_busy_ms) {
    c.not_before_ms = now_ms() + config.retry_ms;
    return;
  }
  c.waits_since_ms = 0;
  c.jobs.pop_back();
  add_progress(x, c.sums);
  if (!complete)
    c.sums.add_skipped(view->at(x.peer).name);
}

void anti_entropy_state::sweep_command() {
  if (!command_ || now_ms() < command_->polled_ms + config.command_patience_ms)
    return;
  command_.reset();
  if (running_ && running_->why == reason::client)
    end(false, errc::timed_out);
}

} // namespace covey
