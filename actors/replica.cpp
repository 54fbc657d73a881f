#include "actors/replica.hpp"

#include <algorithm>

namespace covey {

errc replica_state::check(const replica_op& op, uint64_t now_us) const {
  if (view->id() < op.epoch)
    return errc::behind;
  const auto* ks = view->find_keyspace(op.keyspace);
  if (ks == nullptr)
    return errc::unknown_keyspace;
  if (op.slot >= core::slot_count)
    return errc::bad_message;
  if (op.deadline_us < now_us)
    return errc::deadline_expired;
  if (is_stale(op, *ks))
    return errc::stale_epoch;
  // An empty answer of a disk that has forgotten would be taken for the truth.
  auto reads = op.verb == replica_verb::read || op.verb == replica_verb::scan;
  if (reads && node->disk_lost)
    return errc::disk_lost;
  if (op.key.size() > config.max_key_bytes)
    return errc::key_too_large;
  if (op.verb == replica_verb::scan)
    return op.last_slot >= op.slot && op.last_slot < core::slot_count
             ? errc::none
             : errc::bad_message;
  if (op.key.empty())
    return errc::empty_key;
  if (core::slot_of(op.key, ks->hash_tags) != op.slot
      || core::shard_of(op.slot, node->shards) != config.shard)
    return errc::bad_message;
  return check_ownership(op, ks->at(op.slot));
}

bool replica_state::is_stale(const replica_op& op,
                             const core::placed_keyspace& ks) const {
  if (op.epoch == view->id())
    return false;
  if (op.verb != replica_verb::scan)
    return op.epoch < ks.changed_in(op.slot);
  auto last = std::min<uint32_t>(op.last_slot, core::slot_count - 1);
  for (uint32_t slot = op.slot; slot <= last; ++slot)
    if (op.epoch < ks.changed_in(static_cast<uint16_t>(slot)))
      return true;
  return false;
}

void replica_state::take(replica_ops& ops) {
  auto now_us = node->wall_us();
  std::vector<replica_answer> refused;
  auto keep
    = std::remove_if(ops.ops.begin(), ops.ops.end(), [&](replica_op& op) {
        auto code = check(op, now_us);
        if (code == errc::none)
          return false;
        if (code == errc::behind) {
          ++node->counters.waited_for_epoch;
          ++node->epochs_missed;
          auto bytes = op.key.size() + op.bytes.size();
          if (early.admit(ops.from, op, bytes, now_us))
            return true;
        }
        auto answer = refusal(op.id, code);
        if (code == errc::stale_epoch) {
          ++node->counters.stale_operations;
          // Its coordinator is of this node, and will plan anew.
          if (op.verb == replica_verb::put)
            answer.bytes = std::move(op.bytes);
        }
        refused.push_back(std::move(answer));
        return true;
      });
  ops.ops.erase(keep, ops.ops.end());
  if (!refused.empty())
    self->send(ops.from, replica_answers{node->self, std::move(refused)});
  if (!ops.ops.empty())
    self->send(shard, std::move(ops));
}

void replica_state::adopt(view_ptr next) {
  view = std::move(next);
  for (auto& x : early.leave()) {
    replica_ops ops;
    ops.from = x.from;
    ops.ops.push_back(std::move(x.op));
    take(ops);
  }
}

errc replica_state::check_ownership(const replica_op& op,
                                    const core::preference_list& list) const {
  auto keeps = op.verb == replica_verb::hint || op.verb == replica_verb::mark;
  if (keeps) {
    auto target = view->member_of(op.hint_for);
    if (!target || *target == node->self || !list.is_home(*target))
      return errc::bad_message;
  }
  if (list.is_home(node->self))
    return op.parked ? errc::not_owner : errc::none;
  // A fallback has only hints, each with a record of its own.
  auto is_fallback
    = std::find(list.begin() + list.homes, list.end(), node->self)
      != list.end();
  auto allowed
    = op.parked || (op.verb == replica_verb::hint && !op.bytes.empty());
  return is_fallback && allowed ? errc::none : errc::not_owner;
}

replica_actor::behavior_type
replica(loop_pointer<replica_actor, replica_state> self,
        const replica_config& config, const node_context_ptr& node,
        const storage_shard_actor& shard) {
  auto& st = self->state;
  st.config = config;
  st.node = node;
  st.view = node->newest_view();
  st.shard = shard;
  return {
    [&st](replica_ops& ops) {
      st.take(ops);
    },
    [&st](epoch_atom, view_ptr& next) {
      st.adopt(std::move(next));
    },
  };
}

} // namespace covey
