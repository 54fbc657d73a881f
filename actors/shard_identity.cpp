#include "actors/shard_identity.hpp"

#include "storage/layout.hpp"

namespace covey {

using storage::status;

bool shard_identity::start(storage::session& session, storage::engine& engine) {
  std::string_view bytes;
  auto found = session.get(storage::system_table,
                           storage::shard_state_row(shard_), bytes);
  if (found == status::failed)
    return false;
  if (found == status::ok)
    if (auto stored = core::decode_shard_state(bytes);
        stored && stored->clean) {
      state_ = *stored;
      was_clean_ = true;
      return save(session, engine);
    }
  return renew(session, engine);
}

bool shard_identity::renew(storage::session& session, storage::engine& engine) {
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
