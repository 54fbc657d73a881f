#include "actors/shard_trees.hpp"

#include "core/check.hpp"
#include "storage/layout.hpp"

#include <algorithm>

namespace covey {

using storage::status;

namespace {

/// Of a slot whose size is not known before it was read: enough for 65,536
/// keys, and folded afterwards.
constexpr uint8_t reading_depth = 10;

void apply(core::merkle_tree& tree, uint64_t key_hash,
           const std::optional<uint64_t>& old, uint64_t version) {
  if (old)
    tree.replace(key_hash, *old, version);
  else
    tree.add(key_hash, version);
}

} // namespace

const shard_trees::slot_tree* shard_trees::find(uint32_t group,
                                                uint16_t slot) const {
  for (const auto& x : groups_)
    if (x.group == group)
      return x.slots[slot - first_];
  return nullptr;
}

shard_trees::slot_tree& shard_trees::make(const place& at) {
  COVEY_CHECK(is_mine(at.slot));
  auto i = std::find_if(groups_.begin(), groups_.end(), [&at](const auto& x) {
    return x.group == at.group;
  });
  if (i == groups_.end()) {
    groups_.push_back({at.group, {}});
    i = groups_.end() - 1;
    i->slots.resize(end_ - first_);
    totals_.bytes += i->slots.size() * sizeof(i->slots[0]);
  }
  auto& result = i->slots[at.slot - first_];
  if (result == nullptr) {
    result = &slots_.emplace_back();
    totals_.bytes += sizeof(slot_tree);
  }
  return *result;
}

void shard_trees::expect(std::string_view key) const {
  storage::record_position at;
  if (storage::parse_record_key(key, at) && is_mine(at.slot))
    if (const auto* slot = find(at.group, at.slot))
      __builtin_prefetch(slot, 1);
}

void shard_trees::set_tree(slot_tree& slot, core::merkle_tree tree) {
  totals_.bytes += tree.memory_bytes() - slot.tree.memory_bytes();
  slot.tree = std::move(tree);
}

void shard_trees::set_dirty(const place& at) {
  auto& slot = make(at);
  slot.dirty = true;
  ++totals_.dirty;
  slot.ready = false;
  ++totals_.unready;
  enqueue(at, slot);
}

void shard_trees::enqueue(const place& at, slot_tree& slot) {
  if (slot.queued)
    return;
  slot.queued = true;
  queue_.push_back(at);
}

status shard_trees::changed(storage::session& session, std::string_view key,
                            std::optional<uint64_t> old,
                            const core::record& r) {
  if (!config_.enabled)
    return status::ok;
  storage::record_position position;
  COVEY_CHECK(storage::parse_record_key(key, position));
  place at{position.group, position.slot};
  auto& slot = make(at);
  auto was_read
    = reading_ && reading_->slot == &slot && key <= reading_->position;
  if (slot.ready || was_read)
    changes_.push_back({at, &slot,
                        core::tree_key_hash(storage::named_part(key)), old,
                        core::version_hash(r), was_read});
  if (slot.dirty || slot.marked)
    return status::ok;
  slot.marked = true;
  marked_.push_back(&slot);
  return session.put(storage::system_table,
                     storage::tree_row(config_.shard, at.group, at.slot),
                     std::string_view{&dirty_row, 1});
}

void shard_trees::committed() {
  for (const auto& x : changes_) {
    if (x.was_read)
      apply(reading_->tree, x.key_hash, x.old, x.version);
    if (!x.slot->ready)
      continue;
    apply(x.slot->tree, x.key_hash, x.old, x.version);
    if (x.slot->tree.outgrown())
      enqueue(x.at, *x.slot);
  }
  changes_.clear();
  for (auto* slot : marked_) {
    slot->marked = false;
    slot->dirty = true;
    ++totals_.dirty;
  }
  marked_.clear();
  publish();
}

void shard_trees::rolled_back() {
  changes_.clear();
  for (auto* slot : marked_)
    slot->marked = false;
  marked_.clear();
}

status shard_trees::save(storage::session& session) {
  std::string row;
  for (const auto& group : groups_)
    for (size_t i = 0; i < group.slots.size(); ++i) {
      const auto* slot = group.slots[i];
      // Another's row is as it should be.
      if (slot == nullptr || !slot->dirty || !slot->ready)
        continue;
      row.assign(1, saved_row);
      slot->tree.encode(row);
      auto result
        = session.put(storage::system_table,
                      storage::tree_row(config_.shard, group.group,
                                        static_cast<uint16_t>(first_ + i)),
                      row);
      if (result != status::ok)
        return result;
    }
  return status::ok;
}

void shard_trees::read_some(storage::session& session) {
  size_t rows = 0;
  size_t bytes = 0;
  while (rows < config_.rows_per_tick && bytes < config_.bytes_per_tick) {
    if (!reading_) {
      if (queue_.empty())
        break;
      auto at = queue_.front();
      queue_.pop_front();
      auto& slot = make(at);
      auto depth = std::max(
        reading_depth,
        core::merkle_tree::depth_for(slot.ready ? slot.tree.keys() : 0));
      reading_ = reading{at, &slot, core::merkle_tree{depth}, {}};
    }
    auto before = rows;
    read_next(session, rows, bytes);
    // The disk refuses: tried again at the next tick.
    if (rows == before)
      break;
  }
  publish();
}

/// Reads on in the slot of `reading_`, and ends it with the slot. Counts one
/// row more than there are: empty slots take time as well.
void shard_trees::read_next(storage::session& session, size_t& rows,
                            size_t& bytes) {
  auto& x = *reading_;
  auto from = x.position.empty() ? storage::slot_begin(x.at.group, x.at.slot)
                                 : x.position + '\0';
  auto more = false;
  auto damaged = false;
  auto result = session.scan(
    config_.shard, from, storage::slot_begin(x.at.group, x.at.slot + 1u),
    [&](std::string_view key, std::string_view value) {
      if (rows >= config_.rows_per_tick || bytes >= config_.bytes_per_tick) {
        more = true;
        return false;
      }
      auto r = core::decode_record(value);
      if (!r) {
        damaged = true;
        return false;
      }
      x.tree.add(core::tree_key_hash(storage::named_part(key)),
                 core::version_hash(*r));
      x.position.assign(key);
      ++rows;
      bytes += value.size();
      return true;
    });
  if (result != status::ok)
    return;
  ++rows;
  if (damaged) {
    // It stays in the queue's books, so that only the next start tries again.
    node_->log->error("storage-shard {} cannot compare slot {} with other "
                      "replicas: a record in it cannot be decoded",
                      config_.shard, x.at.slot);
    reading_.reset();
  } else if (!more) {
    finish_reading();
  }
}

void shard_trees::finish_reading() {
  auto& x = *reading_;
  auto& slot = *x.slot;
  auto differs
    = slot.ready
      && (slot.tree.sum() != x.tree.sum() || slot.tree.keys() != x.tree.keys());
  if (differs)
    node_->log->error("storage-shard {} finds that its tree of slot {} was not "
                      "that of its records",
                      config_.shard, x.at.slot);
  x.tree.fold(
    std::min(x.tree.depth(), core::merkle_tree::depth_for(x.tree.keys())));
  set_tree(slot, std::move(x.tree));
  totals_.unready -= slot.ready ? 0 : 1;
  slot.ready = true;
  slot.queued = false;
  if (slot.tree.outgrown())
    enqueue(x.at, slot);
  reading_.reset();
}

roots_page shard_trees::roots(const roots_query& query) const {
  roots_page result;
  for (uint32_t i = std::max<uint32_t>(query.first, first_);
       i <= query.last && i < end_; ++i) {
    tree_root root;
    root.slot = static_cast<uint16_t>(i);
    const auto* slot = find(query.group, root.slot);
    root.ready = config_.enabled && (slot == nullptr || slot->ready);
    if (slot != nullptr && slot->ready) {
      root.depth = slot->tree.depth();
      root.sum = slot->tree.sum();
      root.keys = slot->tree.keys();
    }
    result.roots.push_back(root);
  }
  return result;
}

leaves_page shard_trees::leaves(const leaves_query& query) const {
  if (!config_.enabled || !is_mine(query.slot))
    return {};
  static const core::merkle_tree none;
  const auto* slot = find(query.group, query.slot);
  const auto& tree = slot != nullptr ? slot->tree : none;
  if ((slot != nullptr && !slot->ready) || query.depth > tree.depth())
    return {};
  return {true, tree.sums(query.depth)};
}

/// Gauges are sums over shards: unsigned differences wrap as they should.
void shard_trees::publish() {
  if (totals_.dirty == published_.dirty && totals_.unready == published_.unready
      && totals_.bytes == published_.bytes)
    return;
  auto& to = node_->trees;
  to.unready += totals_.unready - published_.unready;
  to.dirty += totals_.dirty - published_.dirty;
  to.bytes += totals_.bytes - published_.bytes;
  published_ = totals_;
}

} // namespace covey
