// Marks: slots of which a member misses something that no hint tells.

#include "actors/storage_shard.hpp"
#include "core/bytes.hpp"
#include "storage/layout.hpp"

namespace covey {

using storage::status;

namespace {

/// A mark is renewed this long after it was made or renewed, so that it is
/// older by less than this than what it stands for.
constexpr uint64_t renewal_us = 1'000'000;
constexpr size_t max_marks = 65'536;

/// When the mark was made or renewed, milliseconds since 1970.
uint64_t since_ms(std::string_view row) {
  return core::byte_reader{row}.u64();
}

} // namespace

status hint_table::mark(storage::session& session, const hint_place& at) {
  auto key = storage::repair_row(config_.shard, at.target, at.group, at.slot);
  std::string_view known;
  auto found = session.get(storage::system_table, key, known);
  auto now_ms = node_->wall_us() / 1000;
  if (found == status::ok) {
    auto since = since_ms(known);
    // Either way: the clock may have been set.
    if (since <= now_ms && now_ms < since + renewal_us / 1000)
      return found;
  } else if (found == status::not_found) {
    changed_ = true;
    ++marks_;
  } else {
    return found;
  }
  std::string since;
  core::byte_writer{since}.u64(now_ms);
  return session.put(storage::system_table, key, since);
}

repair_mark_list hint_table::marks(storage::session& session) const {
  repair_mark_list result;
  auto prefix = storage::repair_prefix(config_.shard);
  session.scan(storage::system_table, prefix, storage::end_of_prefix(prefix),
               [&](std::string_view key, std::string_view) {
                 if (auto at = storage::parse_repair_row(key))
                   result.marks.push_back({at->target, at->group, at->slot});
                 return result.marks.size() < max_marks;
               });
  return result;
}

void hint_table::unmark(storage::session& session,
                        const repair_mark_removal& what) {
  if (session.begin() != status::ok)
    return;
  auto result = status::ok;
  for (const auto& x : what.marks) {
    auto key = storage::repair_row(config_.shard, x.target, x.group, x.slot);
    std::string_view row;
    result = session.get(storage::system_table, key, row);
    auto is_newer = result == status::ok
                    && since_ms(row) * 1000 + renewal_us > what.before_us;
    if (result == status::not_found || is_newer) {
      result = status::ok;
      continue;
    }
    if (result == status::ok)
      result = session.remove(storage::system_table, key);
    if (result != status::ok)
      break;
    --marks_;
    changed_ = true;
  }
  if (result == status::ok)
    result = save(session);
  // Tried again after the next comparison if the store refuses.
  if (session.commit() == status::ok && result == status::ok)
    committed();
  else
    rolled_back();
}

repair_mark_list storage_shard_state::read_marks() {
  return drained ? repair_mark_list{} : hints_.marks(*session);
}

void storage_shard_state::forget_marks(const repair_mark_removal& what) {
  if (!drained)
    hints_.unmark(*session, what);
}

} // namespace covey
