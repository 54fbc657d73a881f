// A peer link of n2: it dials n3 and is dialled by n1, both played.

#pragma once

#include "actors/peer_link.hpp"
#include "messages/burst.hpp"
#include "messages/convert.hpp"
#include "tests/actors/fixture.hpp"

#include <map>

namespace covey::test {

/// One frame that the link has sent.
struct sent_frame {
  frame_kind kind;
  std::string message;
};

struct link_fixture : node_fixture {
  link_fixture()
    : connector(play_connector()), portal(play_portal()), remote(play_remote()),
      replica(play_replica()), shard(play_shard()),
      coordinator(play_coordinator()), gossiper(play_gossiper()),
      knocker(play_knocker()), asker(play_asker()),
      repairs(play_anti_entropy()) {
    become(1, 1);
    node->run = 20;
    node->previous_run = 10;
    node->incarnations[0] = 77;
    connector.portal = portal.handle;
  }

  /// Spawns the link to member `peer`: 0 dials us, 2 is dialled.
  void start(core::member_index peer) {
    config.peer = peer;
    peer_link_collaborators with;
    with.connector = connector.handle;
    with.replicas = {replica.handle};
    with.shards = {shard.handle};
    with.coordinators = {coordinator.handle};
    with.gossiper = gossiper.handle;
    with.knocker = knocker.handle;
    with.hints = play_hint_store().handle;
    with.keeper = play_epoch_keeper().handle;
    with.repairs = repairs.handle;
    aut = keep(sys.spawn(peer_link, config, node_context_ptr{node}, with));
    sched.run();
  }
  /// As the peer of the link would say hello.
  wire::PeerHello hello(uint64_t in_session = 5) const {
    const auto& peer = view->at(config.peer);
    wire::PeerHello out;
    out.set_protocol(1);
    out.set_cluster("test");
    out.set_node(peer.name);
    out.set_member_high(peer.id.high);
    out.set_member_low(peer.id.low);
    out.set_epoch_generation(view->id().generation);
    out.set_epoch_number(view->id().number);
    out.set_epoch_hash(core::epoch_hash(view->epoch()));
    out.set_seed_hash(node->seed_hash);
    out.set_target(node->me().name);
    out.set_session(in_session);
    out.set_run(30);
    out.add_incarnations(88);
    return out;
  }
  wire::PeerWelcome welcome() const {
    const auto& peer = view->at(config.peer);
    wire::PeerWelcome out;
    out.set_protocol(1);
    out.set_session(session);
    out.set_node(peer.name);
    out.set_member_high(peer.id.high);
    out.set_member_low(peer.id.low);
    out.set_run(30);
    out.add_incarnations(88);
    return out;
  }
  void greet(const wire::PeerHello& in) {
    session = in.session();
    send_as(remote.handle, aut, in);
  }
  /// A session that n1 has opened; what was sent so far is forgotten.
  void connected() {
    start(0);
    greet(hello());
    CAF_REQUIRE(up());
    remote.bursts.clear();
  }
  bool up() const {
    return node->peers[config.peer].up;
  }
  void tick() {
    tell(aut, tick_atom::value);
  }

  /// A burst from the peer.
  template <class Message>
  void receive(frame_kind kind, const Message& message, uint64_t taken = 0) {
    std::string bytes;
    append_frame(bytes, kind, message);
    receive(bytes, taken);
  }
  void receive(const std::string& bytes, uint64_t taken = 0) {
    send_as(remote.handle, aut, burst_atom::value, session, taken, bytes);
  }
  /// All frames sent since the last call.
  std::vector<sent_frame> take() {
    std::vector<sent_frame> result;
    for (const auto& burst : remote.bursts) {
      CAF_CHECK_EQUAL(burst.session, session);
      burst_reader frames{burst.bytes};
      frame_kind kind;
      std::string_view message;
      while (frames.next(kind, message))
        result.push_back({kind, std::string{message}});
      CAF_CHECK(frames.ok());
    }
    remote.bursts.clear();
    return result;
  }
  /// The only frame sent since the last call.
  template <class Message>
  Message take(frame_kind kind) {
    auto frames = take();
    CAF_REQUIRE_EQUAL(frames.size(), 1u);
    CAF_REQUIRE(frames[0].kind == kind);
    Message result;
    CAF_REQUIRE(parse(frames[0].message, result));
    return result;
  }

  replica_op read() {
    return operation(replica_verb::read, "k");
  }
  void ask(std::vector<replica_op> ops) {
    tell(aut, replica_ops{asker.handle, std::move(ops)});
  }
  /// The peer's answer to what travelled under `correlation`.
  void answer(uint64_t correlation, uint64_t taken = 0) {
    wire::ReplicaAnswer out;
    out.set_id(correlation);
    out.set_kind(static_cast<uint32_t>(answer_kind::record));
    out.set_bytes("record");
    receive(frame_kind::replica_answer, out, taken);
  }
  bool refused(errc code) const {
    return asker.answers.size() == 1
           && asker.answers[0].kind == answer_kind::failed
           && asker.answers[0].code == code;
  }

  peer_link_config config;
  played_connector& connector;
  played_portal& portal;
  played_remote& remote;
  played_replica& replica;
  played_shard& shard;
  played_coordinator& coordinator;
  played_gossiper& gossiper;
  played_knocker& knocker;
  played_asker& asker;
  played_anti_entropy& repairs;
  local_peer_link_actor aut;
  uint64_t session = 0;
};

} // namespace covey::test
