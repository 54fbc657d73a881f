#include "actors/shard_identity.hpp"

#include "storage/layout.hpp"

namespace covey {

using storage::status;

namespace {

/// Counters that the planted defect leases at each start.
constexpr uint64_t leased = 1'000'000;

} // namespace

bool shard_identity::start(storage::session& session, storage::engine& engine) {
  std::string_view bytes;
  auto found = session.get(storage::system_table,
                           storage::shard_state_row(shard_), bytes);
  if (found == status::failed)
    return false;
  if (found == status::ok)
    if (auto stored = core::decode_shard_state(bytes)) {
      auto goes_on = stored->clean || planted_ == planted_bug::lease_counters
                     || planted_ == planted_bug::reuse_incarnation;
      if (goes_on) {
        state_ = *stored;
        was_clean_ = stored->clean;
        if (planted_ == planted_bug::lease_counters)
          state_.counter += leased;
        return save(session, engine);
      }
    }
  return renew(session, engine);
}

bool shard_identity::renew(storage::session& session, storage::engine& engine) {
  // Of the defect's two guards the second has to go as well.
  if (planted_ == planted_bug::reuse_incarnation && state_.inc != 0)
    return true;
  core::incarnation fresh = 0;
  while (fresh == 0 || fresh == state_.inc)
    fresh = random_();
  state_ = {fresh, 0, false};
  return save(session, engine);
}

bool shard_identity::save(storage::session& session, storage::engine& engine) {
  state_.clean = false;
  if (session.begin() != status::ok)
    return false;
  if (session.put(storage::system_table, storage::shard_state_row(shard_),
                  core::encode(state_))
      != status::ok) {
    session.rollback();
    return false;
  }
  if (session.commit() != status::ok)
    return false;
  // With periodic durability a flush may not reach the disk; this must.
  if (!engine.flush())
    engine.checkpoint();
  return true;
}

status shard_identity::save_clean(storage::session& session) {
  auto clean = state_;
  clean.clean = true;
  return session.put(storage::system_table, storage::shard_state_row(shard_),
                     core::encode(clean));
}

} // namespace covey
