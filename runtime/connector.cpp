#include "runtime/connector.hpp"

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace covey::runtime {

namespace {

constexpr auto connect_timeout = std::chrono::seconds(4);

struct connector_state {
  caf::io::middleman_actor middleman;
  static inline constexpr const char* name = "connector";
};

connector_actor::behavior_type
connector(connector_actor::stateful_pointer<connector_state> self) {
  auto& sys = self->system();
  self->state.middleman = caf::io::make_middleman_actor(
    sys, sys.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP")));
  // The middleman actor has a thread of its own, which must end with us.
  self->attach_functor([middleman = self->state.middleman] {
    caf::anon_send_exit(middleman, caf::exit_reason::user_shutdown);
  });
  return {
    [self](dial_atom, const std::string& host, uint16_t port) {
      auto promise = self->make_response_promise<supervisor_actor>();
      self
        ->request(self->state.middleman, connect_timeout,
                  caf::connect_atom::value, host, port)
        .then(
          [promise](const caf::node_id&, caf::strong_actor_ptr& published,
                    const std::set<std::string>&) mutable {
            if (published)
              promise.deliver(caf::actor_cast<supervisor_actor>(published));
            else
              promise.deliver(
                caf::make_error(caf::sec::no_actor_published_at_port));
          },
          [promise](caf::error& err) mutable {
            promise.deliver(std::move(err));
          });
      return promise;
    },
  };
}

} // namespace

connector_actor spawn_connector(caf::actor_system& sys) {
  return sys.spawn(connector);
}

} // namespace covey::runtime
