// The incarnation under which a shard gives dots, kept in the store.

#pragma once

#include "actors/planted_bug.hpp"
#include "core/shard_state.hpp"
#include "storage/engine.hpp"

#include <cstdint>
#include <random>

namespace covey {

/// Gives dots, and makes sure that none is given twice: see design.md 5.
/// Uses the shard's session between its transactions. The store refusing it
/// leaves no safe way on, so that each function says whether it worked.
class shard_identity {
public:
  shard_identity() = default;
  shard_identity(uint32_t shard, uint64_t seed,
                 planted_bug planted = planted_bug::none)
    : shard_(shard), planted_(planted), random_(seed) {}

  /// At the start of a run: goes on under the stored incarnation if the last
  /// stop was clean, else starts a new one. The clean mark is gone from the
  /// disk when it returns.
  bool start(storage::session& session, storage::engine& engine);
  /// Starts a new incarnation; it is on disk when this returns.
  bool renew(storage::session& session, storage::engine& engine);
  /// Stores the counter with the clean mark, inside the caller's transaction.
  storage::status save_clean(storage::session& session);

  core::dot next() {
    return {state_.inc, ++state_.counter};
  }
  core::incarnation incarnation() const {
    return state_.inc;
  }
  uint64_t counter() const {
    return state_.counter;
  }
  bool was_clean() const {
    return was_clean_;
  }

private:
  bool save(storage::session& session, storage::engine& engine);

  uint32_t shard_ = 0;
  planted_bug planted_ = planted_bug::none;
  std::mt19937_64 random_;
  core::shard_state state_;
  bool was_clean_ = false;
};

} // namespace covey
