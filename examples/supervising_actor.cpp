// A CAF actor that supervises a node: it learns at once when the node's process
// ends, when it comes back, and when an actor inside it crashes.
//
//   supervising_actor HOST PORT [RESTARTS]
//
// The node need not be there yet. With RESTARTS it ends once it has met so many
// new runs of the node; otherwise it goes on until it is interrupted. Where it
// prints, a program of one's own would act: move work elsewhere, call somebody,
// start the process.

#include "messages/handles.hpp"
#include "messages/registration.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <cstdlib>
#include <iostream>
#include <set>

namespace {

using namespace std::chrono_literals;

struct config : covey::system_config {
  config() {
    load<caf::io::middleman>();
    // A node cuts connections that are silent for long, and so do we: this is
    // how a frozen node is noticed.
    set("middleman.heartbeat-interval", caf::timespan{500ms});
    set("middleman.connection-timeout", caf::timespan{3s});
  }
};

struct supervising_state {
  std::string host;
  uint16_t port = 0;
  // Null while there is no connection.
  covey::supervisor_actor node;
  // Of the process that was met last.
  uint64_t run = 0;
  int restarts_wanted = 0;
  int restarts = 0;
  static inline constexpr const char* name = "supervising-actor";
};

// What a supervisor tells, and a tick to dial again.
using supervising_actor
  = covey::node_watcher_actor::extend<caf::reacts_to<covey::tick_atom>>;

using pointer = supervising_actor::stateful_pointer<supervising_state>;

// Never sys.middleman().remote_actor(): it blocks.
void dial(pointer self) {
  auto again = [self] {
    self->delayed_send(self, 250ms, covey::tick_atom::value);
  };
  auto mm = self->system().middleman().actor_handle();
  const auto& st = self->state;
  self->request(mm, 2s, caf::connect_atom::value, st.host, st.port)
    .then(
      [self, again](const caf::node_id&, const caf::strong_actor_ptr& found,
                    const std::set<std::string>&) {
        if (!found) {
          again();
          return;
        }
        self->state.node = caf::actor_cast<covey::supervisor_actor>(found);
        self->monitor(self->state.node);
        // From now on a ChildEvent comes for each crash.
        covey::wire::WatchRequest request;
        request.set_agent("supervising_actor");
        request.set_wants_children(true);
        self->send(self->state.node, std::move(request));
      },
      [again](const caf::error&) {
        again();
      });
}

void on_state(pointer self, const covey::wire::NodeState& state) {
  auto& st = self->state;
  if (state.code() != 0) {
    std::cout << "the node refuses to be watched: " << state.text()
              << std::endl;
    self->quit();
    return;
  }
  std::cout << state.node() << " is up: run " << state.run() << ", "
            << state.children_size() << " children" << std::endl;
  for (const auto& child : state.children())
    if (child.restarts() > 0)
      std::cout << "  " << child.name() << " was restarted " << child.restarts()
                << " times" << std::endl;
  // The same run: only the connection was lost.
  if (st.run != 0 && st.run != state.run()) {
    std::cout << "  it was started anew: run " << st.run << " is over"
              << std::endl;
    ++st.restarts;
  }
  st.run = state.run();
  if (st.restarts_wanted > 0 && st.restarts >= st.restarts_wanted)
    self->quit();
}

void on_child(const covey::wire::ChildEvent& event) {
  std::cout << event.name() << " crashed (" << event.reason() << "): ";
  if (event.restarted())
    std::cout << "started anew, and " << event.followers() << " after it"
              << std::endl;
  else
    std::cout << "the node ends" << std::endl;
}

supervising_actor::behavior_type
supervise(pointer self, const std::string& host, uint16_t port, int restarts) {
  self->state.host = host;
  self->state.port = port;
  self->state.restarts_wanted = restarts;
  self->set_down_handler([self](const caf::down_msg& down) {
    std::cout << "the node is down: " << self->system().render(down.reason)
              << std::endl;
    // The handle is of no more use: a new process has a new one.
    self->state.node = nullptr;
    dial(self);
  });
  dial(self);
  return {
    [self](const covey::wire::NodeState& state) {
      on_state(self, state);
    },
    [](const covey::wire::ChildEvent& event) {
      on_child(event);
    },
    [self](covey::tick_atom) {
      dial(self);
    },
  };
}

} // namespace

int main(int argc, char** argv) {
  auto port = argc == 3 || argc == 4 ? std::atoi(argv[2]) : 0;
  if (port < 1 || port > 65'535) {
    std::cerr << "usage: supervising_actor HOST PORT [RESTARTS]\n";
    return 2;
  }
  config cfg;
  caf::actor_system sys{cfg};
  auto restarts = argc == 4 ? std::atoi(argv[3]) : 0;
  // The handle keeps it alive: monitors and timers do not.
  auto actor = sys.spawn(supervise, std::string{argv[1]},
                         static_cast<uint16_t>(port), restarts);
  sys.await_all_actors_done();
}
