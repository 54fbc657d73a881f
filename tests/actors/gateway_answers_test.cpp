// How the gateway bounds its answers: by what clients take, by what the node
// may hold, by deadlines; and how it bounds its load.

#define CAF_SUITE actors.gateway_answers

#include "tests/actors/gateway_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::gateway_fixture {
  fixture() {
    config.client_answer_bytes = 1000;
    config.client_patience_us = 10'000'000;
    start();
  }
  /// Answers every get with a value of `size` bytes; gives what came of each.
  void answer_gets(size_t size) {
    client_answers batch;
    for (const auto& op : coordinator.ops) {
      client_answer a;
      a.id = op.id;
      a.verb = op.verb;
      a.values = {std::string(size, 'x')};
      a.charge = {node->answers, size};
      batch.answers.push_back(std::move(a));
    }
    coordinator.ops.clear();
    tell(aut, std::move(batch));
  }
  /// The get replies since the last call; counts the bytes taken.
  std::vector<wire::GetReply> take(test::played_client& client) {
    std::vector<wire::GetReply> result;
    for (const auto& bytes : client.bursts) {
      total += bytes.size();
      burst_reader frames{bytes};
      frame_kind kind;
      std::string_view message;
      while (frames.next(kind, message)) {
        result.emplace_back();
        CAF_REQUIRE(parse(message, result.back()));
      }
    }
    client.bursts.clear();
    return result;
  }
  static std::string taken(uint64_t bytes) {
    wire::Taken message;
    message.set_bytes(bytes);
    return frame(frame_kind::taken, message);
  }
  /// One get and its answer, as far as it gets.
  wire::GetReply read(test::played_client& client, size_t size) {
    send(client, frame(get()));
    answer_gets(size);
    auto replies = take(client);
    CAF_REQUIRE_EQUAL(replies.size(), 1u);
    return replies[0];
  }
  static errc code(const wire::GetReply& reply) {
    return static_cast<errc>(reply.code());
  }
  void tick() {
    tell(aut, tick_atom::value);
  }
  uint64_t total = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_answers_tests, fixture)

CAF_TEST(a client that takes nothing is refused what does not fit any more) {
  auto& client = connect();
  auto& other = connect();
  CAF_CHECK_EQUAL(code(read(client, 600)), errc::none);
  // The second would fit if it were small: that shows when it is there.
  auto second = read(client, 600);
  CAF_CHECK_EQUAL(code(second), errc::overloaded);
  CAF_CHECK_EQUAL(second.values_size(), 0);
  CAF_CHECK(!second.text().empty());
  CAF_CHECK_EQUAL(node->counters.client_answers_refused, 1u);
  CAF_CHECK(node->answers_under_way->held() >= 600);
  // It is a matter of this client alone.
  CAF_CHECK_EQUAL(code(read(other, 600)), errc::none);
}

CAF_TEST(what a client says it has taken makes room) {
  auto& client = connect();
  for (auto i = 0; i < 10; ++i) {
    CAF_CHECK_EQUAL(code(read(client, 600)), errc::none);
    // With the next burst, before its requests.
    send(client, taken(total) + frame(put(9)));
    tell(aut, finish());
    total += client.bursts.at(0).size();
    client.bursts.clear();
  }
  send(client, taken(total));
  CAF_CHECK_EQUAL(node->answers_under_way->held(), 0u);
}

CAF_TEST(a new hello counts from zero again) {
  auto& client = connect();
  read(client, 900);
  send_as(client.handle, aut, wire::ClientHello{});
  CAF_CHECK_EQUAL(node->answers_under_way->held(), 0u);
  CAF_CHECK_EQUAL(code(read(client, 900)), errc::none);
}

CAF_TEST(gets whose answers will not fit are refused before any work) {
  auto& client = connect();
  for (auto i = 0; i < 100; ++i) {
    read(client, 300);
    send(client, taken(total));
  }
  auto gets = frame(get(1)) + frame(get(2)) + frame(get(3)) + frame(get(4));
  send(client, gets);
  // About 300 bytes each: three fit.
  CAF_CHECK_EQUAL(coordinator.ops.size(), 3u);
  auto refused = take(client);
  CAF_REQUIRE_EQUAL(refused.size(), 1u);
  CAF_CHECK_EQUAL(code(refused[0]), errc::overloaded);
  // One of unknown size is always let in.
  answer_gets(10);
  take(client);
  send(client, taken(total));
  CAF_CHECK_EQUAL(code(read(client, 10)), errc::none);
}

CAF_TEST(reads that the node could not hold are refused before any work) {
  node->answers = std::make_shared<core::answer_budget>(1000);
  config.client_answer_bytes = 1 << 20;
  start();
  auto& client = connect();
  for (auto i = 0; i < 100; ++i)
    read(client, 100);
  // A record of two homes and the values: 300 bytes each.
  auto& others = connect();
  for (auto i = 0; i < 4; ++i)
    send(others, frame(get()));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 3u);
  auto refused = take(others);
  CAF_REQUIRE_EQUAL(refused.size(), 1u);
  CAF_CHECK_EQUAL(code(refused[0]), errc::overloaded);
  CAF_CHECK_EQUAL(node->counters.answers_refused, 1u);
  // Single requests as well; puts not.
  auto reply = self->request(aut, caf::infinite, get());
  sched.run();
  reply.receive(
    [](const wire::GetReply& out) {
      CAF_CHECK_EQUAL(code(out), errc::overloaded);
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
  send(others, frame(put()));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 4u);
}

CAF_TEST(scans count by the bytes that they ask for) {
  auto& client = connect();
  wire::ScanRequest scan;
  scan.set_keyspace("default");
  scan.set_max_bytes(600);
  // Alone it may be larger than the limit; two are too many.
  send(client, frame(frame_kind::scan_request, scan)
                 + frame(frame_kind::scan_request, scan));
  CAF_CHECK_EQUAL(coordinator.ops.size(), 1u);
}

CAF_TEST(clients that take nothing leave room to those that do) {
  node->answers_under_way = std::make_shared<core::answer_budget>(200'000);
  config.client_answer_bytes = 1 << 20;
  start();
  auto& slow = connect();
  CAF_CHECK_EQUAL(code(read(slow, 150'000)), errc::none);
  CAF_CHECK_EQUAL(code(read(slow, 60'000)), errc::none);
  send(slow, frame(get()));
  CAF_CHECK(coordinator.ops.empty());
  CAF_CHECK_EQUAL(code(take(slow).at(0)), errc::overloaded);
  CAF_CHECK_EQUAL(code(read(connect(), 10)), errc::none);
}

CAF_TEST(a session whose answers nobody takes ends after a while) {
  auto& client = connect();
  auto& other = connect();
  read(client, 600);
  read(other, 100);
  now_us += config.client_patience_us;
  tick();
  CAF_CHECK_EQUAL(node->counters.clients, 2u);
  ++now_us;
  tick();
  CAF_CHECK_EQUAL(node->counters.clients, 1u);
  CAF_CHECK_EQUAL(node->counters.clients_dropped, 1u);
  CAF_REQUIRE_EQUAL(client.welcomes.size(), 2u);
  CAF_CHECK_EQUAL(client.welcomes[1].code(),
                  static_cast<uint32_t>(errc::connection_lost));
  // Only the little of the other is still under way.
  CAF_CHECK(node->answers_under_way->held() < 200);
  // It is not heard any more, but may greet anew.
  send(client, frame(get()));
  CAF_CHECK(coordinator.ops.empty());
  send_as(client.handle, aut, wire::ClientHello{});
  CAF_CHECK_EQUAL(client.welcomes.back().code(), 0u);
  CAF_CHECK_EQUAL(code(read(client, 10)), errc::none);
}

CAF_TEST(a session that takes not even its refusals ends at once) {
  auto& client = connect();
  read(client, 900);
  for (auto i = 0; i < 100 && node->counters.clients > 0; ++i)
    send(client, frame(get()));
  CAF_CHECK_EQUAL(node->counters.clients, 0u);
  CAF_CHECK(take(client).size() < 50);
}

CAF_TEST(an answer that comes after its deadline goes without its values) {
  auto& client = connect();
  auto in = get();
  in.set_deadline_us(now_us + 1000);
  send(client, frame(in));
  now_us += 1001;
  answer_gets(100);
  auto replies = take(client);
  CAF_REQUIRE_EQUAL(replies.size(), 1u);
  CAF_CHECK_EQUAL(code(replies[0]), errc::timed_out);
  CAF_CHECK_EQUAL(replies[0].values_size(), 0);
  CAF_CHECK_EQUAL(node->counters.answers_late, 1u);
}

CAF_TEST(a put that was done after its deadline was done all the same) {
  auto& client = connect();
  auto in = put();
  in.set_deadline_us(now_us + 1000);
  send(client, frame(in));
  now_us += 1001;
  tell(aut, finish());
  CAF_CHECK_EQUAL(put_replies(client).at(0).code(), 0u);
}

CAF_TEST(a node that answers late takes fewer requests until it is in time) {
  auto& client = connect();
  tick();
  auto in = put();
  in.set_deadline_us(now_us + 1'000'000);
  std::string burst;
  for (auto i = 0; i < 1000; ++i)
    burst += frame(in);
  send(client, burst);
  CAF_CHECK_EQUAL(coordinator.ops.size(), 1000u);
  auto held = std::move(coordinator.ops);
  coordinator.ops.clear();
  // Half of them are answered, most of their time later.
  auto half = held.begin() + 500;
  coordinator.ops.assign(held.begin(), half);
  now_us += 900'000;
  tell(aut, finish());
  tick();
  CAF_CHECK_EQUAL(node->counters.load_limit, core::load_limit::least);
  client.bursts.clear();
  send(client, frame(put()));
  CAF_CHECK(coordinator.ops.empty());
  auto replies = put_replies(client);
  CAF_CHECK_EQUAL(replies.at(0).code(),
                  static_cast<uint32_t>(errc::overloaded));
  CAF_CHECK(!replies.at(0).text().empty());
  // The rest is answered: there is room, and soon as much as before.
  coordinator.ops.assign(half, held.end());
  tell(aut, finish(errc::unavailable));
  CAF_CHECK_EQUAL(verdict(put()), errc::none);
  for (auto i = 0; i < 60; ++i) {
    now_us += core::load_limit::window_us;
    tick();
  }
  CAF_CHECK_EQUAL(node->counters.load_limit, config.max_requests);
}

CAF_TEST_FIXTURE_SCOPE_END()
