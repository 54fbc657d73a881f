// A CAF actor that speaks to a node with the typed messages, and watches it.
//
//   watching_actor HOST PORT
//
// Asks the node's supervisor for its gateway, puts a key and gets it back. Then
// it waits until the node goes down, says so, and ends.

#include "messages/errors.hpp"
#include "messages/handles.hpp"
#include "messages/registration.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <cstdlib>
#include <iostream>

namespace {

using namespace std::chrono_literals;

struct config : covey::system_config {
  config() {
    load<caf::io::middleman>();
    // A node cuts connections that are silent for long.
    set("middleman.heartbeat-interval", caf::timespan{1s});
    set("middleman.connection-timeout", caf::timespan{3s});
  }
};

struct watcher_state {
  covey::supervisor_actor node;
  covey::gateway_actor gateway;
};

using watcher = caf::stateful_actor<watcher_state>;

// Errors of the node are codes in its reply.
std::string outcome_of(uint32_t code) {
  return code == 0 ? "done" : covey::to_string(static_cast<covey::errc>(code));
}

void fail(watcher* self, const caf::error& e) {
  std::cerr << "watching_actor: " << self->system().render(e) << '\n';
  self->quit(caf::exit_reason::user_shutdown);
}

void get(watcher* self) {
  covey::wire::GetRequest request;
  request.set_keyspace("default");
  request.set_key("watched");
  self->request(self->state.gateway, 6s, std::move(request))
    .then(
      [](const covey::wire::GetReply& reply) {
        std::cout << "get: " << outcome_of(reply.code());
        for (const auto& value : reply.values())
          std::cout << ", value " << value;
        std::cout << std::endl;
      },
      [self](const caf::error& e) {
        fail(self, e);
      });
}

void put(watcher* self) {
  covey::wire::PutRequest request;
  request.set_keyspace("default");
  request.set_key("watched");
  request.set_value("hello");
  self->request(self->state.gateway, 6s, std::move(request))
    .then(
      [self](const covey::wire::PutReply& reply) {
        std::cout << "put: " << outcome_of(reply.code()) << ", "
                  << reply.acked() << " replicas" << std::endl;
        get(self);
      },
      [self](const caf::error& e) {
        fail(self, e);
      });
}

caf::behavior watch(watcher* self, const covey::supervisor_actor& node) {
  self->state.node = node;
  self->set_down_handler([self](const caf::down_msg& down) {
    std::cout << "the node is down: " << self->system().render(down.reason)
              << std::endl;
    self->quit();
  });
  self->monitor(node);
  self->request(node, 5s, covey::gateway_atom::value)
    .then(
      [self](const covey::gateway_actor& gateway) {
        self->state.gateway = gateway;
        put(self);
      },
      [self](const caf::error& e) {
        fail(self, e);
      });
  return {
    // Lives until the node goes down.
    [](covey::tick_atom) {},
  };
}

} // namespace

int main(int argc, char** argv) {
  auto port = argc == 3 ? std::atoi(argv[2]) : 0;
  if (port < 1 || port > 65'535) {
    std::cerr << "usage: watching_actor HOST PORT\n";
    return 2;
  }
  config cfg;
  caf::actor_system sys{cfg};
  auto node = sys.middleman().remote_actor<covey::supervisor_actor>(
    argv[1], static_cast<uint16_t>(port));
  if (!node) {
    std::cerr << "watching_actor: " << sys.render(node.error()) << '\n';
    return 1;
  }
  sys.spawn(watch, *node);
  sys.await_all_actors_done();
}
