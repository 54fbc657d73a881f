// The storage shard's hints: what it keeps for members that are away.

#include "actors/storage_shard.hpp"
#include "storage/layout.hpp"

namespace covey {

using storage::status;

hint_place storage_shard_state::place_of(const core::placed_keyspace& ks,
                                         const replica_op& op,
                                         const core::uuid& target) {
  return {target, ks.group, op.slot, op.keyspace, op.key};
}

status storage_shard_state::keep_hint(const asked& x, replica_answer& late) {
  const auto& op = x.op;
  const auto& ks = *keyspace_of(op);
  late.id = op.id;
  if (!op.bytes.empty()) {
    auto incoming = core::decode_record(op.bytes);
    if (!incoming) {
      late = refusal(op.id, errc::bad_message, "the record cannot be decoded");
      return status::ok;
    }
    note_counters(*incoming);
  }
  late.kind = answer_kind::durable;
  if (config.planted == planted_bug::drop_hint)
    return status::ok;
  ++sequence_;
  hint_table::outcome kept{};
  auto result = hints_.keep(*session, place_of(ks, op, op.hint_for), op.bytes,
                            ks.policy, sequence_, kept);
  if (kept == hint_table::outcome::no_room && !op.bytes.empty())
    late = refusal(op.id, errc::overloaded,
                   node->me().name + " keeps as many hints as it may");
  return result;
}

status storage_shard_state::mark_slot(const asked& x, replica_answer& late) {
  late.id = x.op.id;
  late.kind = answer_kind::durable;
  ++sequence_;
  return hints_.mark(*session,
                     place_of(*keyspace_of(x.op), x.op, x.op.hint_for));
}

status storage_shard_state::base_of(const asked& x, const std::string& key,
                                    std::string& bytes, core::record& r) {
  const auto& op = x.op;
  if (op.parked) {
    const auto& ks = *keyspace_of(op);
    auto found = hints_.parked(*session, place_of(ks, op, {}), op.absent,
                               ks.policy, bytes);
    if (found != status::ok)
      return found;
  } else {
    std::string_view stored;
    auto found = load(key, stored);
    if (found != status::ok && found != status::not_found)
      return found;
    if (found == status::ok)
      bytes.assign(stored);
  }
  if (bytes.empty())
    return status::ok;
  auto decoded = core::decode_record(bytes);
  // A record that cannot be read is an error, never "not found".
  if (!decoded)
    return status::failed;
  r = std::move(*decoded);
  return status::ok;
}

status storage_shard_state::store_put(const asked& x, const std::string& key,
                                      std::optional<uint64_t> old,
                                      const core::record& r,
                                      replica_answer& late) {
  const auto& op = x.op;
  late.kind = answer_kind::durable;
  if (!op.parked) {
    auto result = store(key, old, r);
    return result == status::ok ? keep_absent(op) : result;
  }
  scratch_.clear();
  core::encode(r, scratch_);
  ++sequence_;
  const auto& ks = *keyspace_of(op);
  std::vector<core::uuid> homeless;
  for (const auto& target : op.absent) {
    hint_table::outcome kept{};
    auto result = hints_.keep(*session, place_of(ks, op, target), scratch_,
                              ks.policy, sequence_, kept);
    if (result != status::ok)
      return result;
    if (kept == hint_table::outcome::no_room)
      homeless.push_back(target);
  }
  // It is the only copy: with no room for any home there is none.
  if (homeless.size() == op.absent.size()) {
    late = refusal(op.id, errc::overloaded,
                   node->me().name + " keeps as many hints as it may");
    return status::ok;
  }
  for (const auto& target : homeless)
    if (auto result = hints_.mark(*session, place_of(ks, op, target));
        result != status::ok)
      return result;
  return status::ok;
}

status storage_shard_state::keep_absent(const replica_op& op) {
  if (config.planted == planted_bug::drop_hint)
    return status::ok;
  for (const auto& target : op.absent) {
    hint_table::outcome kept{};
    ++sequence_;
    auto result
      = hints_.keep(*session, place_of(*keyspace_of(op), op, target), {},
                    core::conflict_policy::siblings, sequence_, kept);
    if (result != status::ok)
      return result;
  }
  return status::ok;
}

hint_page storage_shard_state::read_hints(const hint_query& query) {
  if (drained)
    return {};
  using found_record = std::optional<std::string>;
  return hints_.page(
    *session, query, [this](const hint_row& row) -> found_record {
      const auto* ks = view->find_keyspace(row.keyspace);
      if (ks == nullptr)
        return row.record;
      std::string_view stored;
      auto found
        = load(storage::record_key(ks->group, row.slot, row.keyspace, row.key),
               stored);
      if (found == status::not_found)
        return row.record;
      if (found != status::ok)
        return std::nullopt;
      if (row.record.empty())
        return std::string{stored};
      auto x = core::decode_record(row.record);
      auto y = core::decode_record(stored);
      if (!x || !y)
        return std::nullopt;
      std::string merged;
      core::encode(core::merge(*x, *y, ks->policy), merged);
      return merged;
    });
}

void storage_shard_state::forget_hints(const hint_removal& what) {
  if (drained)
    return;
  hints_.remove(*session, what);
}

} // namespace covey
