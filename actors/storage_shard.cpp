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

errc code_of(status x) {
  return x == status::disk_full ? errc::disk_full : errc::storage_failed;
}

replica_answer failure(uint64_t id, errc code, std::string text = {}) {
  replica_answer result;
  result.id = id;
  result.code = code;
  result.text = std::move(text);
  return result;
}

} // namespace

void answer_groups::add(const replica_asker_actor& to, replica_answer answer) {
  for (auto& group : groups_)
    if (group.first == to) {
      group.second.push_back(std::move(answer));
      return;
    }
  groups_.emplace_back(to, std::vector<replica_answer>{});
  groups_.back().second.push_back(std::move(answer));
}

void storage_shard_state::start(storage_shard_config cfg, node_context_ptr ctx,
                                flusher_actor f) {
  config = cfg;
  node = std::move(ctx);
  flusher = std::move(f);
  clock = core::hybrid_clock{config.max_drift_us};
  session = config.engine->open_session();
  identity = shard_identity{config.shard, config.seed};
  std::string_view bytes;
  auto found = session->get(storage::system_table,
                            storage::sequence_row(config.shard), bytes);
  // A disk that fails this read is not an empty disk.
  COVEY_CHECK(found != status::failed);
  if (found == status::ok)
    sequence_ = core::byte_reader{bytes}.u64();
  // A shard without an identity on disk must not run: its dots would repeat.
  COVEY_CHECK(identity.start(*session, *config.engine));
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

const core::keyspace*
storage_shard_state::keyspace_of(const replica_op& op) const {
  return node->epoch->find_keyspace(op.keyspace);
}

std::string storage_shard_state::key_of(const core::keyspace& ks,
                                        const replica_op& op) const {
  return storage::record_key(core::group_id(ks.replication), op.slot,
                             op.keyspace, op.key);
}

void storage_shard_state::run_batch() {
  if (queue.empty())
    return;
  ++node->counters.batches;
  answer_groups now;
  std::vector<asked> writes;
  std::vector<asked> reads;
  for (auto& ops : queue)
    for (auto& op : ops.ops) {
      auto is_write
        = op.verb == replica_verb::put || op.verb == replica_verb::write;
      (is_write ? writes : reads).push_back({ops.from, std::move(op)});
    }
  queue.clear();
  queued = 0;
  if (drained) {
    for (auto* list : {&writes, &reads})
      for (auto& x : *list)
        now.add(x.from, failure(x.op.id, errc::shutting_down));
  } else {
    if (!writes.empty())
      write_all(writes, now);
    // Reads come after the commit: they never see what may yet be undone.
    for (auto& x : reads) {
      if (x.op.verb == replica_verb::scan)
        scan(x, now);
      else
        read(x, now);
    }
  }
  now.send(self, node->self);
  if (sequence_ > flush_asked_) {
    flush_asked_ = sequence_;
    self->send(flusher, flush_atom::value, config.shard, sequence_);
  }
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

void storage_shard_state::write_all(std::vector<asked>& batch,
                                    answer_groups& now) {
  struct outcome {
    replica_answer early;
    replica_answer late;
    uint64_t key_hash = 0;
  };
  if (unflushed_bytes_ > config.max_unflushed_bytes) {
    for (auto& x : batch)
      now.add(x.from, failure(x.op.id, errc::overloaded));
    return;
  }
  auto now_us = node->wall_us();
  std::vector<outcome> outcomes(batch.size());
  auto result = disk_full_ ? status::disk_full : session->begin();
  auto begun = result == status::ok;
  auto before = sequence_;
  for (size_t i = 0; i < batch.size() && result == status::ok; ++i) {
    auto& x = batch[i];
    auto& out = outcomes[i];
    const auto* ks = keyspace_of(x.op);
    COVEY_CHECK(ks != nullptr);
    out.key_hash = core::hash64(key_of(*ks, x.op));
    // Checked just before the dot is given: a node that was paused must not
    // execute what its client has given up.
    if (x.op.deadline_us < now_us) {
      out.late = failure(x.op.id, errc::deadline_expired);
      continue;
    }
    result = x.op.verb == replica_verb::put
               ? put(x, now_us, out.early, out.late)
               : merge(x, out.late);
  }
  auto early_answers = [&] {
    for (size_t i = 0; i < batch.size(); ++i)
      if (outcomes[i].early.kind == answer_kind::committed) {
        now.add(batch[i].from, std::move(outcomes[i].early));
        outcomes[i].early.kind = answer_kind::failed;
      }
  };
  if (config.planted == planted_bug::send_before_commit) {
    early_answers();
    now.send(self, node->self);
  }
  if (result == status::ok && sequence_ > before) {
    std::string row;
    core::byte_writer{row}.u64(sequence_);
    result = session->put(storage::system_table,
                          storage::sequence_row(config.shard), row);
    if (result == status::ok) {
      begun = false;
      result = session->commit();
    }
  }
  if (begun)
    session->rollback();
  if (result != status::ok) {
    sequence_ = before;
    // No dot of this batch has left, and none of its incarnation will.
    if (forgot_)
      renew("writes of its own that it does not know have been seen");
    node->disk_full = result == status::disk_full || disk_full_;
    if (result != last_refusal_)
      node->log->warn("storage-shard {} refuses writes: {}", config.shard,
                      storage::to_string(result));
    last_refusal_ = result;
    for (auto& x : batch)
      now.add(x.from, failure(x.op.id, code_of(result)));
    return;
  }
  last_refusal_ = status::ok;
  early_answers();
  for (size_t i = 0; i < batch.size(); ++i) {
    auto& out = outcomes[i];
    if (sequence_ > before && out.late.kind == answer_kind::durable
        && config.planted != planted_bug::ack_before_flush) {
      unflushed_[out.key_hash] = sequence_;
      written_.push_back({sequence_, out.key_hash, batch[i].op.bytes.size()});
      unflushed_bytes_ += written_.back().bytes;
    }
    if (out.late.kind == answer_kind::failed)
      now.add(batch[i].from, std::move(out.late));
    else
      answer_flushed(out.key_hash, batch[i].from, std::move(out.late), now);
  }
}

status storage_shard_state::load(const std::string& key,
                                 std::string_view& bytes) {
  if (filter_ready_ && !filter_.maybe_contains(key)) {
    ++node->counters.filter_skips;
    return status::not_found;
  }
  return session->get(table(), key, bytes);
}

status storage_shard_state::store(const std::string& key,
                                  const core::record& r) {
  scratch_.clear();
  core::encode(r, scratch_);
  auto result = session->put(table(), key, scratch_);
  if (result == status::ok) {
    filter_.add(key);
    ++sequence_;
  }
  return result;
}

status storage_shard_state::put(const asked& x, uint64_t now_us,
                                replica_answer& early, replica_answer& late) {
  const auto& op = x.op;
  const auto& ks = *keyspace_of(op);
  auto key = key_of(ks, op);
  std::string_view bytes;
  auto found = load(key, bytes);
  if (found != status::ok && found != status::not_found)
    return found;
  core::record r;
  if (found == status::ok) {
    auto decoded = core::decode_record(bytes);
    // A record that cannot be read is an error, never "not found".
    if (!decoded)
      return status::failed;
    r = std::move(*decoded);
  }
  late.id = early.id = op.id;
  if (auto known
      = op.request ? core::find_executed(r, op.request) : std::nullopt) {
    late.kind = answer_kind::durable;
    early.kind = answer_kind::committed;
    early.dot = known->id;
    early.stamp = known->stamp;
    early.bytes.assign(bytes);
    return status::ok;
  }
  auto floor = std::max(op.floor_stamp, r.highest_stamp());
  auto stamp = clock.next(now_us, floor);
  // Where stamps decide nothing, no clock keeps a key from being written.
  if (!stamp && ks.policy == core::conflict_policy::siblings)
    stamp = floor + 1;
  if (!stamp) {
    late = failure(op.id, errc::clock_skew);
    return status::ok;
  }
  auto kept = std::count_if(r.siblings.begin(), r.siblings.end(),
                            [&](const core::sibling& s) {
                              return !op.seen.covers(s.id);
                            });
  if (ks.policy == core::conflict_policy::siblings
      && kept >= static_cast<ptrdiff_t>(config.max_siblings)) {
    late = failure(op.id, errc::too_many_siblings);
    return status::ok;
  }
  core::write w;
  w.seen = op.seen;
  w.fresh.id = identity.next();
  // Whoever has seen this dot proves that we forgot having given it.
  if (r.seen.covers(w.fresh.id) || op.seen.covers(w.fresh.id)) {
    forgot_ = true;
    return status::failed;
  }
  w.fresh.stamp = *stamp;
  w.fresh.expires_at_ms = op.expires_at_ms;
  w.fresh.request = op.request;
  w.fresh.tombstone = op.tombstone;
  w.fresh.value = op.bytes;
  early.dot = w.fresh.id;
  early.stamp = *stamp;
  core::apply(r, w, ks.policy);
  auto result = store(key, r);
  if (result == status::ok) {
    late.kind = answer_kind::durable;
    early.kind = answer_kind::committed;
    early.bytes = scratch_;
  }
  return result;
}

void storage_shard_state::note_counters(const core::record& incoming) {
  for (const auto* part : {&incoming.seen.vector(), &incoming.seen.singles()})
    for (const auto& d : *part) {
      auto& highest = seen_of_others[d.inc];
      highest = std::max(highest, d.counter);
    }
  // Only incarnations in use matter: forgetting old ones is harmless.
  while (seen_of_others.size() > max_seen_of_others)
    seen_of_others.erase(seen_of_others.begin());
}

status storage_shard_state::merge(const asked& x, replica_answer& late) {
  const auto& op = x.op;
  const auto& ks = *keyspace_of(op);
  late.id = op.id;
  auto incoming = core::decode_record(op.bytes);
  if (!incoming) {
    late = failure(op.id, errc::bad_message, "the record cannot be decoded");
    return status::ok;
  }
  // Whoever knows more of our incarnation than we do proves that we forgot.
  if (incoming->seen.highest(identity.incarnation()) > identity.counter()) {
    forgot_ = true;
    return status::failed;
  }
  note_counters(*incoming);
  auto key = key_of(ks, op);
  std::string_view bytes;
  auto found = load(key, bytes);
  if (found != status::ok && found != status::not_found)
    return found;
  late.kind = answer_kind::durable;
  if (found == status::not_found)
    return store(key, *incoming);
  auto stored = core::decode_record(bytes);
  if (!stored)
    return status::failed;
  auto merged = core::merge(*stored, *incoming, ks.policy);
  if (core::same_version(merged, *stored))
    return status::ok;
  return store(key, merged);
}

void storage_shard_state::answer_flushed(uint64_t key_hash,
                                         const replica_asker_actor& to,
                                         replica_answer answer,
                                         answer_groups& now) {
  auto i = unflushed_.find(key_hash);
  if (i == unflushed_.end())
    now.add(to, std::move(answer));
  else
    waiting_.push_back({i->second, to, std::move(answer)});
}

void storage_shard_state::read(const asked& x, answer_groups& now) {
  const auto& op = x.op;
  auto key = key_of(*keyspace_of(op), op);
  std::string_view bytes;
  auto found = load(key, bytes);
  if (found != status::ok && found != status::not_found) {
    now.add(x.from, failure(op.id, errc::storage_failed));
    return;
  }
  replica_answer answer;
  answer.id = op.id;
  answer.kind = answer_kind::record;
  if (found == status::ok)
    answer.bytes.assign(bytes);
  if (op.flushed)
    answer_flushed(core::hash64(key), x.from, std::move(answer), now);
  else
    now.add(x.from, std::move(answer));
}

void storage_shard_state::flushed(uint64_t up_to) {
  while (!written_.empty() && written_.front().sequence <= up_to) {
    auto i = unflushed_.find(written_.front().key_hash);
    if (i != unflushed_.end() && i->second <= up_to)
      unflushed_.erase(i);
    unflushed_bytes_ -= written_.front().bytes;
    written_.pop_front();
  }
  answer_groups now;
  // Reads may wait for an older commit than what was queued before them.
  std::deque<waiting> rest;
  for (auto& x : waiting_) {
    if (x.sequence <= up_to)
      now.add(x.to, std::move(x.answer));
    else
      rest.push_back(std::move(x));
  }
  waiting_.swap(rest);
  now.send(self, node->self);
}

storage_shard_actor::behavior_type
storage_shard(storage_shard_actor::stateful_pointer<storage_shard_state> self,
              const storage_shard_config& config, const node_context_ptr& node,
              const flusher_actor& flusher) {
  auto& st = self->state;
  st.start(config, node, flusher);
  return {
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
    [&st](drain_atom) {
      return st.drain();
    },
  };
}

} // namespace covey
