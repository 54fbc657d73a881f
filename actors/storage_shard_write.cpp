// The storage shard's writes: where versions meet.

#include "actors/storage_shard.hpp"
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

} // namespace

void storage_shard_state::write_all(std::vector<asked>& batch,
                                    answer_groups& now) {
  struct outcome {
    replica_answer early;
    replica_answer late;
    uint64_t key_hash = 0;
  };
  if (unflushed_bytes_ > config.max_unflushed_bytes) {
    for (auto& x : batch)
      now.add(x.from, refusal(x.op.id, errc::overloaded,
                              node->me().name
                                + " waits for its disk: as many bytes "
                                  "are not flushed as may be"));
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
    auto key = key_of(*ks, x.op);
    out.key_hash = core::hash64(key);
    trees_.expect(key);
    // Checked just before the dot is given: a node that was paused must not
    // execute what its client has given up.
    if (x.op.deadline_us < now_us
        && config.planted != planted_bug::ignore_deadline) {
      out.late = refusal(x.op.id, errc::deadline_expired);
      continue;
    }
    switch (x.op.verb) {
      case replica_verb::put:
        result = put(x, now_us, out.early, out.late);
        break;
      case replica_verb::hint:
        result = keep_hint(x, out.late);
        break;
      case replica_verb::mark:
        result = mark_slot(x, out.late);
        break;
      default:
        result = merge(x, out.late);
    }
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
    send_answers(now);
  }
  if (result == status::ok && sequence_ > before) {
    std::string row;
    core::byte_writer{row}.u64(sequence_);
    result = session->put(storage::system_table,
                          storage::sequence_row(config.shard), row);
    if (result == status::ok)
      result = hints_.save(*session);
    if (result == status::ok) {
      begun = false;
      result = session->commit();
    }
  }
  if (begun)
    session->rollback();
  if (result != status::ok) {
    sequence_ = before;
    hints_.rolled_back();
    trees_.rolled_back();
    // No dot of this batch has left, and none of its incarnation will.
    if (forgot_)
      renew("writes of its own that it does not know have been seen");
    node->disk_full = result == status::disk_full || disk_full_;
    if (result != last_refusal_)
      node->log->warn("storage-shard {} refuses writes: {}", config.shard,
                      storage::to_string(result));
    last_refusal_ = result;
    for (auto& x : batch) {
      auto refused = refusal(x.op.id, code_of(result));
      if (result == status::disk_full && x.op.verb == replica_verb::put)
        refused.bytes = std::move(x.op.bytes);
      now.add(x.from, std::move(refused));
    }
    return;
  }
  last_refusal_ = status::ok;
  hints_.committed();
  trees_.committed();
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
      answer_flushed(out.key_hash, batch[i], std::move(out.late), now);
  }
}

status storage_shard_state::load(const std::string& key,
                                 std::string_view& bytes) {
  if (filter_ready_ && !filter_.maybe_contains(key)) {
    ++node->counters.filter_skips;
    return status::not_found;
  }
  auto found = session->get(table(), key, bytes);
  if (found == status::failed
      && config.planted == planted_bug::error_is_absence)
    return status::not_found;
  return found;
}

std::optional<uint64_t>
storage_shard_state::version_of(std::string_view stored,
                                const core::record& r) const {
  if (!config.trees || stored.empty())
    return std::nullopt;
  return core::version_hash(r);
}

status storage_shard_state::store(const std::string& key,
                                  std::optional<uint64_t> old,
                                  const core::record& r) {
  scratch_.clear();
  core::encode(r, scratch_);
  auto result = session->put(table(), key, scratch_);
  if (result == status::ok) {
    filter_.add(key);
    ++sequence_;
    result = trees_.changed(*session, key, old, r);
  }
  return result;
}

status storage_shard_state::put(const asked& x, uint64_t now_us,
                                replica_answer& early, replica_answer& late) {
  const auto& op = x.op;
  const auto& ks = *keyspace_of(op);
  auto key = key_of(ks, op);
  std::string bytes;
  auto request = config.planted == planted_bug::forget_requests
                   ? core::request_id{}
                   : op.request;
  core::record r;
  auto found = base_of(x, key, bytes, r);
  if (found != status::ok)
    return found;
  late.id = early.id = op.id;
  if (auto known = request ? core::find_executed(r, request) : std::nullopt) {
    late.kind = answer_kind::durable;
    early.kind = answer_kind::committed;
    early.dot = known->id;
    early.stamp = known->stamp;
    early.bytes = std::move(bytes);
    early.charge = {node->answers, early.bytes.size()};
    return op.parked ? status::ok : keep_absent(op);
  }
  auto floor = std::max(op.floor_stamp, r.highest_stamp());
  auto decides = ks.policy == core::conflict_policy::lww;
  auto asked_us = op.asked_us != 0 ? op.asked_us : now_us;
  auto stamp
    = decides ? clock.of(asked_us, now_us, floor) : clock.next(now_us, floor);
  // Where stamps decide nothing, no clock keeps a key from being written.
  if (!stamp && !decides)
    stamp = floor + 1;
  if (!stamp) {
    late = refusal(op.id, errc::clock_skew);
    return status::ok;
  }
  auto kept = std::count_if(r.siblings.begin(), r.siblings.end(),
                            [&](const core::sibling& s) {
                              return !op.seen.covers(s.id);
                            });
  if (ks.policy == core::conflict_policy::siblings
      && kept >= static_cast<ptrdiff_t>(config.max_siblings)) {
    late = refusal(op.id, errc::too_many_siblings);
    return status::ok;
  }
  core::write w;
  w.seen = op.seen;
  w.fresh.id = op.parked ? hints_.parking_dot() : identity.next();
  // Whoever has seen this dot proves that we forgot having given it.
  if (r.seen.covers(w.fresh.id) || op.seen.covers(w.fresh.id)) {
    forgot_ = true;
    return status::failed;
  }
  w.fresh.stamp = *stamp;
  w.fresh.expires_at_ms = op.expires_at_ms;
  w.fresh.request = request;
  w.fresh.tombstone = op.tombstone;
  w.fresh.value = op.bytes;
  early.dot = w.fresh.id;
  early.stamp = *stamp;
  auto old = version_of(bytes, r);
  core::apply(r, w, ks.policy);
  auto result = store_put(x, key, old, r, late);
  if (result == status::ok && late.kind == answer_kind::durable) {
    early.kind = answer_kind::committed;
    early.bytes = scratch_;
    early.charge = {node->answers, early.bytes.size()};
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
    late = refusal(op.id, errc::bad_message, "the record cannot be decoded");
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
    return store(key, std::nullopt, *incoming);
  auto stored = core::decode_record(bytes);
  if (!stored)
    return status::failed;
  auto merged = core::merge(*stored, *incoming, ks.policy);
  if (core::same_version(merged, *stored))
    return status::ok;
  return store(key, version_of(bytes, *stored), merged);
}

} // namespace covey
