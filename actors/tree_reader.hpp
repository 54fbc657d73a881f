// Answers the questions of exchanges from the trees of this node's shards.

#pragma once

#include "core/exchange_messages.hpp"
#include "messages/handles.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace covey {

/// Sorted.
using slot_list = std::shared_ptr<const std::vector<uint16_t>>;

/// What is asked about: the slots of a group that two nodes share.
struct tree_scope {
  uint32_t group = 0;
  slot_list shared;
};

/// Slots of `shared` from `r.first` to `r.last`: first, and one past the last.
std::pair<std::vector<uint16_t>::const_iterator,
          std::vector<uint16_t>::const_iterator>
slots_in(const std::vector<uint16_t>& shared, const core::slot_range& r);

/// Asks `sources`, one a shard, and calls `done` in the context of `self`. An
/// answer of parts tells of the first of them that fit into a message. What a
/// shard does not answer is not ready.
void read_trees(anti_entropy_actor::pointer self,
                const std::vector<tree_source_actor>& sources,
                const tree_scope& scope,
                const core::exchange_question& question,
                std::function<void(core::exchange_answer)> done);

} // namespace covey
