// What the gateway lets through, and what it refuses with which error.

#define CAF_SUITE actors.gateway

#include "tests/actors/gateway_fixture.hpp"

using namespace covey;

CAF_TEST_FIXTURE_SCOPE(gateway_tests, test::gateway_fixture)

CAF_TEST(a put within all limits goes to the coordinator as it was sent) {
  auto in = put();
  in.set_context("token");
  in.set_request_high(1);
  in.set_request_low(2);
  in.set_level(9);
  in.set_level_count(2);
  in.set_ttl_ms(500);
  CAF_CHECK_EQUAL(verdict(in), errc::none);
  const auto& op = coordinator.ops[0];
  CAF_CHECK(op.verb == client_verb::put);
  CAF_CHECK_EQUAL(op.keyspace, core::keyspace_id("default"));
  CAF_CHECK_EQUAL(op.key, "k");
  CAF_CHECK_EQUAL(op.value, "v");
  CAF_CHECK_EQUAL(op.context, "token");
  CAF_CHECK((op.request == core::request_id{1, 2}));
  CAF_CHECK(op.level.level == core::consistency_level::number);
  CAF_CHECK_EQUAL(op.level.count, 2u);
  CAF_CHECK_EQUAL(op.expires_at_ms, now_us / 1000 + 500);
  CAF_CHECK(!op.forwarded);
  CAF_CHECK(op.epoch == view->id());
}

CAF_TEST(a put without a request id is given one of its own) {
  verdict(put());
  auto first = coordinator.ops[0].request;
  verdict(put());
  CAF_CHECK(static_cast<bool>(first));
  CAF_CHECK(coordinator.ops[0].request != first);
}

CAF_TEST(a delete carries no value) {
  auto in = put();
  in.set_tombstone(true);
  verdict(in);
  CAF_CHECK(coordinator.ops[0].tombstone);
  CAF_CHECK(coordinator.ops[0].value.empty());
}

CAF_TEST(an unknown keyspace is refused) {
  auto in = put();
  in.set_keyspace("none such");
  CAF_CHECK_EQUAL(verdict(in), errc::unknown_keyspace);
}

CAF_TEST(an empty key is refused) {
  auto in = put();
  in.clear_key();
  CAF_CHECK_EQUAL(verdict(in), errc::empty_key);
}

CAF_TEST(a key is as large as the limit at most) {
  auto in = put();
  in.set_key(std::string(16, 'k'));
  CAF_CHECK_EQUAL(verdict(in), errc::none);
  in.set_key(std::string(17, 'k'));
  CAF_CHECK_EQUAL(verdict(in), errc::key_too_large);
}

CAF_TEST(a value is as large as the limit at most) {
  auto in = put();
  in.set_value(std::string(32, 'v'));
  CAF_CHECK_EQUAL(verdict(in), errc::none);
  in.set_value(std::string(33, 'v'));
  CAF_CHECK_EQUAL(verdict(in), errc::value_too_large);
}

CAF_TEST(a level that does not exist is refused) {
  auto in = put();
  for (auto level : {10u, 255u, 256u, 0xffffffffu}) {
    in.set_level(level);
    CAF_CHECK_EQUAL(verdict(in), errc::unknown_level);
  }
  // A number of homes must be one.
  in.set_level(9);
  CAF_CHECK_EQUAL(verdict(in), errc::unknown_level);
}

CAF_TEST(a deadline that has passed is refused) {
  auto in = put();
  in.set_deadline_us(now_us - 1);
  CAF_CHECK_EQUAL(verdict(in), errc::deadline_expired);
}

CAF_TEST(a deadline is given if there is none and cut if it is too far) {
  verdict(put());
  CAF_CHECK_EQUAL(coordinator.ops[0].deadline_us,
                  now_us + config.default_timeout_us);
  auto in = put();
  in.set_deadline_us(now_us + 5);
  verdict(in);
  CAF_CHECK_EQUAL(coordinator.ops[0].deadline_us, now_us + 5);
  in.set_deadline_us(now_us + config.max_timeout_us + 1);
  verdict(in);
  CAF_CHECK_EQUAL(coordinator.ops[0].deadline_us,
                  now_us + config.max_timeout_us);
}

CAF_TEST(beyond the requests admitted a request is overloaded at once) {
  config.max_requests = 2;
  start();
  CAF_CHECK_EQUAL(verdict(put()), errc::none);
  CAF_CHECK_EQUAL(verdict(put()), errc::none);
  auto held = coordinator.ops;
  CAF_CHECK_EQUAL(verdict(put()), errc::overloaded);
  // An answer makes room for one more.
  coordinator.ops = std::move(held);
  tell(aut, finish());
  CAF_CHECK_EQUAL(verdict(put()), errc::none);
  CAF_CHECK_EQUAL(verdict(put()), errc::overloaded);
  CAF_CHECK_EQUAL(node->counters.refused, 2u);
  CAF_CHECK_EQUAL(node->counters.inflight, 2u);
}

CAF_TEST(beyond the bytes admitted a request is overloaded at once) {
  config.max_bytes = 20;
  start();
  auto in = put();
  in.set_value(std::string(30, 'v'));
  CAF_CHECK_EQUAL(verdict(in), errc::none);
  auto held = coordinator.ops;
  CAF_CHECK_EQUAL(verdict(put()), errc::overloaded);
  coordinator.ops = std::move(held);
  tell(aut, finish());
  CAF_CHECK_EQUAL(verdict(put()), errc::none);
}

CAF_TEST(single requests get a reply each) {
  auto put_reply = self->request(aut, caf::infinite, put(7));
  auto get_reply = self->request(aut, caf::infinite, get(8));
  wire::ScanRequest scan;
  scan.set_id(9);
  scan.set_keyspace("default");
  auto scan_reply = self->request(aut, caf::infinite, scan);
  sched.run();
  CAF_CHECK_EQUAL(coordinator.ops.size(), 3u);
  tell(aut, finish());
  auto fail = [&](const caf::error& err) {
    CAF_FAIL(sys.render(err));
  };
  put_reply.receive(
    [](const wire::PutReply& reply) {
      CAF_CHECK_EQUAL(reply.id(), 7u);
      CAF_CHECK_EQUAL(reply.code(), 0u);
    },
    fail);
  get_reply.receive(
    [](const wire::GetReply& reply) {
      CAF_CHECK_EQUAL(reply.id(), 8u);
      CAF_REQUIRE_EQUAL(reply.values_size(), 1);
      CAF_CHECK_EQUAL(reply.values(0), "x");
    },
    fail);
  scan_reply.receive(
    [](const wire::ScanReply& reply) {
      CAF_CHECK_EQUAL(reply.id(), 9u);
    },
    fail);
}

CAF_TEST(a single request that is refused gets a code and no CAF error) {
  auto in = put(7);
  in.clear_key();
  auto reply = self->request(aut, caf::infinite, in);
  sched.run();
  reply.receive(
    [](const wire::PutReply& out) {
      CAF_CHECK_EQUAL(out.id(), 7u);
      CAF_CHECK_EQUAL(static_cast<errc>(out.code()), errc::empty_key);
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
}

CAF_TEST(a scan is bounded and starts within the slots) {
  wire::ScanRequest scan;
  scan.set_keyspace("default");
  scan.set_slot(70'000);
  scan.set_after_key("k");
  send(connect(), frame(frame_kind::scan_request, scan));
  CAF_REQUIRE_EQUAL(coordinator.ops.size(), 1u);
  CAF_CHECK_EQUAL(coordinator.ops[0].slot, 16383u);
  CAF_CHECK_EQUAL(coordinator.ops[0].max_bytes, 1u);
  CAF_CHECK_EQUAL(coordinator.ops[0].key, "k");
}

CAF_TEST(the ring tells where a key lies) {
  wire::RingRequest in;
  in.set_id(3);
  in.set_keyspace("pair");
  in.set_key("k");
  auto reply = self->request(aut, caf::infinite, in);
  sched.run();
  reply.receive(
    [&](const wire::RingReply& out) {
      CAF_CHECK_EQUAL(out.id(), 3u);
      CAF_CHECK_EQUAL(out.slot(), core::slot_of("k", false));
      CAF_REQUIRE_EQUAL(out.homes_size(), 2);
      CAF_CHECK_EQUAL(out.fallbacks_size(), 1);
      auto list = homes_of("pair", "k");
      CAF_CHECK_EQUAL(out.homes(0), view->at(list[0]).name);
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
}

CAF_TEST(the status names members keyspaces and statistics of the engine) {
  node->peers[1].up = true;
  wire::StatusRequest in;
  in.set_id(4);
  auto reply = self->request(aut, caf::infinite, in);
  sched.run();
  reply.receive(
    [](const wire::StatusReply& out) {
      CAF_CHECK_EQUAL(out.id(), 4u);
      CAF_CHECK_EQUAL(out.node(), "n1");
      CAF_REQUIRE_EQUAL(out.members_size(), 3);
      CAF_CHECK(out.members(0).up());
      CAF_CHECK(out.members(1).up());
      CAF_CHECK(!out.members(2).up());
      CAF_CHECK_EQUAL(out.keyspaces_size(), 3);
      auto found = false;
      for (const auto& x : out.statistics())
        found = found || (x.name() == "engine.commits" && x.value() == 5);
      CAF_CHECK(found);
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
}

CAF_TEST(who asks for the status meanwhile shares it and too many are refused) {
  config.max_statuses = 3;
  start();
  wire::StatusRequest in;
  auto answered = 0u;
  auto refused = 0u;
  // The flusher has other things to do first.
  for (uint32_t i = 0; i < 10; ++i)
    self->send(flusher.handle, flush_atom::value, 0u, uint64_t{i});
  for (uint32_t i = 0; i < 4; ++i) {
    in.set_id(i);
    self->send(aut, in);
  }
  sched.run();
  self->receive_while([&] {
    return self->has_next_message();
  })([&](const wire::StatusReply& out) {
    if (out.code() == static_cast<uint32_t>(errc::overloaded))
      ++refused;
    else
      CAF_CHECK_EQUAL(out.id(), answered++);
  });
  CAF_CHECK_EQUAL(answered, 3u);
  CAF_CHECK_EQUAL(refused, 1u);
  CAF_CHECK_EQUAL(flusher.statuses, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
