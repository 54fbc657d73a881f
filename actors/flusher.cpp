#include "actors/flusher.hpp"

#include "actors/outbox.hpp"

namespace covey {

void flusher_state::flush() {
  if (wanted == done)
    return;
  auto covered = wanted;
  auto on_disk = config.engine->flush();
  ++node->counters.flushes;
  for (size_t shard = 0; shard < covered.size(); ++shard)
    if (covered[shard] != done[shard]) {
      node->counters.flushed_writes += covered[shard] - done[shard];
      self->send(askers[shard], flushed_atom::value, covered[shard]);
    }
  done = covered;
  if (config.flushed && on_disk)
    config.flushed(done);
}

flusher_actor::behavior_type
flusher(flusher_actor::stateful_pointer<flusher_state> self,
        const flusher_config& config, const node_context_ptr& node) {
  auto& st = self->state;
  st.config = config;
  st.node = node;
  st.askers.resize(node->shards);
  st.wanted.resize(node->shards);
  st.done.resize(node->shards);
  return {
    [&st, self](flush_atom, uint32_t shard, uint64_t sequence) {
      // What was flushed in earlier runs is not counted again.
      if (!st.askers.at(shard))
        st.done[shard] = sequence - 1;
      st.askers[shard]
        = caf::actor_cast<storage_shard_actor>(self->current_sender());
      st.wanted[shard] = sequence;
      flush_when_idle(self, st.armed, [&st] {
        st.flush();
      });
    },
    [&st](go_atom) {
      st.armed = false;
      st.flush();
    },
    [&st](stats_atom) {
      return statistic_list{st.config.engine->read_statistics()};
    },
  };
}

} // namespace covey
