// The flusher: group commit for all shards of a node.

#pragma once

#include "actors/node_context.hpp"
#include "messages/handles.hpp"
#include "storage/engine.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <vector>

namespace covey {

struct flusher_config {
  /// Outlives the actor.
  storage::engine* engine = nullptr;
  /// Told after each flush how far each shard is on disk; may be empty.
  std::function<void(const std::vector<uint64_t>& sequences)> flushed;
};

struct flusher_state {
  explicit flusher_state(flusher_actor::pointer ptr) : self(ptr) {}

  /// One fsync for everything asked so far. Blocks: hence an actor of its own.
  void flush();

  flusher_actor::pointer self;
  flusher_config config;
  node_context_ptr node;
  /// By shard: who asked, up to where, and what is on disk.
  std::vector<storage_shard_actor> askers;
  std::vector<uint64_t> wanted;
  std::vector<uint64_t> done;
  bool armed = false;

  static inline constexpr const char* name = "flusher";
};

/// Spawn detached in production: `sys.spawn<caf::detached>(flusher, ...)`.
flusher_actor::behavior_type
flusher(flusher_actor::stateful_pointer<flusher_state> self,
        const flusher_config& config, const node_context_ptr& node);

} // namespace covey
