#include "messages/network/dialer.hpp"

#include "messages/errors.hpp"
#include "messages/network/middleman.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <set>
#include <string>

namespace covey::network {

namespace {

struct dialer_state {
  caf::io::middleman_actor middleman;
  std::shared_ptr<loss_note> note = std::make_shared<loss_note>();
  static inline constexpr const char* name = "dialer";
};

caf::error unavailable(std::string reason) {
  return caf::make_error(errc::unavailable, std::move(reason));
}

/// Why what accepted our connection is no node to us.
std::string silence(bool tls, const std::string& note) {
  if (!note.empty())
    return "TLS failed: " + note;
  if (tls)
    return "it accepts connections but does not answer as a node does; does it "
           "use TLS, and take our certificate?";
  return "it accepts connections but does not answer as a node does; if it "
         "uses TLS, so must we";
}

connector_actor::behavior_type
dialer(connector_actor::stateful_pointer<dialer_state> self,
       const dialer_config& config) {
  middleman_config settings;
  settings.tls = config.tls;
  settings.connect_patience = config.connect_patience;
  settings.note = self->state.note;
  self->state.middleman = spawn_middleman(self->system(), settings);
  // It is of no use without.
  self->link_to(self->state.middleman);
  self->attach_functor([middleman = self->state.middleman] {
    caf::anon_send_exit(middleman, caf::exit_reason::kill);
  });
  auto patience = config.connect_patience + config.greeting_patience;
  return {
    [self, patience, tls = config.tls != nullptr](
      dial_atom, const std::string& host, uint16_t port) {
      auto promise = self->make_response_promise<supervisor_actor>();
      self->state.note->set({});
      self
        ->request(self->state.middleman, patience, caf::connect_atom::value,
                  host, port)
        .then(
          [self, promise](const caf::node_id&,
                          const caf::strong_actor_ptr& peer,
                          const std::set<std::string>& interface) mutable {
            if (!peer)
              promise.deliver(unavailable("no node is ready there"));
            else if (!self->system().assignable<supervisor_actor>(interface))
              promise.deliver(
                unavailable("something else than a node answers there"));
            else
              promise.deliver(caf::actor_cast<supervisor_actor>(peer));
          },
          [self, promise, tls](const caf::error& err) mutable {
            if (err == errc::unavailable)
              promise.deliver(err);
            else
              promise.deliver(
                unavailable(silence(tls, self->state.note->text())));
          });
      return promise;
    },
  };
}

} // namespace

connector_actor spawn_dialer(caf::actor_system& sys, dialer_config config) {
  return sys.spawn(dialer, std::move(config));
}

} // namespace covey::network
