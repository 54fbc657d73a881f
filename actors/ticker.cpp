#include "actors/ticker.hpp"

namespace covey {

ticker_actor::behavior_type ticker(ticker_actor::pointer self,
                                   const ticker_config& config,
                                   const std::vector<ticked_actor>& woken) {
  self->delayed_send(self, config.period, tick_atom::value);
  return {
    [self, config, woken](tick_atom) {
      for (const auto& actor : woken)
        self->send(actor, tick_atom::value);
      self->delayed_send(self, config.period, tick_atom::value);
    },
  };
}

} // namespace covey
