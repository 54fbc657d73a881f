// The epoch keeper's part in Paxos: its vote, its rounds, and whose change is
// next.

#include "actors/epoch_keeper.hpp"
#include "core/epoch_codec.hpp"
#include "messages/burst.hpp"

#include <algorithm>

namespace covey {

namespace {

constexpr auto row_timeout = std::chrono::seconds(10);

epoch_outcome failure(errc code, std::string text) {
  epoch_outcome result;
  result.code = code;
  result.text = std::move(text);
  return result;
}

} // namespace

core::epoch_id epoch_keeper_state::next_id() const {
  return {newest->id.generation, newest->id.number + 1};
}

bool epoch_keeper_state::may_vote() const {
  // Whoever has forgotten a vote could give another one.
  return ready_ && !node->disk_lost && core::votes(newest->members[node->self]);
}

std::vector<core::uuid> epoch_keeper_state::voters() const {
  std::vector<core::uuid> result;
  for (const auto& m : newest->members)
    if (core::votes(m))
      result.push_back(m.id);
  return result;
}

size_t epoch_keeper_state::reachable_voters() const {
  size_t result = may_vote() ? 1 : 0;
  for (size_t i = 0; i < links_.size() && i < newest->members.size(); ++i)
    result += links_[i] && core::votes(newest->members[i]) ? 1 : 0;
  return result;
}

void epoch_keeper_state::on_paxos(core::member_index from,
                                  const core::paxos_message& in) {
  if (in.instance != next_id()) {
    // Who is behind is told; who is ahead tells us.
    if (from != node->self)
      send_word(from, in.instance < next_id());
    return;
  }
  if (in.verb == core::paxos_verb::prepare
      || in.verb == core::paxos_verb::accept) {
    vote(from, in);
    return;
  }
  const auto& voter = newest->members[from];
  if (!proposer_ || (!in.value.empty() && !successor(in.value, "a promise")))
    return;
  proposer_->receive(voter.id, in, now_ms());
}

void epoch_keeper_state::vote(core::member_index from,
                              const core::paxos_message& in) {
  if (!may_vote() || in.number.member != newest->members[from].id)
    return;
  if (in.verb == core::paxos_verb::accept) {
    auto value = successor(in.value, newest->members[from].name.c_str());
    if (!value || value->id != in.instance)
      return;
  }
  auto answer = acceptor_.receive(in);
  if (!answer)
    return;
  if (!answer->save) {
    send(from, answer->message);
    return;
  }
  if (acceptor_.state().accepted && open_since_ms_ == 0)
    open_since_ms_ = now_ms();
  self
    ->request(rows, row_timeout,
              kept_rows{{{vote_name, core::encode(acceptor_.state())}}})
    .then(
      [this, from, message = std::move(answer->message)](bool saved) {
        if (!saved)
          return;
        send(from, message);
        pump();
      },
      // Not said, so not binding.
      [](const caf::error&) {});
}

void epoch_keeper_state::send(core::member_index to,
                              const core::paxos_message& what) {
  if (to == node->self)
    on_paxos(to, what);
  else
    send(to, frame_kind::paxos, serialize(what));
}

core::proposer& epoch_keeper_state::current_proposer() {
  // One for each epoch: its rounds must not begin anew.
  if (!proposer_)
    proposer_.emplace(config.rounds, next_id(), voters(), node->me().id, life_);
  return *proposer_;
}

void epoch_keeper_state::pump() {
  if (!proposer_)
    return;
  while (auto out = proposer_->take())
    for (const auto& voter : proposer_->voters())
      if (auto to = newest->find_member(voter))
        send(*to, *out);
  if (!proposer_->decided() || saving_)
    return;
  if (auto next = successor(*proposer_->decided(), "our own round"))
    decided(std::move(*next));
}

epoch_keeper_state::promise epoch_keeper_state::propose(epoch_proposal& what) {
  auto done = self->make_response_promise<epoch_outcome>();
  if (!ready_) {
    done.deliver(
      failure(errc::unavailable, node->me().name + " is still starting"));
    return done;
  }
  if (queue_.size() >= config.max_waiting) {
    done.deliver(
      failure(errc::overloaded, "as many changes of the epoch wait as may"));
    return done;
  }
  auto made = core::make_next(*newest, what.change);
  if (!made.next || what.dry_run) {
    epoch_outcome out;
    if (made.next) {
      out.id = made.next->id;
      out.plan = core::difference(*newest, *made.next);
    } else {
      out = failure(errc::change_refused, made.error);
    }
    done.deliver(std::move(out));
    return done;
  }
  if (what.deadline_us == 0)
    what.deadline_us = node->wall_us() + config.default_timeout_us;
  queue_.push_back({std::move(what), done, {}, {}, false});
  work_queue();
  return done;
}

void epoch_keeper_state::answer_front(epoch_outcome outcome) {
  queue_.front().done.deliver(std::move(outcome));
  queue_.pop_front();
}

void epoch_keeper_state::work_queue() {
  while (!queue_.empty() && !saving_) {
    auto& x = queue_.front();
    if (x.before && x.bytes == core::encode(*newest)) {
      epoch_outcome out;
      out.id = newest->id;
      out.plan = core::difference(*x.before, *newest);
      answer_front(std::move(out));
      continue;
    }
    if (x.before == newest) {
      if (!proposer_ || proposer_->idle())
        current_proposer().propose(x.bytes, now_ms());
      break;
    }
    // Lost to another, unless epochs were skipped: one of those may be it.
    auto unknown
      = x.offered && x.before && x.before->id.number + 1 != newest->id.number;
    auto made = core::make_next(*newest, x.what.change);
    if (!made.next) {
      answer_front(unknown ? failure(errc::timed_out,
                                     "it may have been made: now " + made.error)
                           : failure(errc::change_refused, made.error));
      continue;
    }
    auto majority = voters().size() / 2 + 1;
    if (reachable_voters() < majority) {
      answer_front(failure(errc::unavailable,
                           std::to_string(reachable_voters()) + " of "
                             + std::to_string(voters().size())
                             + " members that vote can be reached, "
                             + std::to_string(majority) + " are needed"));
      continue;
    }
    x.before = newest;
    x.bytes = core::encode(*made.next);
    x.offered = false;
    if (x.bytes.size() > core::max_epoch_bytes) {
      answer_front(failure(errc::change_refused, "the epoch is full"));
      continue;
    }
    current_proposer().propose(x.bytes, now_ms());
  }
  pump();
}

void epoch_keeper_state::note_offered() {
  if (!queue_.empty() && proposer_ && proposer_->offered())
    queue_.front().offered = true;
}

void epoch_keeper_state::expire_proposals() {
  auto now_us = node->wall_us();
  note_offered();
  auto first = true;
  for (auto i = queue_.begin(); i != queue_.end();) {
    if (i->what.deadline_us >= now_us) {
      first = false;
      ++i;
      continue;
    }
    if (first && proposer_)
      proposer_->propose({}, now_ms());
    i->done.deliver(
      i->offered
        ? failure(errc::timed_out,
                  "not enough members have voted in time; the change may be "
                  "made yet")
        : failure(errc::unavailable,
                  "not enough members have voted in time; nothing was "
                  "changed"));
    i = queue_.erase(i);
  }
}

void epoch_keeper_state::tick() {
  auto now = now_ms();
  if (!ready_) {
    if (!asking_rows_ && retry_at_ms_ != 0 && now >= retry_at_ms_)
      load();
    return;
  }
  if (saving_ && now >= retry_at_ms_)
    save_decided();
  expire_proposals();
  if (proposer_)
    proposer_->tick(now);
  // Nobody may be left who would complete what was begun.
  auto patience = config.complete_ms + 500 * node->self;
  if (open_since_ms_ != 0 && now >= open_since_ms_ + patience) {
    open_since_ms_ = now;
    if (!proposer_ || proposer_->idle())
      current_proposer().propose({}, now);
  }
  work_queue();
  // Somebody acts by an epoch that we have not heard of: whoever has it answers
  // our word with it.
  if (auto missed = node->epochs_missed.load(); missed != missed_) {
    missed_ = missed;
    for (size_t m = 0; m < links_.size(); ++m)
      send_word(static_cast<core::member_index>(m), false);
  }
  if (now >= next_word_ms_ && !links_.empty()) {
    next_word_ms_ = now + config.word_ms;
    last_word_to_ = (last_word_to_ + 1) % links_.size();
    send_word(static_cast<core::member_index>(last_word_to_), false);
  }
}

} // namespace covey
