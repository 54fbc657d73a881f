// Offers a node's supervisor to peers and clients.

#pragma once

#include "messages/handles.hpp"
#include "messages/network/middleman.hpp"

#include <caf/actor_system.hpp>

#include <cstdint>
#include <string>

namespace covey::network {

/// A port that `handle` is published at, for as long as this lives. With TLS,
/// what fails the handshake reaches no actor.
class publication {
public:
  /// Of `config`, what concerns connections that are accepted.
  publication(caf::actor_system& sys, middleman_config config,
              supervisor_actor handle);
  ~publication();
  publication(const publication&) = delete;
  publication& operator=(const publication&) = delete;

  /// Listens and returns the port; port 0 takes any that is free. 0 if the
  /// address is in use or not of this machine.
  uint16_t open(const std::string& address, uint16_t port);
  /// Takes no new connections; those that are there stay.
  void close();

private:
  caf::actor_system& sys_;
  caf::io::middleman_actor middleman_;
  supervisor_actor handle_;
  uint16_t port_ = 0;
};

} // namespace covey::network
