// What a shard knows of its trees when it starts.

#include "actors/shard_trees.hpp"
#include "core/bytes.hpp"
#include "core/slot.hpp"
#include "storage/layout.hpp"

#include <set>

namespace covey {

using storage::status;

namespace {

constexpr uint8_t format = 1;
/// Of the system table in one scan.
constexpr size_t rows_per_scan = 4096;

std::string made_with() {
  std::string result;
  core::byte_writer out{result};
  out.u8(format);
  out.u32(tree_number);
  return result;
}

uint32_t first_slot(uint32_t shard, uint32_t shards) {
  return (shard * core::slot_count + shards - 1) / shards;
}

/// All rows that begin with `prefix`; false if the store cannot tell.
template <class Visit>
bool visit_prefix(storage::session& session, const std::string& prefix,
                  const Visit& visit) {
  auto end = storage::end_of_prefix(prefix);
  auto from = prefix;
  for (auto more = true; more;) {
    more = false;
    size_t rows = 0;
    auto result
      = session.scan(storage::system_table, from, end,
                     [&](std::string_view key, std::string_view value) {
                       if (rows++ == rows_per_scan) {
                         from.assign(key);
                         more = true;
                         return false;
                       }
                       visit(key, value);
                       return true;
                     });
    if (result != status::ok)
      return false;
  }
  return true;
}

/// The rows of the slots that have records, as far as `out` is concerned: a
/// seek for each. False if the store cannot tell.
bool find_slots(storage::session& session, uint32_t shard,
                std::set<std::string>& out) {
  std::string from;
  for (auto found = true; found;) {
    found = false;
    storage::record_position at;
    auto result
      = session.scan(shard, from, {}, [&](std::string_view key, auto&&) {
          found = storage::parse_record_key(key, at);
          return false;
        });
    if (result != status::ok)
      return false;
    if (found) {
      out.insert(storage::tree_row(shard, at.group, at.slot));
      from = storage::slot_begin(at.group, at.slot + 1u);
    }
  }
  return true;
}

} // namespace

bool shard_trees::load(storage::session& session,
                       const shard_trees_config& config,
                       node_context_ptr node) {
  config_ = config;
  node_ = std::move(node);
  first_ = first_slot(config_.shard, node_->shards);
  end_ = first_slot(config_.shard + 1, node_->shards);
  std::string_view bytes;
  auto found = session.get(storage::system_table,
                           storage::trees_row(config_.shard), bytes);
  if (found == status::failed)
    return false;
  if (!config_.enabled)
    return found == status::not_found || forget(session);
  auto known = found == status::ok && bytes == made_with();
  if (!known && !begin_anew(session))
    return false;
  if (!load_rows(session))
    return false;
  publish();
  return true;
}

bool shard_trees::load_rows(storage::session& session) {
  return visit_prefix(
    session, storage::tree_prefix(config_.shard),
    [this](std::string_view key, std::string_view value) {
      place at;
      auto mine = storage::parse_tree_row(key, config_.shard, at.group, at.slot)
                  && is_mine(at.slot);
      if (!mine)
        return;
      auto saved = !value.empty() && value.front() == saved_row
                     ? core::merkle_tree::decode(value.substr(1))
                     : std::nullopt;
      // What cannot be understood is as good as dirty.
      if (!saved) {
        set_dirty(at);
        return;
      }
      auto& slot = make(at);
      set_tree(slot, std::move(*saved));
      if (slot.tree.outgrown())
        enqueue(at, slot);
    });
}

/// For a store that has no trees, or those of another function: every slot that
/// has records gets a row that says dirty.
bool shard_trees::begin_anew(storage::session& session) {
  std::set<std::string> old;
  std::set<std::string> dirty;
  auto seen = visit_prefix(session, storage::tree_prefix(config_.shard),
                           [&old](std::string_view key, auto&&) {
                             old.emplace(key);
                           });
  if (!seen || !find_slots(session, config_.shard, dirty)
      || session.begin() != status::ok)
    return false;
  auto result = status::ok;
  for (const auto& row : old)
    if (result == status::ok && dirty.count(row) == 0)
      result = session.remove(storage::system_table, row);
  for (const auto& row : dirty)
    if (result == status::ok)
      result = session.put(storage::system_table, row,
                           std::string_view{&dirty_row, 1});
  if (result == status::ok)
    result = session.put(storage::system_table,
                         storage::trees_row(config_.shard), made_with());
  if (result != status::ok) {
    session.rollback();
    return false;
  }
  return session.commit() == status::ok;
}

/// What is written without trees must be found by the next start with them.
bool shard_trees::forget(storage::session& session) {
  if (session.begin() != status::ok)
    return false;
  if (session.remove(storage::system_table, storage::trees_row(config_.shard))
      != status::ok) {
    session.rollback();
    return false;
  }
  return session.commit() == status::ok;
}

} // namespace covey
