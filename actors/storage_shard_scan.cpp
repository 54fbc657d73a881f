// The storage shard's long reads: pages of keys, and the Bloom filter.

#include "actors/storage_shard.hpp"
#include "core/scan_page.hpp"
#include "core/slot.hpp"
#include "storage/layout.hpp"

namespace covey {

using storage::status;

namespace {

/// Slots visited, and rows read, for one page at most.
constexpr uint32_t max_slots_per_page = 1024;
constexpr uint32_t max_rows_per_page = 4096;
/// The filter is saved in pieces of this size.
constexpr size_t filter_part_bytes = 512 * 1024;
/// Free space is looked at every so many ticks.
constexpr uint64_t ticks_per_disk_check = 16;

} // namespace

void storage_shard_state::scan(const asked& x, answer_groups& now) {
  const auto& op = x.op;
  if (!has_room(x, op.max_bytes, now))
    return;
  auto group = keyspace_of(op)->group;
  replica_answer answer;
  answer.id = op.id;
  std::string rows;
  uint32_t slot = op.slot;
  std::string after = op.key;
  uint32_t read_rows = 0;
  auto result = status::ok;
  auto full = false;
  for (uint32_t n = 0;
       slot <= op.last_slot && n < max_slots_per_page && !full
       && core::shard_of(static_cast<uint16_t>(slot), node->shards)
            == config.shard;
       ++n) {
    auto at = static_cast<uint16_t>(slot);
    const auto& prefix = op.bytes;
    auto resumes = !after.empty() && after >= prefix;
    auto from
      = storage::record_key(group, at, op.keyspace, resumes ? after : prefix);
    if (resumes)
      from.push_back('\0');
    auto to = op.keyspace == 0xffffffff
                ? storage::slot_begin(group, slot + 1)
                : storage::record_key(group, at, op.keyspace + 1, {});
    result = session->scan(
      table(), from, to, [&](std::string_view key, std::string_view value) {
        if (rows.size() >= op.max_bytes || read_rows >= max_rows_per_page) {
          full = true;
          return false;
        }
        ++read_rows;
        storage::record_position position;
        storage::parse_record_key(key, position);
        if (position.key.substr(0, prefix.size()) != prefix)
          return false;
        core::append_row(rows, position.key, value);
        after.assign(position.key);
        return true;
      });
    if (result != status::ok)
      break;
    if (!full) {
      ++slot;
      after.clear();
    }
  }
  if (result != status::ok) {
    answer.code = errc::storage_failed;
  } else {
    answer.kind = answer_kind::page;
    answer.bytes = core::encode_page(slot, after, rows);
    answer.charge = {node->answers, answer.bytes.size()};
    read_bytes_ += answer.bytes.size();
  }
  now.add(x.from, std::move(answer));
}

uint64_t storage_shard_state::counter_of(core::incarnation inc) const {
  auto i = seen_of_others.find(inc);
  return i != seen_of_others.end() ? i->second : 0;
}

void storage_shard_state::tick() {
  if (ticks_++ % ticks_per_disk_check == 0) {
    auto full = config.engine->disk_is_full();
    if (full != disk_full_)
      node->log->warn("storage-shard {} {}", config.shard,
                      full ? "refuses writes: the disk is nearly full, free "
                             "some space"
                           : "accepts writes again: the disk has space");
    disk_full_ = full;
    node->disk_full = full;
  }
  if (!filter_ready_ && !drained)
    extend_filter();
  if (!drained)
    trees_.read_some(*session);
}

void storage_shard_state::extend_filter() {
  size_t rows = 0;
  auto more = false;
  auto result = session->scan(table(), filter_position_, {},
                              [&](std::string_view key, std::string_view) {
                                if (rows++ == config.filter_rows_per_tick) {
                                  filter_position_.assign(key);
                                  more = true;
                                  return false;
                                }
                                filter_.add(key);
                                return true;
                              });
  // On a failed scan the filter stays "maybe" and is tried again.
  if (result != status::ok || more)
    return;
  filter_ready_ = true;
  node->log->debug("storage-shard {} has rebuilt its Bloom filter: {} keys",
                   config.shard, filter_.size());
}

bool storage_shard_state::load_filter() {
  std::string bytes;
  std::string_view part;
  uint32_t n = 0;
  while (session->get(storage::system_table,
                      storage::filter_row(config.shard, n), part)
         == status::ok) {
    bytes.append(part);
    ++n;
  }
  auto loaded = core::bloom_filter::decode(bytes);
  // From now on the saved copy grows stale, and must not be found again.
  if (n > 0) {
    auto result = session->begin();
    for (uint32_t i = 0; i < n && result == status::ok; ++i)
      result = session->remove(storage::system_table,
                               storage::filter_row(config.shard, i));
    if (result != status::ok) {
      session->rollback();
      return false;
    }
    if (session->commit() != status::ok)
      return false;
    if (!config.engine->flush())
      config.engine->checkpoint();
  }
  if (!loaded)
    return false;
  filter_ = std::move(*loaded);
  return true;
}

bool storage_shard_state::drain() {
  run_batch();
  if (drained)
    return clean;
  drained = true;
  auto result = session->begin();
  if (filter_ready_ && result == status::ok) {
    auto bytes = filter_.encode();
    uint32_t part = 0;
    for (size_t at = 0; at < bytes.size() && result == status::ok;
         at += filter_part_bytes)
      result = session->put(
        storage::system_table, storage::filter_row(config.shard, part++),
        std::string_view{bytes}.substr(at, filter_part_bytes));
  }
  if (result == status::ok)
    result = trees_.save(*session);
  // The mark comes last: whatever it vouches for is in the same transaction.
  if (result == status::ok)
    result = identity.save_clean(*session);
  if (result != status::ok) {
    session->rollback();
    return false;
  }
  if (session->commit() != status::ok)
    return false;
  if (!config.engine->flush())
    config.engine->checkpoint();
  flushed(sequence_);
  clean = true;
  return true;
}

} // namespace covey
