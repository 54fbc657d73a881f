// The peer link's traffic: operations out, bursts in, credit, deadlines.

#define CAF_SUITE actors.peer_link

#include "tests/actors/link_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::link_fixture {
  /// A ping answered after 200 us by a clock that is `ahead_us` ahead.
  /// Our ping was under way for so long, and the pong arrived at once.
  void learn_offset(int64_t ahead_us, uint64_t there_us = 200) {
    wire::Pong pong;
    pong.set_echo_us(now_us);
    now_us += there_us;
    pong.set_clock_us(now_us + static_cast<uint64_t>(ahead_us));
    receive(frame_kind::pong, pong);
    take();
  }
  wire::ReplicaRequest request_of(const replica_op& op, uint64_t id) {
    wire::ReplicaRequest out;
    to_wire(op, out);
    out.set_id(id);
    return out;
  }
  wire::Forward forward(const std::string& key,
                        const std::string& ks = "default") {
    wire::Forward out;
    out.set_id(9);
    out.mutable_put()->set_keyspace(ks);
    out.mutable_put()->set_key(key);
    out.mutable_put()->set_value("v");
    out.mutable_put()->set_deadline_us(now_us + 1000);
    out.mutable_put()->set_request_high(1);
    out.mutable_put()->set_level(4);
    return out;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(peer_link_tests, fixture)

CAF_TEST(gossip goes both ways past what waits and without credit) {
  config.max_requests = 1;
  config.max_bytes_under_way = 64;
  connected();
  CAF_REQUIRE_EQUAL(gossiper.news.back(), "+0 run 30");
  // The link's mailbox is never empty before the frame: nothing was flushed.
  queue_as(asker.handle, aut, replica_ops{asker.handle, {read()}});
  queue_as(asker.handle, aut, gossip_frame{0, frame_kind::probe, "p"});
  queue_as(asker.handle, aut, replica_ops{asker.handle, {read()}});
  sched.run();
  auto frames = take();
  CAF_REQUIRE(frames.size() >= 2);
  CAF_CHECK(frames[0].kind == frame_kind::probe);
  CAF_CHECK_EQUAL(frames[0].message, "p");
  for (auto kind :
       {frame_kind::gossip, frame_kind::probe, frame_kind::probe_answer}) {
    std::string bytes;
    append_frame(bytes, kind, std::string_view{"theirs"});
    receive(bytes);
    CAF_REQUIRE(!gossiper.frames.empty());
    CAF_CHECK(gossiper.frames.back().kind == kind);
    CAF_CHECK_EQUAL(gossiper.frames.back().message, "theirs");
    CAF_CHECK_EQUAL(gossiper.frames.back().peer, 0u);
  }
}

CAF_TEST(frames of exchanges go both ways) {
  connected();
  CAF_CHECK_EQUAL(repairs.links.back(), "+0");
  tell(repairs.link, exchange_frame{0, frame_kind::exchange_ask, "ours"});
  auto frames = take();
  CAF_REQUIRE_EQUAL(frames.size(), 1u);
  CAF_CHECK(frames[0].kind == frame_kind::exchange_ask);
  CAF_CHECK_EQUAL(frames[0].message, "ours");
  for (auto kind : {frame_kind::exchange_ask, frame_kind::exchange_answer,
                    frame_kind::exchange_end}) {
    std::string bytes;
    append_frame(bytes, kind, std::string_view{"theirs"});
    receive(bytes);
    CAF_REQUIRE(!repairs.frames.empty());
    CAF_CHECK(repairs.frames.back().kind == kind);
    CAF_CHECK_EQUAL(repairs.frames.back().message, "theirs");
    CAF_CHECK_EQUAL(repairs.frames.back().peer, 0u);
  }
}

CAF_TEST(bulk goes out behind requests and waits while much is under way) {
  config.max_bytes_beside_bulk = 100;
  connected();
  std::string text(150, 'x');
  queue_as(asker.handle, aut,
           exchange_frame{0, frame_kind::exchange_ask, text});
  queue_as(asker.handle, aut, replica_ops{asker.handle, {read()}});
  queue_as(asker.handle, aut,
           exchange_frame{0, frame_kind::exchange_ask, text});
  sched.run();
  auto frames = take();
  // The second one finds too much under way; requests do not.
  CAF_REQUIRE_EQUAL(frames.size(), 2u);
  CAF_CHECK(frames[0].kind == frame_kind::replica_request);
  CAF_CHECK(frames[1].kind == frame_kind::exchange_ask);
  ask({read()});
  CAF_CHECK_EQUAL(take().size(), 1u);
  receive(std::string{}, 1'000);
  frames = take();
  CAF_REQUIRE_EQUAL(frames.size(), 1u);
  CAF_CHECK(frames[0].kind == frame_kind::exchange_ask);
}

CAF_TEST(bulk of a session that has ended is not sent in the next one) {
  config.max_bytes_beside_bulk = 0;
  connected();
  tell(aut, exchange_frame{0, frame_kind::exchange_ask, "x"});
  CAF_CHECK(take().empty());
  kill(remote.handle);
  CAF_CHECK_EQUAL(repairs.links.back(), "-0");
}

CAF_TEST(gossip for a peer that is down is dropped) {
  start(0);
  tell(aut, gossip_frame{0, frame_kind::gossip, "x"});
  CAF_CHECK(remote.bursts.empty());
}

CAF_TEST(operations that come together travel in one burst) {
  connected();
  ask({read(), read(), read()});
  CAF_CHECK_EQUAL(remote.bursts.size(), 1u);
  CAF_CHECK_EQUAL(take().size(), 3u);
}

CAF_TEST(an answer goes to whoever asked under the number of the asker) {
  connected();
  auto op = read();
  ask({op});
  auto out = take<wire::ReplicaRequest>(frame_kind::replica_request);
  CAF_CHECK_EQUAL(out.key(), "k");
  CAF_CHECK_EQUAL(out.verb(), 3u);
  answer(out.id());
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK_EQUAL(asker.answers[0].id, op.id);
  CAF_CHECK_EQUAL(asker.answers[0].bytes, "record");
  CAF_CHECK_EQUAL(asker.froms[0], 0u);
  // A second one is of nobody.
  answer(out.id());
  CAF_CHECK_EQUAL(asker.answers.size(), 1u);
}

CAF_TEST(answers in any order find their requests) {
  connected();
  std::vector<replica_op> ops{read(), read(), read()};
  ask(ops);
  std::vector<uint64_t> ids;
  for (const auto& frame : take()) {
    wire::ReplicaRequest out;
    CAF_REQUIRE(parse(frame.message, out));
    ids.push_back(out.id());
  }
  for (size_t i : {2, 0, 1}) {
    answer(ids[i]);
    CAF_CHECK_EQUAL(asker.answers.back().id, ops[i].id);
  }
}

CAF_TEST(bursts of another session are dropped) {
  connected();
  ask({read()});
  auto out = take<wire::ReplicaRequest>(frame_kind::replica_request);
  ++session;
  answer(out.id());
  CAF_CHECK(asker.answers.empty());
  receive(frame_kind::replica_request, request_of(read(), 3));
  CAF_CHECK(replica.ops.empty());
}

CAF_TEST(an answer of a session before matches no request of this one) {
  connected();
  ask({read()});
  auto old = take<wire::ReplicaRequest>(frame_kind::replica_request);
  greet(hello(6));
  take();
  asker.answers.clear();
  ask({read()});
  auto fresh = take<wire::ReplicaRequest>(frame_kind::replica_request);
  CAF_CHECK_NOT_EQUAL(fresh.id(), old.id());
  answer(old.id());
  CAF_CHECK(asker.answers.empty());
}

CAF_TEST(without a session an operation is unavailable at once) {
  start(0);
  ask({read()});
  CAF_CHECK(refused(errc::unavailable));
}

CAF_TEST(beyond the requests under way an operation is overloaded) {
  config.max_requests = 2;
  connected();
  ask({read(), read(), read()});
  CAF_CHECK(refused(errc::overloaded));
  auto frames = take();
  CAF_REQUIRE_EQUAL(frames.size(), 2u);
  wire::ReplicaRequest out;
  CAF_REQUIRE(parse(frames[0].message, out));
  asker.answers.clear();
  answer(out.id());
  ask({read()});
  CAF_CHECK_EQUAL(take().size(), 1u);
}

CAF_TEST(beyond the bytes under way an operation is overloaded) {
  config.max_bytes_under_way = 1000;
  connected();
  auto large = operation(replica_verb::write, "k", std::string(600, 'r'));
  ask({large});
  CAF_REQUIRE_EQUAL(remote.bursts.size(), 1u);
  auto sent = remote.bursts[0].bytes.size();
  take();
  ask({large});
  CAF_CHECK(refused(errc::overloaded));
  asker.answers.clear();
  // The peer acknowledges all bytes; the ping at the start counts as well.
  receive(frame_kind::ping, wire::Ping{}, sent + 1000);
  take();
  ask({large});
  CAF_CHECK(asker.answers.empty());
  CAF_CHECK_EQUAL(take().size(), 1u);
}

CAF_TEST(acknowledgements to the peer need no credit) {
  config.max_bytes_under_way = 1;
  connected();
  ask({read()});
  CAF_CHECK(refused(errc::overloaded));
  replica_answers out;
  out.answers.emplace_back();
  out.answers[0].id = 3;
  out.answers[0].kind = answer_kind::durable;
  tell(aut, std::move(out));
  auto answer = take<wire::ReplicaAnswer>(frame_kind::replica_answer);
  CAF_CHECK_EQUAL(answer.kind(), static_cast<uint32_t>(answer_kind::durable));
}

CAF_TEST(bytes taken are acknowledged with what is sent) {
  connected();
  std::string bytes;
  append_frame(bytes, frame_kind::ping, wire::Ping{});
  receive(bytes);
  receive(bytes);
  CAF_REQUIRE_EQUAL(remote.bursts.size(), 2u);
  CAF_CHECK_EQUAL(remote.bursts[1].taken, 2 * bytes.size());
}

CAF_TEST(a request that is never answered has timed out at its deadline) {
  connected();
  auto patient = read();
  patient.deadline_us += 1'000'000;
  auto op = read();
  ask({patient, op});
  take();
  pass_ms(1000);
  tick();
  CAF_CHECK(asker.answers.empty());
  pass_ms(1);
  tick();
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK_EQUAL(asker.answers[0].id, op.id);
  CAF_CHECK(asker.answers[0].code == errc::timed_out);
}

CAF_TEST(a deadline is translated to the clock of the peer) {
  connected();
  learn_offset(3'000'000);
  auto op = read();
  ask({op});
  auto out = take<wire::ReplicaRequest>(frame_kind::replica_request);
  CAF_CHECK_EQUAL(out.deadline_us(), op.deadline_us + 3'000'000);
  CAF_CHECK_EQUAL(node->peers[0].round_trip_us, 200u);
  // It is the deadline of our own clock that counts here.
  pass_ms(1001);
  tick();
  CAF_CHECK(refused(errc::timed_out));
}

CAF_TEST(a deadline is translated backwards and for forwarded puts too) {
  connected();
  learn_offset(-3'000'000);
  auto op = operation(replica_verb::forward, "k");
  wire::PutRequest put;
  put.set_key("k");
  put.set_deadline_us(op.deadline_us);
  put.set_asked_us(now_us);
  op.bytes = put.SerializeAsString();
  ask({op});
  auto out = take<wire::Forward>(frame_kind::forward);
  CAF_CHECK_EQUAL(out.put().key(), "k");
  CAF_CHECK_EQUAL(out.put().asked_us(), now_us - 3'000'000);
  CAF_CHECK_EQUAL(out.put().deadline_us(), op.deadline_us - 3'000'000);
}

CAF_TEST(a ping that waited in a frozen peer puts no deadline off) {
  connected();
  learn_offset(-50'000, 4'000'000);
  auto op = read();
  op.deadline_us = now_us + 1'000'000;
  ask({op});
  auto out = take<wire::ReplicaRequest>(frame_kind::replica_request);
  CAF_CHECK_EQUAL(out.deadline_us(), op.deadline_us - 50'000);
}

CAF_TEST(the answer to a forwarded put comes back to the coordinator) {
  connected();
  auto op = operation(replica_verb::forward, "k",
                      wire::PutRequest{}.SerializeAsString());
  ask({op});
  wire::Forwarded in;
  in.set_id(take<wire::Forward>(frame_kind::forward).id());
  in.mutable_reply()->set_acked(2);
  receive(frame_kind::forwarded, in);
  CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
  CAF_CHECK_EQUAL(asker.answers[0].id, op.id);
  CAF_CHECK(asker.answers[0].kind == answer_kind::forwarded);
  wire::PutReply reply;
  CAF_REQUIRE(reply.ParseFromString(asker.answers[0].bytes));
  CAF_CHECK_EQUAL(reply.acked(), 2u);
}

CAF_TEST(a request of the peer goes to the replica and its answer back) {
  connected();
  receive(frame_kind::replica_request, request_of(read(), 1234));
  CAF_REQUIRE_EQUAL(replica.ops.size(), 1u);
  CAF_CHECK_EQUAL(replica.ops[0].id, 1234u);
  CAF_CHECK_EQUAL(replica.ops[0].key, "k");
  replica_answers out;
  out.answers.emplace_back();
  out.answers[0].id = 1234;
  out.answers[0].kind = answer_kind::record;
  out.answers[0].bytes = "record";
  tell(replica.from, std::move(out));
  auto answer = take<wire::ReplicaAnswer>(frame_kind::replica_answer);
  CAF_CHECK_EQUAL(answer.id(), 1234u);
  CAF_CHECK_EQUAL(answer.bytes(), "record");
}

CAF_TEST(a request that no peer may make is refused) {
  connected();
  auto in = request_of(read(), 1234);
  in.set_verb(1);
  receive(frame_kind::replica_request, in);
  CAF_CHECK(replica.ops.empty());
  auto answer = take<wire::ReplicaAnswer>(frame_kind::replica_answer);
  CAF_CHECK_EQUAL(answer.id(), 1234u);
  CAF_CHECK_EQUAL(static_cast<errc>(answer.code()), errc::bad_message);
}

CAF_TEST(a put of the peer goes to a coordinator as forwarded) {
  connected();
  receive(frame_kind::forward, forward("k"));
  CAF_REQUIRE_EQUAL(coordinator.ops.size(), 1u);
  const auto& op = coordinator.ops[0];
  CAF_CHECK(op.forwarded);
  CAF_CHECK_EQUAL(op.key, "k");
  CAF_CHECK_EQUAL(op.value, "v");
  CAF_CHECK_EQUAL(op.deadline_us, now_us + 1000);
  CAF_CHECK((op.request == core::request_id{1, 0}));
  CAF_CHECK(op.level.level == core::consistency_level::quorum);
  client_answers out;
  out.answers.emplace_back();
  out.answers[0].id = op.id;
  out.answers[0].verb = client_verb::put;
  out.answers[0].answered = 2;
  tell(coordinator.from, std::move(out));
  auto reply = take<wire::Forwarded>(frame_kind::forwarded);
  CAF_CHECK_EQUAL(reply.id(), 9u);
  CAF_CHECK_EQUAL(reply.reply().acked(), 2u);
}

CAF_TEST(a put of the peer is as old as it is there) {
  connected();
  auto put = forward("k");
  put.mutable_put()->set_asked_us(now_us - 700);
  receive(frame_kind::forward, put);
  CAF_REQUIRE_EQUAL(coordinator.ops.size(), 1u);
  CAF_CHECK_EQUAL(coordinator.ops[0].asked_us, now_us - 700);
}

CAF_TEST(a put of the peer that makes no sense is refused) {
  connected();
  auto bad_level = forward("k");
  bad_level.mutable_put()->set_level(300);
  for (const auto& in : {forward(""), forward("k", "none such"), bad_level}) {
    receive(frame_kind::forward, in);
    auto out = take<wire::Forwarded>(frame_kind::forwarded);
    CAF_CHECK_EQUAL(static_cast<errc>(out.reply().code()), errc::bad_message);
  }
  CAF_CHECK(coordinator.ops.empty());
}

CAF_TEST(malformed bursts and unknown frames do no harm) {
  connected();
  std::string bytes;
  append_frame(bytes, static_cast<frame_kind>(200), wire::Ping{});
  append_frame(bytes, frame_kind::replica_request, request_of(read(), 1));
  receive(bytes + "\x03\x7f");
  receive("garbage");
  CAF_CHECK_EQUAL(replica.ops.size(), 1u);
  receive(frame_kind::replica_request, request_of(read(), 2));
  CAF_CHECK_EQUAL(replica.ops.size(), 2u);
  CAF_CHECK(up());
}

CAF_TEST_FIXTURE_SCOPE_END()
