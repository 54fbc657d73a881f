#include "actors/storage_shard_hints.hpp"

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "storage/layout.hpp"

namespace covey {

using storage::status;

namespace {

/// Rows visited for one page at most, and in one scan of the store: a row may
/// stand for a record of any size, which is known only once it is read.
constexpr size_t max_rows_per_page = 1024;
constexpr size_t max_rows_per_look = 16;

std::string row_key(uint32_t shard, const hint_place& at) {
  return storage::hint_prefix(shard, at.target)
         + storage::record_key(at.group, at.slot, at.keyspace, at.key);
}

} // namespace

bool hint_table::load(storage::session& session,
                      const hint_table_config& config, node_context_ptr node) {
  config_ = config;
  node_ = std::move(node);
  random_.seed(config.seed);
  std::string_view bytes;
  auto found = session.get(storage::system_table,
                           storage::hint_totals_row(config_.shard), bytes);
  if (found != status::ok)
    return found == status::not_found;
  core::byte_reader in{bytes};
  auto format = in.u8();
  marks_ = in.u64();
  while (in.ok() && in.remaining() > 0) {
    core::uuid target;
    target.high = in.u64();
    target.low = in.u64();
    auto& total = totals_[target];
    total.rows = in.u64();
    total.bytes = in.u64();
  }
  if (!in.done() || format != 1)
    return false;
  publish();
  return true;
}

status hint_table::save(storage::session& session) {
  if (!changed_)
    return status::ok;
  std::string row;
  core::byte_writer out{row};
  out.u8(1);
  out.u64(marks_);
  for (const auto& [target, total] : totals_) {
    if (total.rows == 0)
      continue;
    out.u64(target.high);
    out.u64(target.low);
    out.u64(total.rows);
    out.u64(total.bytes);
  }
  return session.put(storage::system_table,
                     storage::hint_totals_row(config_.shard), row);
}

void hint_table::add(const core::uuid& target, int64_t rows, int64_t bytes) {
  auto& total = totals_[target];
  total.rows += static_cast<uint64_t>(rows);
  total.bytes += static_cast<uint64_t>(bytes);
  changed_ = true;
}

void hint_table::committed() {
  if (!changed_)
    return;
  publish();
  node_->counters.hints_stored += stored_;
  node_->counters.hints_dropped += dropped_;
  stored_ = dropped_ = 0;
  changed_ = false;
}

void hint_table::rolled_back() {
  totals_ = committed_;
  marks_ = committed_marks_;
  stored_ = dropped_ = 0;
  changed_ = false;
}

/// Gauges are sums over shards: unsigned differences wrap as they should.
void hint_table::publish() {
  for (const auto& [target, total] : totals_) {
    // Of a member that the epoch does not have: kept, and handed to nobody.
    auto member = node_->member_of(target);
    if (!member)
      continue;
    auto& before = committed_[target];
    node_->hints[*member].rows += total.rows - before.rows;
    node_->hints[*member].bytes += total.bytes - before.bytes;
  }
  node_->repair_marks += marks_ - committed_marks_;
  committed_ = totals_;
  committed_marks_ = marks_;
}

uint64_t hint_table::bytes_for(const core::uuid& target) const {
  auto now = totals_.find(target);
  auto before = committed_.find(target);
  auto result = now != totals_.end() ? now->second.bytes : 0;
  auto member = node_->member_of(target);
  if (member)
    result += node_->hints[*member].bytes
              - (before != committed_.end() ? before->second.bytes : 0);
  return result;
}

status hint_table::keep(storage::session& session, const hint_place& at,
                        std::string_view record, core::conflict_policy policy,
                        uint64_t version, outcome& out) {
  auto key = row_key(config_.shard, at);
  std::string_view bytes;
  auto found = session.get(storage::system_table, key, bytes);
  if (found != status::ok && found != status::not_found)
    return found;
  core::hint h;
  std::string kept;
  std::string merged;
  if (found == status::ok) {
    kept.assign(bytes);
    auto old = core::decode_hint(kept);
    if (!old)
      return status::failed;
    h = *old;
  } else {
    h.since_ms = node_->wall_us() / 1000;
  }
  h.version = version;
  h.stored = h.stored || record.empty();
  if (!record.empty() && !h.record.empty()) {
    auto ours = core::decode_record(h.record);
    auto theirs = core::decode_record(record);
    if (!ours || !theirs)
      return status::failed;
    core::encode(core::merge(*ours, *theirs, policy), merged);
    h.record = merged;
  } else if (!record.empty()) {
    h.record = record;
  }
  auto value = core::encode(h);
  auto size = found == status::ok ? 0 : key.size();
  auto growth = static_cast<int64_t>(size + value.size())
                - static_cast<int64_t>(kept.size());
  auto no_room = growth > 0
                 && bytes_for(at.target) + static_cast<uint64_t>(growth)
                      > config_.max_bytes_per_target;
  out = no_room ? outcome::no_room : outcome::stored;
  if (no_room) {
    // Nobody else is asked after this home itself.
    if (!record.empty())
      return status::ok;
    ++dropped_;
    return mark(session, at);
  }
  auto result = session.put(storage::system_table, key, value);
  if (result == status::ok) {
    add(at.target, found == status::ok ? 0 : 1, growth);
    ++stored_;
  }
  return result;
}

status hint_table::parked(storage::session& session, hint_place at,
                          const std::vector<core::uuid>& targets,
                          core::conflict_policy policy,
                          std::string& out) const {
  out.clear();
  for (const auto& target : targets) {
    at.target = target;
    std::string_view bytes;
    auto found
      = session.get(storage::system_table, row_key(config_.shard, at), bytes);
    if (found == status::not_found)
      continue;
    if (found != status::ok)
      return found;
    auto h = core::decode_hint(bytes);
    if (!h)
      return status::failed;
    if (out.empty()) {
      out.assign(h->record);
      continue;
    }
    auto x = core::decode_record(out);
    auto y = core::decode_record(h->record);
    if (!x || !y)
      return status::failed;
    std::string merged;
    core::encode(core::merge(*x, *y, policy), merged);
    out = std::move(merged);
  }
  return status::ok;
}

core::dot hint_table::parking_dot() {
  while (parking_.inc == 0)
    parking_ = {random_(), 0};
  ++parking_.counter;
  return parking_;
}

bool hint_table::look(storage::session& session, const hint_query& query,
                      std::vector<found_row>& rows,
                      std::vector<std::string>& old, std::string& next) const {
  auto prefix = storage::hint_prefix(config_.shard, query.target);
  auto from = prefix + query.after;
  if (!query.after.empty())
    from.push_back('\0');
  auto now_ms = node_->wall_us() / 1000;
  // Without records there is nothing to stop early for.
  auto limit = query.max_bytes > 0 ? max_rows_per_look : max_rows_per_page;
  size_t visited = 0;
  std::string last;
  auto more = false;
  auto result
    = session.scan(storage::system_table, from, storage::end_of_prefix(prefix),
                   [&](std::string_view key, std::string_view value) {
                     if (visited++ == limit) {
                       more = true;
                       return false;
                     }
                     found_row x;
                     x.row.row.assign(key.substr(prefix.size()));
                     last = x.row.row;
                     storage::record_position at;
                     auto h = core::decode_hint(value);
                     auto too_old
                       = !h || h->since_ms + config_.max_age_ms < now_ms;
                     if (!storage::parse_record_key(x.row.row, at) || too_old) {
                       old.push_back(std::move(x.row.row));
                       return true;
                     }
                     if (query.max_bytes == 0)
                       return true;
                     x.row.version = h->version;
                     x.row.keyspace = at.keyspace;
                     x.row.slot = at.slot;
                     x.row.key.assign(at.key);
                     x.row.record.assign(h->record);
                     x.stored = h->stored;
                     rows.push_back(std::move(x));
                     return true;
                   });
  next = more ? last : std::string{};
  return result == status::ok;
}

hint_page hint_table::page(storage::session& session, const hint_query& query,
                           const record_source& record_of) {
  hint_page result;
  auto step = query;
  size_t bytes = 0;
  for (size_t looks = 0;; ++looks) {
    std::vector<found_row> found;
    std::vector<std::string> old;
    if (!look(session, step, found, old, result.next))
      return result;
    if (!old.empty())
      drop(session, query.target, old);
    for (auto& x : found) {
      if (bytes >= query.max_bytes) {
        result.next = result.rows.back().row;
        return result;
      }
      auto record = x.stored ? record_of(x.row) : std::move(x.row.record);
      // What cannot be read now stays, for the next round.
      if (!record)
        continue;
      x.row.record = std::move(*record);
      bytes += x.row.row.size() + x.row.record.size();
      result.rows.push_back(std::move(x.row));
    }
    auto full = bytes >= query.max_bytes
                || (looks + 1) * max_rows_per_look >= max_rows_per_page;
    if (result.next.empty() || full)
      return result;
    step.after = result.next;
  }
}

void hint_table::drop(storage::session& session, const core::uuid& target,
                      const std::vector<std::string>& rows) {
  if (session.begin() != status::ok)
    return;
  auto prefix = storage::hint_prefix(config_.shard, target);
  auto result = status::ok;
  for (const auto& row : rows) {
    std::string_view value;
    if (result != status::ok)
      break;
    if (session.get(storage::system_table, prefix + row, value) != status::ok)
      continue;
    auto size = static_cast<int64_t>(prefix.size() + row.size() + value.size());
    storage::record_position at;
    if (storage::parse_record_key(row, at))
      result = mark(session, {target, at.group, at.slot, at.keyspace, at.key});
    if (result == status::ok)
      result = session.remove(storage::system_table, prefix + row);
    add(target, -1, -size);
    ++dropped_;
  }
  if (result == status::ok)
    result = save(session);
  if (session.commit() == status::ok && result == status::ok) {
    retire();
    node_->log->warn("storage-shard {} drops {} hints that are too old; their "
                     "slots need repair",
                     config_.shard, rows.size());
    committed();
  } else {
    rolled_back();
  }
}

void hint_table::remove(storage::session& session, const hint_removal& what) {
  if (session.begin() != status::ok)
    return;
  auto prefix = storage::hint_prefix(config_.shard, what.target);
  auto result = status::ok;
  for (const auto& [row, version] : what.rows) {
    std::string_view value;
    if (result != status::ok)
      break;
    result = session.get(storage::system_table, prefix + row, value);
    if (result == status::not_found) {
      result = status::ok;
      continue;
    }
    auto h = core::decode_hint(value);
    if (result != status::ok || !h || h->version != version)
      continue;
    auto size = static_cast<int64_t>(prefix.size() + row.size() + value.size());
    result = session.remove(storage::system_table, prefix + row);
    add(what.target, -1, -size);
  }
  if (result == status::ok)
    result = save(session);
  // Tried again by the next replay if the store refuses.
  if (session.commit() == status::ok && result == status::ok) {
    retire();
    committed();
  } else {
    rolled_back();
  }
}

} // namespace covey
