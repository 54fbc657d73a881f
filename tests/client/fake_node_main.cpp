// A node of one map in memory, for trying the covey command by hand: publishes
// on 127.0.0.1 and prints its port. Arguments: [PORT] [BEHAVIOUR], the
// behaviour being "normal", "mute" (answers nothing), or "busy" (every other
// put is overloaded).

#include "messages/burst.hpp"
#include "messages/handles.hpp"
#include "messages/registration.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <iostream>
#include <map>

namespace {

using namespace covey;

struct config : system_config {
  config() {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
    set("middleman.workers", size_t{0});
    set("middleman.heartbeat-interval",
        caf::timespan{std::chrono::milliseconds{500}});
    set("middleman.connection-timeout",
        caf::timespan{std::chrono::milliseconds{2500}});
  }
};

uint64_t wall_us() {
  auto t = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(t).count());
}

struct node_state {
  std::string behaviour;
  std::map<std::string, std::vector<std::string>> values;
  uint64_t puts = 0;

  wire::PutReply put(const wire::PutRequest& request) {
    wire::PutReply reply;
    reply.set_id(request.id());
    reply.set_needed(2);
    if (request.deadline_us() < wall_us()) {
      reply.set_code(static_cast<uint32_t>(errc::deadline_expired));
    } else if (behaviour == "busy" && ++puts % 2 == 0) {
      reply.set_code(static_cast<uint32_t>(errc::overloaded));
    } else if (request.keyspace() != "default") {
      reply.set_code(static_cast<uint32_t>(errc::unknown_keyspace));
      reply.set_text("no keyspace '" + request.keyspace() + "'");
    } else if (request.value().size() > (1 << 20)) {
      reply.set_code(static_cast<uint32_t>(errc::value_too_large));
      reply.set_text("the value has " + std::to_string(request.value().size())
                     + " bytes, the limit is 1048576");
    } else {
      auto& siblings = values[request.key()];
      if (!request.context().empty())
        siblings.clear();
      if (request.tombstone())
        siblings.clear();
      else
        siblings.push_back(request.value());
      reply.set_acked(3);
      reply.set_homes(true);
      reply.set_context("ctx");
    }
    return reply;
  }

  wire::GetReply get(const wire::GetRequest& request) {
    wire::GetReply reply;
    reply.set_id(request.id());
    reply.set_answered(2);
    reply.set_needed(2);
    auto found = values.find(request.key());
    if (found != values.end())
      for (auto& value : found->second)
        reply.add_values(value);
    reply.set_context("ctx");
    return reply;
  }

  wire::ScanReply scan(const wire::ScanRequest& request) {
    wire::ScanReply reply;
    reply.set_id(request.id());
    size_t bytes = 0;
    auto i = values.upper_bound(request.after_key());
    for (; i != values.end() && bytes < request.max_bytes(); ++i) {
      auto* entry = reply.add_entries();
      entry->set_key(i->first);
      for (auto& value : i->second) {
        entry->add_values(value);
        bytes += value.size();
      }
      reply.set_next_after_key(i->first);
    }
    reply.set_next_slot(i == values.end() ? 16384 : 0);
    return reply;
  }
};

wire::StatusReply status() {
  wire::StatusReply reply;
  reply.set_cluster("fake");
  reply.set_node("n1");
  reply.set_epoch_number(1);
  reply.set_uptime_s(3661);
  reply.set_version("0.1.0");
  reply.set_durability("flushed");
  for (int i = 1; i <= 3; ++i) {
    auto* member = reply.add_members();
    member->set_name("n" + std::to_string(i));
    member->set_address("10.0.0." + std::to_string(i) + ":7100");
    member->set_rack("r" + std::to_string(i));
    member->set_data_centre("dc1");
    member->set_weight(1);
    member->set_up(i != 3);
    member->set_slots(16384);
    member->set_round_trip_us(static_cast<uint32_t>(150 * i));
  }
  auto* keyspace = reply.add_keyspaces();
  keyspace->set_name("default");
  keyspace->set_replication("3");
  keyspace->set_policy("siblings");
  keyspace->set_default_read("QUORUM");
  keyspace->set_default_write("QUORUM");
  auto* statistic = reply.add_statistics();
  statistic->set_name("puts");
  statistic->set_value(12);
  return reply;
}

using node_actor
  = gateway_actor::extend<caf::replies_to<gateway_atom>::with<gateway_actor>,
                          caf::replies_to<children_atom>::with<wire::Children>,
                          caf::reacts_to<wire::PeerHello>>;

std::string answer(node_state& st, const std::string& burst) {
  std::string result;
  burst_reader reader{burst};
  frame_kind kind;
  std::string_view bytes;
  wire::PutRequest put;
  wire::GetRequest get;
  wire::ScanRequest scan;
  while (reader.next(kind, bytes)) {
    if (kind == frame_kind::put_request && parse(bytes, put))
      append_frame(result, frame_kind::put_reply, st.put(put));
    else if (kind == frame_kind::get_request && parse(bytes, get))
      append_frame(result, frame_kind::get_reply, st.get(get));
    else if (kind == frame_kind::scan_request && parse(bytes, scan))
      append_frame(result, frame_kind::scan_reply, st.scan(scan));
  }
  return result;
}

node_actor::behavior_type node(node_actor::stateful_pointer<node_state> self,
                               std::string behaviour) {
  auto& st = self->state;
  st.behaviour = std::move(behaviour);
  return {
    [&st](const wire::PutRequest& x) {
      return st.put(x);
    },
    [&st](const wire::GetRequest& x) {
      return st.get(x);
    },
    [&st](const wire::ScanRequest& x) {
      return st.scan(x);
    },
    [](const wire::StatusRequest&) {
      return status();
    },
    [](const wire::RingRequest& x) {
      wire::RingReply reply;
      reply.set_id(x.id());
      reply.set_slot(4711);
      reply.add_homes("n1");
      reply.add_homes("n2");
      reply.add_fallbacks("n3");
      return reply;
    },
    [self](const wire::ClientHello&) {
      wire::ClientWelcome welcome;
      welcome.set_protocol(1);
      welcome.set_clock_us(wall_us());
      welcome.set_credit(1000);
      self->send(caf::actor_cast<client_session_actor>(self->current_sender()),
                 welcome);
    },
    [self](burst_atom, const std::string& burst) {
      if (self->state.behaviour == "mute")
        return;
      self->send(caf::actor_cast<client_session_actor>(self->current_sender()),
                 burst_atom::value, answer(self->state, burst));
    },
    [self](gateway_atom) {
      return gateway_actor{self};
    },
    [](children_atom) {
      return wire::Children{};
    },
    [](const wire::PeerHello&) {},
  };
}

} // namespace

int main(int argc, char** argv) {
  config cfg;
  caf::actor_system sys{cfg};
  auto handle = sys.spawn(node, std::string{argc > 2 ? argv[2] : "normal"});
  auto port = sys.middleman().publish(
    handle, static_cast<uint16_t>(argc > 1 ? std::stoi(argv[1]) : 0),
    "127.0.0.1", true);
  if (!port) {
    std::cerr << "fake_node: cannot publish: " << sys.render(port.error())
              << '\n';
    return 1;
  }
  std::cout << *port << std::endl;
  // Serves until it is killed.
  sys.await_all_actors_done();
}
