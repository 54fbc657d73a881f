// The gateway's sessions: hello, bursts, credit, the end of a client; drain.

#define CAF_SUITE actors.gateway_session

#include "messages/convert.hpp"
#include "tests/actors/gateway_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::gateway_fixture {
  /// Asks for a drain; `drained` tells when it was answered.
  void drain() {
    auto* out = &drained;
    auto gateway = aut;
    drainer = keep(sys.spawn([gateway, out](caf::event_based_actor* asker) {
      asker->request(gateway, caf::infinite, drain_atom::value)
        .then([out](bool) {
          *out = true;
        });
    }));
    sched.run();
  }
  bool drained = false;
  caf::actor drainer;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_session_tests, fixture)

CAF_TEST(a hello is welcomed with the limits and the clock) {
  auto& client = connect();
  CAF_REQUIRE_EQUAL(client.welcomes.size(), 1u);
  const auto& w = client.welcomes[0];
  CAF_CHECK_EQUAL(w.protocol(), 1u);
  CAF_CHECK_EQUAL(w.cluster(), "test");
  CAF_CHECK_EQUAL(w.node(), "n1");
  CAF_CHECK_EQUAL(w.clock_us(), now_us);
  CAF_CHECK_EQUAL(w.max_key_bytes(), 16u);
  CAF_CHECK_EQUAL(w.max_value_bytes(), 32u);
  CAF_CHECK_EQUAL(w.credit(), config.client_credit);
  CAF_CHECK_EQUAL(node->counters.clients, 1u);
  // A second one is no second session.
  send_as(client.handle, aut, wire::ClientHello{});
  CAF_CHECK_EQUAL(client.welcomes.size(), 2u);
  CAF_CHECK_EQUAL(node->counters.clients, 1u);
}

CAF_TEST(a restarted gateway starts its figures anew) {
  send(connect(), frame(put()));
  CAF_CHECK_EQUAL(node->counters.clients, 1u);
  CAF_CHECK_EQUAL(node->counters.inflight, 1u);
  start();
  CAF_CHECK_EQUAL(node->counters.clients, 0u);
  CAF_CHECK_EQUAL(node->counters.inflight, 0u);
}

CAF_TEST(a burst is answered by one burst) {
  auto& client = connect();
  send(client, frame(put(1)) + frame(get(2)) + frame(put(3)));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 3u);
  CAF_CHECK(client.bursts.empty());
  tell(aut, finish());
  CAF_CHECK_EQUAL(client.bursts.size(), 1u);
  auto replies = put_replies(client);
  CAF_REQUIRE_EQUAL(replies.size(), 2u);
  CAF_CHECK_EQUAL(replies[0].id(), 1u);
  CAF_CHECK_EQUAL(replies[1].id(), 3u);
}

CAF_TEST(each client gets its own answers) {
  auto& first = connect();
  auto& second = connect();
  send(first, frame(put(1)));
  send(second, frame(put(1)));
  auto all = finish();
  tell(aut, client_answers{{all.answers[1]}});
  CAF_CHECK(first.bursts.empty());
  CAF_CHECK_EQUAL(put_replies(second).size(), 1u);
  tell(aut, client_answers{{all.answers[0]}});
  CAF_CHECK_EQUAL(put_replies(first).size(), 1u);
}

CAF_TEST(large answers are sent before the burst grows beyond its limit) {
  config.burst_bytes = 1;
  start();
  auto& client = connect();
  send(client, frame(put(1)) + frame(put(2)));
  tell(aut, finish());
  CAF_CHECK_EQUAL(client.bursts.size(), 2u);
  CAF_CHECK_EQUAL(put_replies(client).size(), 2u);
}

CAF_TEST(a client that asks is told the epoch unless it knows it) {
  auto& client = play_client();
  wire::ClientHello hello;
  hello.set_nonce(42);
  send_as(client.handle, aut, hello);
  CAF_CHECK_EQUAL(client.welcomes.back().nonce(), 42u);
  CAF_CHECK_EQUAL(client.welcomes.back().members_size(), 0);
  hello.set_wants_epoch(true);
  send_as(client.handle, aut, hello);
  auto told = epoch_from_wire(client.welcomes.back());
  CAF_REQUIRE(told);
  CAF_CHECK(told->id == view->id());
  CAF_REQUIRE_EQUAL(told->members.size(), view->members());
  CAF_CHECK_EQUAL(told->members[1].host, view->at(1).host);
  CAF_CHECK_EQUAL(told->keyspaces.size(), view->keyspaces().size());
  hello.set_epoch_generation(told->id.generation);
  hello.set_epoch_number(told->id.number);
  send_as(client.handle, aut, hello);
  CAF_CHECK_EQUAL(client.welcomes.back().members_size(), 0);
}

CAF_TEST(a client without a hello is not heard) {
  auto& client = play_client();
  send(client, frame(put()));
  CAF_CHECK(coordinator.ops.empty());
  CAF_CHECK(client.bursts.empty());
}

CAF_TEST(a client beyond its credit is overloaded and others are not ) {
  config.client_credit = 2;
  start();
  auto& greedy = connect();
  auto& other = connect();
  send(greedy, frame(put(1)) + frame(put(2)) + frame(put(3)));
  auto replies = put_replies(greedy);
  CAF_REQUIRE_EQUAL(replies.size(), 1u);
  CAF_CHECK_EQUAL(replies[0].id(), 3u);
  CAF_CHECK_EQUAL(static_cast<errc>(replies[0].code()), errc::overloaded);
  send(other, frame(put(1)));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 3u);
  tell(aut, finish());
  put_replies(greedy);
  send(greedy, frame(put(4)));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 1u);
}

CAF_TEST(clients beyond the limit are turned away until one is gone) {
  config.max_clients = 1;
  start();
  auto& first = connect();
  auto& second = connect();
  CAF_REQUIRE_EQUAL(second.welcomes.size(), 1u);
  CAF_CHECK_EQUAL(second.welcomes[0].code(),
                  static_cast<uint32_t>(errc::overloaded));
  send(second, frame(put()));
  CAF_CHECK(coordinator.ops.empty());
  kill(first.handle);
  CAF_CHECK_EQUAL(connect().welcomes.size(), 1u);
}

CAF_TEST(a malformed frame harms none of the others) {
  auto& client = connect();
  send(client, frame(put(1)) + "\x10\x7f");
  send(client, frame(put(2)) + std::string("\x10\x01\xff", 3) + frame(put(3)));
  send(client, "garbage");
  CAF_CHECK_EQUAL(coordinator.ops.size(), 3u);
  send(client, frame(put(4)));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 4u);
  tell(aut, finish());
  CAF_CHECK_EQUAL(put_replies(client).size(), 4u);
}

CAF_TEST(frames of unknown kinds are skipped) {
  auto& client = connect();
  send(client, frame(static_cast<frame_kind>(200), put(1)) + frame(put(2)));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 1u);
}

CAF_TEST(a client that is gone frees its session and its room) {
  config.max_requests = 1;
  start();
  auto& gone = connect();
  send(gone, frame(put(1)));
  kill(gone.handle);
  CAF_CHECK_EQUAL(node->counters.clients, 0u);
  tell(aut, finish());
  CAF_CHECK(gone.bursts.empty());
  CAF_CHECK_EQUAL(node->counters.inflight, 0u);
  CAF_CHECK_EQUAL(verdict(put()), errc::none);
}

CAF_TEST(an answer that comes twice or late is dropped) {
  auto& client = connect();
  send(client, frame(put(1)));
  auto answers = finish();
  tell(aut, answers);
  tell(aut, answers);
  CAF_CHECK_EQUAL(put_replies(client).size(), 1u);
  CAF_CHECK_EQUAL(node->counters.inflight, 0u);
}

CAF_TEST(a drain refuses new requests and is done with the last in flight) {
  auto& client = connect();
  send(client, frame(put(1)) + frame(put(2)));
  auto all = finish();
  drain();
  CAF_CHECK(!drained);
  send(client, frame(put(3)));
  auto refusals = put_replies(client);
  CAF_REQUIRE_EQUAL(refusals.size(), 1u);
  CAF_CHECK_EQUAL(static_cast<errc>(refusals[0].code()), errc::shutting_down);
  tell(aut, client_answers{{all.answers[0]}});
  CAF_CHECK(!drained);
  tell(aut, client_answers{{all.answers[1]}});
  CAF_CHECK(drained);
  CAF_CHECK_EQUAL(put_replies(client).size(), 2u);
}

CAF_TEST(a drain with nothing in flight is done at once) {
  drain();
  CAF_CHECK(drained);
}

CAF_TEST(a drain is not done before the last answer has left) {
  auto& client = connect();
  send(client, frame(put(1)));
  auto last = finish();
  drain();
  // Other messages wait, so that the gateway gathers its answers.
  queue_as(client.handle, aut, std::move(last));
  queue_as(client.handle, aut, burst_atom::value, frame(put(2)));
  // The supervisor would stop the gateway as soon as it hears of the drain.
  while (!drained && sched.prioritize(aut)) {
    sched.run_once();
    while (sched.prioritize(drainer))
      sched.run_once();
  }
  CAF_REQUIRE(drained);
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  sched.run();
  auto replies = put_replies(client);
  auto found = false;
  for (const auto& reply : replies)
    found = found || reply.id() == 1;
  CAF_CHECK(found);
}

CAF_TEST_FIXTURE_SCOPE_END()
