#include "messages/network/publication.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

namespace covey::network {

namespace {

/// Listening blocks for nothing: longer means that the middleman is gone.
constexpr auto patience = std::chrono::seconds{10};

} // namespace

publication::publication(caf::actor_system& sys, middleman_config config,
                         supervisor_actor handle)
  : sys_(sys), middleman_(spawn_middleman(sys, std::move(config))),
    handle_(std::move(handle)) {
  // nop
}

publication::~publication() {
  close();
  caf::anon_send_exit(middleman_, caf::exit_reason::kill);
}

uint16_t publication::open(const std::string& address, uint16_t port) {
  caf::scoped_actor self{sys_};
  self
    ->request(middleman_, patience, caf::publish_atom::value, port,
              caf::actor_cast<caf::strong_actor_ptr>(handle_),
              sys_.message_types(handle_), address, true)
    .receive(
      [&](uint16_t opened) {
        port_ = opened;
      },
      [](const caf::error&) {
        // nop
      });
  return port_;
}

void publication::close() {
  if (port_ != 0)
    sys_.middleman().unpublish(handle_, port_);
  port_ = 0;
}

} // namespace covey::network
