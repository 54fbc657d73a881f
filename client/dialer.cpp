#include "client/dialer.hpp"

#include "messages/network/dialer.hpp"

namespace covey::client {

connector_actor spawn_dialer(caf::actor_system& sys,
                             const network::tls_files& tls) {
  network::dialer_config config;
  config.tls = network::make_tls_context(tls, network::tls_role::client);
  config.connect_patience = std::chrono::milliseconds{600};
  config.greeting_patience = std::chrono::milliseconds{800};
  return network::spawn_dialer(sys, std::move(config));
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
