// A gateway of n1 between played clients and a played coordinator.

#pragma once

#include "actors/gateway.hpp"
#include "messages/burst.hpp"
#include "tests/actors/fixture.hpp"

namespace covey::test {

struct gateway_fixture : node_fixture {
  gateway_fixture() : coordinator(play_coordinator()), flusher(play_flusher()) {
    config.max_key_bytes = 16;
    config.max_value_bytes = 32;
    start();
  }
  ~gateway_fixture() override {
    // Promises must end before the system does.
    kill(aut);
  }
  void start() {
    if (aut)
      kill(aut);
    keeper = &play_epoch_keeper();
    aut = keep(sys.spawn(gateway, config, node_context_ptr{node},
                         std::vector<coordinator_actor>{coordinator.handle},
                         flusher.handle, keeper->handle));
    sched.run();
  }

  static wire::PutRequest put(uint64_t id = 1) {
    wire::PutRequest result;
    result.set_id(id);
    result.set_keyspace("default");
    result.set_key("k");
    result.set_value("v");
    return result;
  }
  static wire::GetRequest get(uint64_t id = 1) {
    wire::GetRequest result;
    result.set_id(id);
    result.set_keyspace("default");
    result.set_key("k");
    return result;
  }

  played_client& connect() {
    auto& client = play_client();
    send_as(client.handle, aut, wire::ClientHello{});
    return client;
  }
  template <class Message>
  static std::string frame(frame_kind kind, const Message& message) {
    std::string result;
    append_frame(result, kind, message);
    return result;
  }
  static std::string frame(const wire::PutRequest& in) {
    return frame(frame_kind::put_request, in);
  }
  static std::string frame(const wire::GetRequest& in) {
    return frame(frame_kind::get_request, in);
  }
  void send(const played_client& client, const std::string& burst) {
    send_as(client.handle, aut, burst_atom::value, burst);
  }
  /// The put replies that a client has got since the last call.
  static std::vector<wire::PutReply> put_replies(played_client& client) {
    std::vector<wire::PutReply> result;
    for (const auto& bytes : client.bursts) {
      burst_reader frames{bytes};
      frame_kind kind;
      std::string_view message;
      while (frames.next(kind, message))
        if (kind == frame_kind::put_reply) {
          result.emplace_back();
          CAF_REQUIRE(parse(message, result.back()));
        }
    }
    client.bursts.clear();
    return result;
  }
  /// Why a put of a client is refused; none if it went to the coordinator.
  errc verdict(const wire::PutRequest& in) {
    auto& client = connect();
    coordinator.ops.clear();
    send(client, frame(in));
    auto replies = put_replies(client);
    CAF_REQUIRE_EQUAL(replies.size() + coordinator.ops.size(), 1u);
    if (replies.empty())
      return errc::none;
    CAF_CHECK_EQUAL(replies[0].id(), in.id());
    CAF_CHECK(!replies[0].maybe_written());
    return static_cast<errc>(replies[0].code());
  }
  /// Answers everything that the coordinator was handed.
  client_answers finish(errc code = errc::none) {
    client_answers result;
    for (const auto& op : coordinator.ops) {
      client_answer a;
      a.id = op.id;
      a.verb = op.verb;
      a.code = code;
      a.values = {"x"};
      result.answers.push_back(std::move(a));
    }
    coordinator.ops.clear();
    return result;
  }

  gateway_config config;
  played_coordinator& coordinator;
  played_flusher& flusher;
  played_epoch_keeper* keeper = nullptr;
  local_gateway_actor aut;
};

} // namespace covey::test
