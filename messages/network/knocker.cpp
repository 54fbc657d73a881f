#include "messages/network/knocker.hpp"

#include "messages/network/socket.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace covey::network {

knocker_actor spawn_knocker(caf::actor_system& sys,
                            std::chrono::milliseconds patience) {
  return sys.spawn<caf::detached>(
    [patience](knocker_actor::pointer) -> knocker_actor::behavior_type {
      return {
        [patience](knock_atom, const std::string& host, uint16_t port) {
          return refuses_tcp(host, port, patience);
        },
      };
    });
}

} // namespace covey::network
