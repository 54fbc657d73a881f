// A client router whose nodes and connector are played.

#pragma once

#include "client/router.hpp"
#include "tests/test.hpp"

#include <map>
#include <memory>
#include <set>

namespace covey::client::test {

using std::chrono::milliseconds;

// What the fake nodes were sent, and how they behave, by port.
struct world {
  std::vector<uint16_t> dials;
  std::vector<std::pair<uint16_t, wire::ClientHello>> hellos;
  /// What welcomes tell of the cluster.
  wire::ClientWelcome epoch;
  std::set<uint16_t> refused;
  std::set<uint16_t> mute_to_hello;
  std::map<uint16_t, caf::actor> nodes;
  /// As nodes call themselves; "n<port>" otherwise.
  std::map<uint16_t, std::string> names;
  std::map<uint16_t, std::vector<size_t>> burst_sizes;
  std::vector<std::pair<uint16_t, wire::PutRequest>> puts;
  std::vector<std::pair<uint16_t, wire::GetRequest>> gets;
  /// Totals of bytes taken, and how many requests came before each.
  std::vector<std::pair<uint64_t, size_t>> taken;
  /// From a hello to its welcome.
  milliseconds welcome_after{0};
  uint32_t credit = 100;
  uint32_t protocol = protocol_version;
};

using world_ptr = std::shared_ptr<world>;

constexpr uint64_t server_clock_us = 1'700'000'000'000'000;

inline caf::behavior fake_node(caf::event_based_actor* self, world_ptr w,
                               uint16_t port) {
  return {
    [=](const wire::ClientHello& hello) {
      w->hellos.emplace_back(port, hello);
      if (w->mute_to_hello.count(port) > 0)
        return;
      auto welcome = w->epoch;
      welcome.set_nonce(hello.nonce());
      auto name = w->names.find(port);
      welcome.set_node(name != w->names.end() ? name->second
                                              : "n" + std::to_string(port));
      welcome.set_protocol(w->protocol);
      welcome.set_clock_us(server_clock_us);
      welcome.set_credit(w->credit);
      auto to = caf::actor_cast<caf::actor>(self->current_sender());
      if (w->welcome_after > milliseconds{0})
        self->delayed_send(to, w->welcome_after, welcome);
      else
        self->send(to, welcome);
    },
    [=](burst_atom, const std::string& burst) {
      w->burst_sizes[port].push_back(burst.size());
      burst_reader reader{burst};
      frame_kind kind;
      std::string_view bytes;
      while (reader.next(kind, bytes)) {
        wire::PutRequest put;
        wire::GetRequest get;
        wire::Taken taken;
        if (kind == frame_kind::taken && parse(bytes, taken))
          w->taken.emplace_back(taken.bytes(), w->puts.size());
        if (kind == frame_kind::put_request && parse(bytes, put))
          w->puts.emplace_back(port, put);
        else if (kind == frame_kind::get_request && parse(bytes, get))
          w->gets.emplace_back(port, get);
      }
    },
    [=](const wire::StatusRequest&) {
      wire::StatusReply reply;
      reply.set_cluster("c" + std::to_string(port));
      return reply;
    },
    // A node that never answers this.
    [=](const wire::RingRequest&) {
      return self->make_response_promise<wire::RingReply>();
    },
    [=](const wire::RepairRequest&) {
      return self->make_response_promise<wire::RepairReply>();
    },
  };
}

inline connector_actor::behavior_type fake_connector(connector_actor::pointer,
                                                     world_ptr w) {
  return {
    [w](dial_atom, const std::string&,
        uint16_t port) -> caf::result<supervisor_actor> {
      w->dials.push_back(port);
      if (w->refused.count(port) > 0)
        return caf::make_error(errc::unavailable,
                               std::string{"connection refused"});
      return caf::actor_cast<supervisor_actor>(w->nodes.at(port));
    },
  };
}

struct router_fixture : covey::test::fixture {
  router_fixture() : w(std::make_shared<world>()) {
    for (uint16_t port : {1, 2})
      start_node(port);
    connector = sys.spawn(fake_connector, w);
  }

  ~router_fixture() override {
    caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(connector, caf::exit_reason::kill);
    for (auto& [port, node] : w->nodes)
      caf::anon_send_exit(node, caf::exit_reason::kill);
    w->nodes.clear();
    sched.run();
  }

  void start_node(uint16_t port) {
    w->nodes[port] = sys.spawn(fake_node, w, port);
  }

  void kill_node(uint16_t port) {
    caf::anon_send_exit(w->nodes[port], caf::exit_reason::kill);
    sched.run();
  }

  /// Enough that calls ride one burst.
  static constexpr size_t first_window = 16;
  static router_config many_at_once() {
    router_config result;
    result.first_window = first_window;
    return result;
  }

  void start(size_t nodes, router_config config = many_at_once()) {
    for (size_t i = 1; i <= nodes; ++i)
      config.nodes.push_back({"n", static_cast<uint16_t>(i)});
    aut = sys.spawn(router, config, connector);
    sched.run();
  }

  // Lets time pass in steps of the session's sweep.
  void pass(milliseconds time) {
    for (auto t = milliseconds{0}; t < time; t += milliseconds{20}) {
      sched.advance_time(milliseconds{20});
      sched.run();
    }
  }

  void submit(request_body request, milliseconds timeout = milliseconds{1000},
              uint32_t retries = 0) {
    call c;
    c.request = std::move(request);
    c.deadline = sys.clock().now() + timeout;
    c.retries = retries;
    auto index = outcomes.size();
    outcomes.emplace_back();
    c.done = [this, index](outcome& o) {
      CAF_CHECK(!outcomes[index]);
      outcomes[index] = std::make_unique<outcome>(std::move(o));
    };
    caf::anon_send(aut, std::move(c));
  }

  static wire::PutRequest put(const std::string& key,
                              const std::string& value = "v") {
    wire::PutRequest request;
    request.set_key(key);
    request.set_value(value);
    request.set_request_low(42);
    return request;
  }

  static wire::GetRequest get(const std::string& key) {
    wire::GetRequest request;
    request.set_key(key);
    return request;
  }

  /// Node `port` answers put `id`.
  void answer_put(uint64_t id, errc code = errc::none, uint16_t port = 1) {
    wire::PutReply reply;
    reply.set_id(id);
    answer(frame_kind::put_reply, std::move(reply), code, port);
  }
  /// The node that got put `i` answers it.
  void answer_put_at(size_t i, errc code = errc::none) {
    answer_put(w->puts.at(i).second.id(), code, w->puts.at(i).first);
  }
  /// The node that got get `i` answers it.
  void answer_get_at(size_t i, errc code = errc::none) {
    wire::GetReply reply;
    reply.set_id(w->gets.at(i).second.id());
    reply.add_values("v");
    answer(frame_kind::get_reply, std::move(reply), code, w->gets.at(i).first);
  }

  template <class Reply>
  void answer(frame_kind kind, Reply reply, errc code, uint16_t port) {
    reply.set_code(static_cast<uint32_t>(code));
    std::string burst;
    append_frame(burst, kind, reply);
    answer(std::move(burst), port);
  }
  void answer(std::string burst, uint16_t port = 1) {
    caf::send_as(w->nodes.at(port), aut, burst_atom::value, std::move(burst));
    sched.run();
  }

  world_ptr w;
  connector_actor connector;
  router_actor aut;
  std::vector<std::unique_ptr<outcome>> outcomes;
};

} // namespace covey::client::test
