// Anti-entropy: this node's own exchange while it is under way.

#include "actors/anti_entropy.hpp"
#include "messages/burst.hpp"

#include <algorithm>

namespace covey {

namespace {

core::side other(core::side x) {
  return x == core::side::own ? core::side::peer : core::side::own;
}

} // namespace

void anti_entropy_state::pump() {
  if (!running_ || !running_->exchange)
    return;
  auto& r = *running_;
  while (budget_.open(now_ms() * 1000)) {
    auto x = r.exchange->next_ask(now_ms());
    if (!x)
      break;
    ask(std::move(*x));
  }
  while (r.repairs.size() < config.max_repairs
         && r.repair_bytes < config.max_repair_bytes
         && budget_.open(now_ms() * 1000)) {
    auto x = r.exchange->next_repair();
    if (!x)
      break;
    begin_repair(*x);
  }
  settle();
}

void anti_entropy_state::ask(core::exchange_ask x) {
  auto& r = *running_;
  if (x.whom == core::side::peer) {
    exchange_ask out;
    out.exchange = r.id;
    out.question = std::move(x.question);
    auto bytes = serialize(out);
    r.bytes += bytes.size();
    send(r.peer, frame_kind::exchange_ask, std::move(bytes));
    return;
  }
  read_trees(self, with.trees, r.scope, x.question,
             [this, id = r.id](core::exchange_answer answer) {
               if (!running_ || running_->id != id)
                 return;
               running_->exchange->answered(core::side::own, std::move(answer),
                                            now_ms());
               pump();
             });
}

void anti_entropy_state::begin_repair(const core::exchange_repair& x) {
  auto& r = *running_;
  repair_row row;
  row.repair = x.id;
  row.stale = config.planted == planted_bug::repair_backwards ? other(x.stale)
                                                              : x.stale;
  row.keyspace = x.keyspace;
  row.slot = x.slot;
  row.key = x.key;
  row.asked_ms = now_ms();
  replica_op op;
  op.id = ++last_op_;
  op.verb = replica_verb::read;
  op.flushed = true;
  op.keyspace = x.keyspace;
  op.slot = x.slot;
  op.key = x.key;
  auto from = other(row.stale);
  r.repairs[op.id] = std::move(row);
  ask_replica(from, std::move(op));
}

void anti_entropy_state::ask_replica(core::side whom, replica_op op) {
  op.epoch = view->id();
  op.deadline_us = node->wall_us() + config.patience_us;
  auto me = caf::actor_cast<replica_asker_actor>(self);
  auto shard = core::shard_of(op.slot, node->shards);
  replica_ops ops{me, {}};
  ops.ops.push_back(std::move(op));
  if (whom == core::side::own)
    self->send(with.replicas[shard], std::move(ops));
  else if (links_[running_->peer])
    self->send(links_[running_->peer], std::move(ops));
}

void anti_entropy_state::on_answers(replica_answers& answers) {
  for (auto& a : answers.answers) {
    if (!running_)
      return;
    auto& r = *running_;
    auto i = r.repairs.find(a.id);
    if (i == r.repairs.end())
      continue;
    auto& row = i->second;
    if (row.writing) {
      close_repair(i, a.kind == answer_kind::durable);
      continue;
    }
    // What was there a moment ago and is not any more waits for a later round.
    if (a.kind != answer_kind::record || a.bytes.empty()) {
      close_repair(i, false);
      continue;
    }
    row.writing = true;
    row.bytes = row.key.size() + a.bytes.size();
    row.asked_ms = now_ms();
    r.repair_bytes += row.bytes;
    r.bytes += row.bytes;
    budget_.take(row.bytes);
    if (row.stale == core::side::peer)
      node->counters.exchange_bytes += row.bytes;
    replica_op op;
    op.id = a.id;
    op.verb = replica_verb::write;
    op.keyspace = row.keyspace;
    op.slot = row.slot;
    op.key = row.key;
    op.bytes = std::move(a.bytes);
    a.charge = {};
    ask_replica(row.stale, std::move(op));
  }
  pump();
}

void anti_entropy_state::close_repair(
  std::map<uint64_t, repair_row>::iterator i, bool durable) {
  auto& r = *running_;
  auto row = std::move(i->second);
  r.repairs.erase(i);
  r.repair_bytes -= row.bytes;
  if (durable && row.stale == core::side::own) {
    ++r.fetched;
    ++own_writes_;
    ++node->counters.exchange_fetched;
  } else if (durable) {
    ++r.sent;
    ++node->counters.exchange_sent;
  }
  r.exchange->repaired(row.repair, durable, now_ms());
}

void anti_entropy_state::sweep_repairs() {
  auto& r = *running_;
  auto patience_ms = 2 * config.patience_us / 1000;
  for (auto i = r.repairs.begin(); i != r.repairs.end();) {
    auto late = i++;
    if (now_ms() >= late->second.asked_ms + patience_ms)
      close_repair(late, false);
  }
}

void anti_entropy_state::note_equal() {
  auto& r = *running_;
  for (const auto& found : r.exchange->take_equal()) {
    auto ago_us = (now_ms() - found.began_ms) * 1000;
    // The clock may have been set meanwhile: the earlier time claims less.
    auto began_us
      = std::min(node->wall_us() - std::min(node->wall_us(), ago_us),
                 r.began_us + (found.began_ms - r.began_ms) * 1000);
    for (auto slot : found.slots)
      compared.equal(r.scope.group, r.peer, slot, began_us);
    forget_marks(found.slots, began_us);
    tell_equal(found.slots, false);
  }
}

void anti_entropy_state::tell_equal(const std::vector<uint16_t>& slots,
                                    bool over) {
  const auto& shared = *running_->scope.shared;
  exchange_end out;
  out.exchange = running_->id;
  out.over = over;
  // A range stands for all slots in it that both share.
  auto next = shared.begin();
  for (auto slot : slots) {
    if (next != shared.end() && *next == slot && !out.equal.empty()) {
      out.equal.back().last = slot;
    } else {
      out.equal.push_back({slot, slot});
      next = std::lower_bound(shared.begin(), shared.end(), slot);
    }
    ++next;
  }
  auto bytes = serialize(out);
  running_->bytes += bytes.size();
  send(running_->peer, frame_kind::exchange_end, std::move(bytes));
}

void anti_entropy_state::settle() {
  if (!running_ || !running_->exchange)
    return;
  note_equal();
  if (running_->exchange->done())
    end(true);
}

void anti_entropy_state::end(bool complete, errc why) {
  tell_equal({}, true);
  auto x = std::move(*running_);
  running_.reset();
  if (complete) {
    ++node->counters.exchanges;
    const auto& p = x.exchange->progress();
    auto busy = x.sent + x.fetched + p.left > 0;
    node->log->log(busy ? spdlog::level::info : spdlog::level::debug,
                   "anti-entropy has compared {} slots with {} in {} ms: {} "
                   "differed, {} records sent, {} fetched, {} kB, {} slots "
                   "left",
                   p.slots, view->at(x.peer).name, now_ms() - x.began_ms,
                   p.differing, x.sent, x.fetched, x.bytes / 1024, p.left);
  }
  publish(x.peer);
  if (!complete && x.why == reason::due)
    due_ms_[{x.scope.group, x.peer}]
      = now_ms() + std::min(config.retry_ms, config.interval_ms);
  if (x.why == reason::client)
    command_ended(x, complete, why);
}

} // namespace covey
