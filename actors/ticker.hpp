// The ticker: the only periodic timer of a node.

#pragma once

#include "messages/handles.hpp"

#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <vector>

namespace covey {

struct ticker_config {
  caf::timespan period = std::chrono::milliseconds{50};
};

/// Sends `tick` to all of `woken` once a period.
ticker_actor::behavior_type ticker(ticker_actor::pointer self,
                                   const ticker_config& config,
                                   const std::vector<ticked_actor>& woken);

} // namespace covey
