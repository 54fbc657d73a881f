#include "actors/hint_store.hpp"

namespace covey {

namespace {

constexpr auto shard_timeout = std::chrono::seconds(30);

/// What a budget saves up: this part of a second.
constexpr uint64_t reserve_part = 7;

/// Of an operation: member, page and row.
uint64_t operation_id(core::member_index m, uint32_t page, size_t row) {
  return uint64_t{m} << 48 | uint64_t{page & 0xffff} << 32
         | static_cast<uint32_t>(row);
}

} // namespace

uint64_t hint_store_state::now_ms() const {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(
      self->clock().now().time_since_epoch())
      .count());
}

void hint_store_state::up(core::member_index m, const replica_actor& link) {
  auto& x = transfers_.at(m);
  x.link = link;
  x.not_before_ms = 0;
  go_on(m);
}

void hint_store_state::down(core::member_index m) {
  transfers_.at(m).link = replica_actor{};
  drop_page(m);
}

void hint_store_state::drop_page(core::member_index m) {
  auto& x = transfers_[m];
  ++x.page;
  x.rows.clear();
  x.open = 0;
  x.reading = false;
  x.shard = 0;
  x.after.clear();
}

/// An answer that is lost on the way must not hold up those after it.
void hint_store_state::give_up_late(core::member_index m) {
  auto& x = transfers_[m];
  if (x.open == 0 || now_ms() < x.sent_ms + 2 * config.patience_us / 1000)
    return;
  drop_page(m);
  x.failed = true;
  end_round(m);
}

bool hint_store_state::may_go_on(core::member_index m) const {
  const auto& x = transfers_[m];
  return x.link != nullptr && !x.reading && x.open == 0
         && node->hints[m].rows > 0 && now_ms() >= x.not_before_ms
         && liveness->state_of(m) == core::health::up && !liveness->stalled(m);
}

void hint_store_state::go_on(core::member_index m) {
  if (!may_go_on(m) || !budget_.open(now_ms() * 1000))
    return;
  auto& x = transfers_[m];
  if (x.shard == 0 && x.after.empty()) {
    x.failed = false;
    x.started_ms = now_ms();
    x.handed_over = x.bytes = 0;
  }
  x.reading = true;
  ask_shard(m, busy_ ? config.busy_page_bytes : config.page_bytes);
}

void hint_store_state::ask_shard(core::member_index m, uint32_t max_bytes) {
  auto& x = transfers_[m];
  hint_query query;
  query.target = view->at(m).id;
  query.after = x.after;
  query.max_bytes = max_bytes;
  auto page = x.page;
  self->request(shards[x.shard], shard_timeout, std::move(query))
    .then(
      [this, m, page](hint_page& found) {
        if (transfers_[m].page == page)
          send_page(m, found);
      },
      [this, m, page](const caf::error&) {
        if (transfers_[m].page == page)
          transfers_[m].reading = false;
      });
}

void hint_store_state::send_page(core::member_index m, hint_page& page) {
  auto& x = transfers_[m];
  x.reading = false;
  x.next = std::move(page.next);
  ++x.page;
  x.rows.clear();
  x.open = 0;
  std::vector<replica_op> ops;
  for (auto& found : page.rows) {
    x.rows.push_back({std::move(found.row), found.version, false, false});
    replica_op op;
    op.id = operation_id(m, x.page, x.rows.size() - 1);
    op.verb = replica_verb::write;
    op.epoch = view->id();
    op.deadline_us = node->wall_us() + config.patience_us;
    op.keyspace = found.keyspace;
    op.slot = found.slot;
    op.key = std::move(found.key);
    op.bytes = std::move(found.record);
    // It names a record that is gone: nothing is owed.
    if (op.bytes.empty()) {
      x.rows.back().durable = true;
      continue;
    }
    auto size = op.key.size() + op.bytes.size();
    budget_.take(size);
    x.bytes += size;
    x.rows.back().open = true;
    ++x.open;
    ops.push_back(std::move(op));
  }
  x.sent_ms = now_ms();
  if (!ops.empty() && x.link != nullptr)
    self->send(x.link, replica_ops{caf::actor_cast<replica_asker_actor>(self),
                                   std::move(ops)});
  if (x.open == 0)
    page_done(m);
}

void hint_store_state::on_answers(replica_answers& answers) {
  for (auto& a : answers.answers) {
    auto m = static_cast<core::member_index>(a.id >> 48);
    auto i = static_cast<uint32_t>(a.id);
    if (m >= transfers_.size())
      continue;
    auto& x = transfers_[m];
    if ((x.page & 0xffff) != (a.id >> 32 & 0xffff) || i >= x.rows.size()
        || !x.rows[i].open)
      continue;
    x.rows[i].open = false;
    x.rows[i].durable = a.kind == answer_kind::durable;
    x.failed = x.failed || !x.rows[i].durable;
    if (--x.open == 0)
      page_done(m);
  }
}

void hint_store_state::page_done(core::member_index m) {
  auto& x = transfers_[m];
  hint_removal done;
  done.target = view->at(m).id;
  for (auto& handed : x.rows)
    if (handed.durable)
      done.rows.emplace_back(std::move(handed.name), handed.version);
  x.rows.clear();
  node->counters.hints_replayed += done.rows.size();
  x.handed_over += done.rows.size();
  if (!done.rows.empty())
    self->send(shards[x.shard], std::move(done));
  next_page(m);
}

void hint_store_state::next_page(core::member_index m) {
  auto& x = transfers_[m];
  x.after = std::move(x.next);
  x.next.clear();
  if (x.after.empty() && ++x.shard == shards.size())
    end_round(m);
  else
    go_on(m);
}

void hint_store_state::end_round(core::member_index m) {
  auto& x = transfers_[m];
  x.shard = 0;
  auto ms = now_ms() - x.started_ms;
  if (x.handed_over > 0)
    node->log->info("hint-store has handed {} hints, {} kB, to {} in {} ms",
                    x.handed_over, x.bytes / 1024, view->at(m).name, ms);
  // Removals may be under way still: what is left is looked at a little later.
  if (!x.failed)
    x.wait.reset();
  auto jitter = uint64_t{m} * 0x9e3779b97f4a7c15ull;
  x.not_before_ms
    = now_ms() + (x.failed ? x.wait.next(jitter) : config.retry_min_ms);
}

void hint_store_state::sweep(core::member_index m) {
  auto& x = transfers_[m];
  auto due = x.last_sweep_ms + config.sweep_ms <= now_ms();
  if (!due || x.reading || x.open > 0 || node->hints[m].rows == 0)
    return;
  x.last_sweep_ms = now_ms();
  for (uint32_t shard = 0; shard < shards.size(); ++shard)
    sweep_shard(m, shard, {});
}

/// Asks for no records: rows that are too old go while they are passed.
void hint_store_state::sweep_shard(core::member_index m, uint32_t shard,
                                   std::string after) {
  hint_query query;
  query.target = view->at(m).id;
  query.after = std::move(after);
  self->request(shards[shard], shard_timeout, std::move(query))
    .then(
      [this, m, shard](hint_page& page) {
        if (!page.next.empty())
          sweep_shard(m, shard, std::move(page.next));
      },
      // The next sweep starts anew.
      [](const caf::error&) {});
}

void hint_store_state::tick() {
  const auto& c = node->counters;
  uint64_t writes = c.puts + c.gets + c.flushed_writes;
  busy_ = writes - last_writes_ > config.busy_writes_per_tick;
  last_writes_ = writes;
  auto rate = busy_ ? config.busy_bytes_per_s : config.bytes_per_s;
  budget_.set_rate(rate, rate / reserve_part);
  for (core::member_index m = 0; m < transfers_.size(); ++m) {
    if (m == node->self)
      continue;
    give_up_late(m);
    go_on(m);
    sweep(m);
  }
}

void hint_store_state::adopt(view_ptr next) {
  view = std::move(next);
  while (transfers_.size() < view->members()) {
    transfers_.emplace_back();
    transfers_.back().wait
      = core::backoff{config.retry_min_ms, config.retry_max_ms};
  }
  for (core::member_index m = 0; m < view->members(); ++m)
    if (view->at(m).state == core::member_state::removed)
      down(m);
}

hint_store_actor::behavior_type
hint_store(loop_pointer<hint_store_actor, hint_store_state> self,
           const hint_store_config& config, const node_context_ptr& node,
           const std::vector<storage_shard_actor>& shards) {
  auto& st = self->state;
  st.config = config;
  st.node = node;
  st.shards = shards;
  st.adopt(node->newest_view());
  // What three ticks bring, so that no tick finds it empty for being early.
  st.budget_
    = core::token_bucket{config.bytes_per_s, config.bytes_per_s / reserve_part};
  return {
    [&st](replica_answers& answers) {
      st.on_answers(answers);
    },
    [&st](peer_up_atom, uint16_t member, const replica_actor& link) {
      st.up(member, link);
    },
    [&st](peer_down_atom, uint16_t member) {
      st.down(member);
    },
    [&st](view_atom, liveness_ptr& liveness) {
      st.liveness = std::move(liveness);
    },
    [&st](epoch_atom, view_ptr& next) {
      st.adopt(std::move(next));
    },
    [&st](tick_atom) {
      st.tick();
    },
  };
}

} // namespace covey
