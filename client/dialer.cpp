#include "client/dialer.hpp"

#include "messages/network/dialer.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace covey::client {

namespace {

struct lasting_dialer_state {
  std::function<connector_actor()> spawn;
  /// None until the next dial after a crash.
  connector_actor dialer;
  static inline constexpr const char* name = "lasting-dialer";
};

connector_actor::behavior_type
lasting_dialer(connector_actor::stateful_pointer<lasting_dialer_state> self,
               std::function<connector_actor()> spawn) {
  self->state.spawn = std::move(spawn);
  self->set_down_handler([self](const caf::down_msg& down) {
    if (self->state.dialer && down.source == self->state.dialer.address())
      self->state.dialer = nullptr;
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    if (self->state.dialer)
      self->send_exit(self->state.dialer, caf::exit_reason::user_shutdown);
    self->quit(std::move(exit.reason));
  });
  return {
    [self](dial_atom, const std::string& host, uint16_t port) {
      auto& dialer = self->state.dialer;
      if (!dialer) {
        dialer = self->state.spawn();
        self->monitor(dialer);
      }
      return self->delegate(dialer, dial_atom::value, host, port);
    },
  };
}

} // namespace

connector_actor spawn_dialer(caf::actor_system& sys,
                             const network::tls_files& tls) {
  network::dialer_config config;
  config.tls = network::make_tls_context(tls, network::tls_role::client);
  config.connect_patience = std::chrono::milliseconds{600};
  config.greeting_patience = std::chrono::milliseconds{800};
  return spawn_lasting_dialer(sys, [&sys, config] {
    return network::spawn_dialer(sys, config);
  });
}

connector_actor spawn_lasting_dialer(caf::actor_system& sys,
                                     std::function<connector_actor()> spawn) {
  return sys.spawn(lasting_dialer, std::move(spawn));
}

std::string dial_failure(const caf::error& err) {
  if (err == caf::sec::request_timeout)
    return "no connection in time";
  // The dialer says why in a sentence.
  if (err.context().match_elements<std::string>())
    return err.context().get_as<std::string>(0);
  return to_string(err);
}

} // namespace covey::client
