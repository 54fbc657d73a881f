#include "actors/storage_shard.hpp"

#include "actors/outbox.hpp"
#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/hash.hpp"
#include "storage/layout.hpp"

#include <algorithm>

namespace covey {

using storage::status;

namespace {

bool is_read(answer_kind kind) {
  return kind == answer_kind::record || kind == answer_kind::digest;
}

} // namespace

void storage_shard_state::start(storage_shard_config cfg, node_context_ptr ctx,
                                flusher_actor f) {
  config = cfg;
  node = std::move(ctx);
  view = node->newest_view();
  flusher = std::move(f);
  clock = core::hybrid_clock{config.max_drift_us};
  session = config.engine->open_session();
  identity = shard_identity{config.shard, config.seed, config.planted};
  std::string_view bytes;
  auto found = session->get(storage::system_table,
                            storage::sequence_row(config.shard), bytes);
  // A disk that fails this read is not an empty disk.
  COVEY_CHECK(found != status::failed);
  if (found == status::ok)
    sequence_ = core::byte_reader{bytes}.u64();
  flushed_ = sequence_;
  // What it writes is on disk with the identity.
  shard_trees_config trees;
  trees.shard = config.shard;
  trees.enabled = config.trees;
  trees.rows_per_tick = config.tree_rows_per_tick;
  COVEY_CHECK(trees_.load(*session, trees, node));
  // A shard without an identity on disk must not run: its dots would repeat.
  COVEY_CHECK(identity.start(*session, *config.engine));
  COVEY_CHECK(hints_.load(*session,
                          {config.shard, config.seed ^ 0x68696e7473,
                           config.hint_bytes, config.hint_age_ms},
                          node));
  node->incarnations[config.shard] = identity.incarnation();
  if (!identity.was_clean())
    ++node->counters.incarnations;
  // A filter saved before an unclean stop may lack keys: it must go as well.
  filter_ready_ = load_filter() && identity.was_clean();
  if (!filter_ready_)
    filter_ = core::bloom_filter{};
  disk_full_ = config.engine->disk_is_full();
  node->disk_full = disk_full_;
}

const core::placed_keyspace*
storage_shard_state::keyspace_of(const replica_op& op) const {
  return view->find_keyspace(op.keyspace);
}

std::string storage_shard_state::key_of(const core::placed_keyspace& ks,
                                        const replica_op& op) {
  return storage::record_key(ks.group, op.slot, op.keyspace, op.key);
}

void storage_shard_state::run_batch() {
  if (queue.empty() && reads_.empty())
    return;
  ++node->counters.batches;
  answer_groups now;
  std::vector<asked> writes;
  for (auto& ops : queue)
    for (auto& op : ops.ops) {
      auto is_write
        = op.verb != replica_verb::read && op.verb != replica_verb::scan;
      if (is_write)
        writes.push_back({ops.from, std::move(op)});
      else
        reads_.push_back({ops.from, std::move(op)});
    }
  queue.clear();
  queued = 0;
  if (drained) {
    for (auto& x : writes)
      now.add(x.from, refusal(x.op.id, errc::shutting_down));
    for (auto& x : reads_)
      now.add(x.from, refusal(x.op.id, errc::shutting_down));
    reads_.clear();
  } else {
    if (!writes.empty())
      write_all(writes, now);
    // Reads come after the commit: they never see what may yet be undone.
    read_some(now);
  }
  send_answers(now);
  ask_flush();
  if (!reads_.empty() && !armed) {
    armed = true;
    self->send(self, go_atom::value);
  }
}

void storage_shard_state::ask_flush() {
  if (sequence_ <= flush_asked_)
    return;
  flush_asked_ = sequence_;
  unflushed_commits_.push_back({sequence_, node->wall_us()});
  node->unflushed_since_us[config.shard]
    = unflushed_commits_.front().committed_us;
  self->send(flusher, flush_atom::value, config.shard, sequence_);
}

void storage_shard_state::read_some(answer_groups& now) {
  if (reads_.empty())
    return;
  auto now_us = node->wall_us();
  read_bytes_ = 0;
  while (!reads_.empty() && read_bytes_ < config.read_bytes_per_turn) {
    auto x = std::move(reads_.front());
    reads_.pop_front();
    if (x.op.deadline_us < now_us)
      now.add(x.from, refusal(x.op.id, errc::deadline_expired));
    else if (x.op.verb == replica_verb::scan)
      scan(x, now);
    else
      read(x, now);
  }
}

bool storage_shard_state::has_room(const asked& x, size_t bytes,
                                   answer_groups& now) const {
  if (node->answers->admits_first(bytes))
    return true;
  ++node->counters.answers_refused;
  now.add(x.from, refusal(x.op.id, errc::overloaded,
                          node->me().name
                            + " has as many bytes of answers in memory as it "
                              "may"));
  return false;
}

void storage_shard_state::send_answers(answer_groups& now) {
  now.take_all([this](const auto& to, auto answers) {
    self->send(to, replica_answers{node->self, std::move(answers)});
  });
}

void storage_shard_state::renew(const char* why) {
  forgot_ = false;
  node->log->warn("storage-shard {} starts a new incarnation: {}", config.shard,
                  why);
  // Going on under the old one could give a dot twice.
  COVEY_CHECK(identity.renew(*session, *config.engine));
  node->incarnations[config.shard] = identity.incarnation();
  ++node->counters.incarnations;
}

void storage_shard_state::answer_flushed(uint64_t key_hash, const asked& x,
                                         replica_answer answer,
                                         answer_groups& now) {
  auto i = unflushed_.find(key_hash);
  if (i == unflushed_.end())
    now.add(x.from, std::move(answer));
  else
    waiting_.push_back(
      {i->second, x.op.deadline_us, x.from, std::move(answer)});
}

void storage_shard_state::read(const asked& x, answer_groups& now) {
  const auto& op = x.op;
  auto key = key_of(*keyspace_of(op), op);
  std::string_view bytes;
  auto found = load(key, bytes);
  if (found != status::ok && found != status::not_found) {
    now.add(x.from, refusal(op.id, errc::storage_failed));
    return;
  }
  replica_answer answer;
  answer.id = op.id;
  answer.kind = answer_kind::record;
  auto digest = found == status::ok
                && op.digest_number == core::version_hash_number
                && bytes.size() > op.digest_above;
  if (digest) {
    auto record = core::decode_record(bytes);
    if (!record) {
      now.add(x.from, refusal(op.id, errc::storage_failed));
      return;
    }
    answer.kind = answer_kind::digest;
    answer.digest = core::version_hash(*record);
  } else if (found == status::ok) {
    if (!has_room(x, bytes.size(), now))
      return;
    answer.bytes.assign(bytes);
    answer.charge = {node->answers, bytes.size()};
    read_bytes_ += bytes.size();
  }
  if (op.flushed && config.planted != planted_bug::read_unflushed)
    answer_flushed(core::hash64(key), x, std::move(answer), now);
  else
    now.add(x.from, std::move(answer));
}

void storage_shard_state::flushed(uint64_t up_to) {
  flushed_ = std::max(flushed_, up_to);
  release_pages();
  while (!written_.empty() && written_.front().sequence <= up_to) {
    auto i = unflushed_.find(written_.front().key_hash);
    if (i != unflushed_.end() && i->second <= up_to)
      unflushed_.erase(i);
    unflushed_bytes_ -= written_.front().bytes;
    written_.pop_front();
  }
  while (!unflushed_commits_.empty()
         && unflushed_commits_.front().sequence <= up_to)
    unflushed_commits_.pop_front();
  node->unflushed_since_us[config.shard]
    = unflushed_commits_.empty() ? 0 : unflushed_commits_.front().committed_us;
  answer_groups now;
  auto now_us = waiting_.empty() ? 0 : node->wall_us();
  // Reads may wait for an older commit than what was queued before them.
  std::deque<waiting> rest;
  for (auto& x : waiting_) {
    if (x.sequence > up_to)
      rest.push_back(std::move(x));
    else if (is_read(x.answer.kind) && x.deadline_us < now_us)
      now.add(x.to, refusal(x.answer.id, errc::deadline_expired));
    else
      now.add(x.to, std::move(x.answer));
  }
  waiting_.swap(rest);
  send_answers(now);
}

storage_shard_actor::behavior_type
storage_shard(loop_pointer<storage_shard_actor, storage_shard_state> self,
              const storage_shard_config& config, const node_context_ptr& node,
              const flusher_actor& flusher) {
  auto& st = self->state;
  st.start(config, node, flusher);
  return {
    [&st](const kept_rows_query& query) {
      return st.read_rows(query);
    },
    [&st](const kept_rows& rows) {
      return st.keep_rows(rows);
    },
    [&st, self](replica_ops& ops) {
      st.queued += ops.ops.size();
      st.queue.push_back(std::move(ops));
      if (st.queued >= st.config.max_batch)
        st.run_batch();
      else
        flush_when_idle(self, st.armed, [&st] {
          st.run_batch();
        });
    },
    [&st](epoch_atom, view_ptr& next) {
      st.view = std::move(next);
    },
    [&st](flushed_atom, uint64_t up_to) {
      st.flushed(up_to);
    },
    [&st](renew_atom) {
      st.renew("a peer has met a later run");
    },
    [&st](known_atom, const known_counters& known) {
      for (const auto& d : known.dots)
        if (d.inc == st.identity.incarnation()
            && d.counter > st.identity.counter())
          st.renew("a peer has seen writes of its own that it does not know");
    },
    [&st](known_atom, const incarnation_list& list) {
      known_counters result;
      for (auto inc : list.incarnations)
        if (auto counter = st.counter_of(inc); counter > 0)
          result.dots.push_back({inc, counter});
      return result;
    },
    [&st](go_atom) {
      st.armed = false;
      st.run_batch();
    },
    [&st](tick_atom) {
      st.tick();
    },
    [&st](const hint_query& query) {
      return st.read_hints(query);
    },
    [&st](const hint_removal& what) {
      st.forget_hints(what);
    },
    [&st](const repair_mark_query&) {
      return st.read_marks();
    },
    [&st](const repair_mark_removal& what) {
      st.forget_marks(what);
    },
    [&st](const roots_query& query) {
      return st.tell_roots(query);
    },
    [&st](const leaves_query& query) {
      return st.tell_leaves(query);
    },
    [&st](const versions_query& query) {
      return st.tell_versions(query);
    },
    [&st](drain_atom) {
      return st.drain();
    },
  };
}

} // namespace covey
