#define CAF_SUITE client.session

#include "client/session.hpp"
#include "tests/test.hpp"

#include <map>
#include <memory>
#include <set>

using namespace covey;
using namespace covey::client;

namespace {

using std::chrono::milliseconds;

// What the fake nodes were sent, and how they behave, by port.
struct world {
  std::vector<uint16_t> dials;
  std::set<uint16_t> refused;
  std::set<uint16_t> mute_to_hello;
  std::map<uint16_t, caf::actor> nodes;
  std::map<uint16_t, std::vector<size_t>> burst_sizes;
  std::vector<std::pair<uint16_t, wire::PutRequest>> puts;
  std::vector<std::pair<uint16_t, wire::GetRequest>> gets;
  uint32_t credit = 100;
  uint32_t protocol = protocol_version;
};

using world_ptr = std::shared_ptr<world>;

constexpr uint64_t server_clock_us = 1'700'000'000'000'000;

caf::behavior fake_node(caf::event_based_actor* self, world_ptr w,
                        uint16_t port) {
  return {
    [=](const wire::ClientHello&) {
      if (w->mute_to_hello.count(port) > 0)
        return;
      wire::ClientWelcome welcome;
      welcome.set_protocol(w->protocol);
      welcome.set_clock_us(server_clock_us);
      welcome.set_credit(w->credit);
      self->send(caf::actor_cast<caf::actor>(self->current_sender()), welcome);
    },
    [=](burst_atom, const std::string& burst) {
      w->burst_sizes[port].push_back(burst.size());
      burst_reader reader{burst};
      frame_kind kind;
      std::string_view bytes;
      while (reader.next(kind, bytes)) {
        wire::PutRequest put;
        wire::GetRequest get;
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
  };
}

connector_actor::behavior_type fake_connector(connector_actor::pointer,
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

struct fixture : test::fixture {
  fixture() : w(std::make_shared<world>()) {
    for (uint16_t port : {1, 2})
      start_node(port);
    connector = sys.spawn(fake_connector, w);
  }

  ~fixture() override {
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

  void start(size_t nodes, session_config config = {}) {
    for (size_t i = 1; i <= nodes; ++i)
      config.nodes.push_back({"n", static_cast<uint16_t>(i)});
    aut = sys.spawn(session, config, connector);
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

  void answer_put(uint64_t id, errc code = errc::none) {
    wire::PutReply reply;
    reply.set_id(id);
    reply.set_code(static_cast<uint32_t>(code));
    std::string burst;
    append_frame(burst, frame_kind::put_reply, reply);
    answer(std::move(burst));
  }

  void answer(std::string burst) {
    caf::anon_send(aut, burst_atom::value, std::move(burst));
    sched.run();
  }

  world_ptr w;
  connector_actor connector;
  session_actor aut;
  std::vector<std::unique_ptr<outcome>> outcomes;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(session_tests, fixture)

CAF_TEST(what is queued rides one burst and answers find their calls) {
  start(1);
  submit(put("a"));
  submit(get("b"));
  submit(put("c"));
  sched.run();
  CAF_CHECK_EQUAL(w->burst_sizes[1].size(), 1u);
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_REQUIRE_EQUAL(w->gets.size(), 1u);
  answer_put(w->puts[1].second.id());
  CAF_CHECK(!outcomes[0]);
  CAF_REQUIRE(outcomes[2]);
  CAF_CHECK(outcomes[2]->code == errc::none);
  wire::GetReply reply;
  reply.set_id(w->gets[0].second.id());
  reply.add_values("x");
  std::string burst;
  append_frame(burst, frame_kind::get_reply, reply);
  answer(burst);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK_EQUAL(std::get<wire::GetReply>(outcomes[1]->reply).values(0), "x");
}

CAF_TEST(calls made before the connection wait for it) {
  session_config config;
  config.nodes.push_back({"n", 1});
  aut = sys.spawn(session, config, connector);
  submit(put("a"));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
}

CAF_TEST(deadlines are told in the clock of the node) {
  start(1);
  pass(milliseconds{200});
  submit(put("a"), milliseconds{1000});
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 1u);
  // 200 ms after the welcome, less 50 ms for the node's own answer to arrive.
  CAF_CHECK_EQUAL(w->puts[0].second.deadline_us(),
                  server_clock_us + 200'000 + 1'000'000 - 50'000);
}

CAF_TEST(a node that refuses is passed over at once) {
  w->refused = {1};
  start(2);
  CAF_CHECK_EQUAL(w->dials, (std::vector<uint16_t>{1, 2}));
  submit(put("a"));
  sched.run();
  CAF_REQUIRE_EQUAL(w->puts.size(), 1u);
  CAF_CHECK_EQUAL(w->puts[0].first, 2u);
}

CAF_TEST(with no node left a call ends at its deadline with the reasons) {
  w->refused = {1, 2};
  start(2);
  submit(put("a"), milliseconds{500});
  pass(milliseconds{480});
  CAF_CHECK(!outcomes[0]);
  pass(milliseconds{40});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::unavailable);
  CAF_CHECK(!outcomes[0]->maybe_written);
  CAF_CHECK_EQUAL(
    outcomes[0]->text,
    "no connection to n:1 (connection refused), n:2 (connection refused)");
  // Rounds are further and further apart.
  CAF_CHECK(w->dials.size() >= 4);
  CAF_CHECK(w->dials.size() <= 12);
}

CAF_TEST(a node that comes back is found again) {
  w->refused = {1};
  start(1);
  pass(milliseconds{100});
  w->refused.clear();
  submit(put("a"), milliseconds{5000});
  pass(milliseconds{2000});
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
}

CAF_TEST(a node that does not say welcome is given up) {
  w->mute_to_hello = {1};
  start(2);
  submit(put("a"), milliseconds{5000});
  pass(milliseconds{960});
  CAF_CHECK(w->puts.empty());
  pass(milliseconds{80});
  CAF_REQUIRE_EQUAL(w->puts.size(), 1u);
  CAF_CHECK_EQUAL(w->puts[0].first, 2u);
}

CAF_TEST(a node of another protocol is not used) {
  w->protocol = protocol_version + 1;
  start(1);
  submit(put("a"), milliseconds{200});
  pass(milliseconds{260});
  CAF_CHECK(w->puts.empty());
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->text.find("version 2") != std::string::npos);
}

CAF_TEST(calls on their way end when the gateway is lost and others go on) {
  w->credit = 2;
  start(2);
  submit(put("a"), milliseconds{5000});
  submit(get("b"), milliseconds{5000});
  submit(put("c"), milliseconds{5000});
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 1u);
  kill_node(1);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::connection_lost);
  CAF_CHECK(outcomes[0]->maybe_written);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::connection_lost);
  CAF_CHECK(!outcomes[1]->maybe_written);
  CAF_CHECK(!outcomes[2]);
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_CHECK_EQUAL(w->puts[1].first, 2u);
  CAF_CHECK_EQUAL(w->puts[1].second.key(), "c");
}

CAF_TEST(a repeated write keeps its request id and its doubt) {
  start(2);
  submit(put("a"), milliseconds{5000}, 1);
  submit(put("b"), milliseconds{5000}, 1);
  sched.run();
  kill_node(1);
  CAF_REQUIRE_EQUAL(w->puts.size(), 4u);
  CAF_CHECK_EQUAL(w->puts[2].first, 2u);
  CAF_CHECK_EQUAL(w->puts[2].second.key(), "a");
  CAF_CHECK_EQUAL(w->puts[2].second.request_low(), 42u);
  CAF_CHECK(w->puts[2].second.id() != w->puts[0].second.id());
  answer_put(w->puts[2].second.id());
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::none);
  CAF_CHECK(!outcomes[0]->maybe_written);
  // The second attempt was refused, the first may have happened.
  answer_put(w->puts[3].second.id(), errc::overloaded);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::overloaded);
  CAF_CHECK(outcomes[1]->maybe_written);
}

CAF_TEST(a write in doubt is never reported as not done) {
  start(1);
  submit(put("a"), milliseconds{500}, 2);
  sched.run();
  w->refused = {1};
  kill_node(1);
  pass(milliseconds{540});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::connection_lost);
  CAF_CHECK(outcomes[0]->maybe_written);
}

CAF_TEST(an unavailable call is repeated at the next node) {
  start(2);
  submit(put("a"), milliseconds{5000}, 1);
  sched.run();
  answer_put(w->puts[0].second.id(), errc::unavailable);
  CAF_REQUIRE_EQUAL(w->puts.size(), 2u);
  CAF_CHECK_EQUAL(w->puts[1].first, 2u);
  answer_put(w->puts[1].second.id(), errc::unavailable);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::unavailable);
  CAF_CHECK(!outcomes[0]->maybe_written);
}

CAF_TEST(a node that stops is left once it has answered everything) {
  start(2);
  submit(put("a"));
  submit(put("b"));
  sched.run();
  answer_put(w->puts[0].second.id(), errc::shutting_down);
  submit(put("c"));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 2u);
  answer_put(w->puts[1].second.id());
  CAF_CHECK(outcomes[1]->code == errc::none);
  CAF_REQUIRE_EQUAL(w->puts.size(), 3u);
  CAF_CHECK_EQUAL(w->puts[2].first, 2u);
}

CAF_TEST(a lone node that stops is not asked again without a pause) {
  start(1);
  for (int i = 0; i < 20; ++i)
    submit(put("a"), milliseconds{1000}, 2);
  sched.run();
  for (size_t i = 0; i < w->puts.size(); ++i)
    answer_put(w->puts[i].second.id(), errc::shutting_down);
  CAF_CHECK_EQUAL(w->dials.size(), 1u);
  CAF_CHECK_EQUAL(w->puts.size(), 20u);
  pass(milliseconds{100});
  CAF_CHECK(w->dials.size() >= 2);
}

CAF_TEST(no more than the credit is in flight) {
  w->credit = 2;
  start(1);
  for (int i = 0; i < 5; ++i)
    submit(put("a"));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 2u);
  answer_put(w->puts[0].second.id());
  CAF_CHECK_EQUAL(w->puts.size(), 3u);
}

CAF_TEST(a call that waits for credit until its deadline was not sent) {
  w->credit = 1;
  start(1);
  submit(put("a"), milliseconds{5000});
  submit(put("b"), milliseconds{100});
  pass(milliseconds{140});
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::overloaded);
  CAF_CHECK(!outcomes[1]->maybe_written);
  CAF_CHECK(!outcomes[0]);
}

CAF_TEST(a full queue refuses at once) {
  w->credit = 1;
  session_config config;
  config.max_waiting = 2;
  start(1, config);
  for (int i = 0; i < 4; ++i) {
    submit(put("a"));
    sched.run();
  }
  CAF_CHECK(!outcomes[2]);
  CAF_REQUIRE(outcomes[3]);
  CAF_CHECK(outcomes[3]->code == errc::overloaded);
}

CAF_TEST(a full queue is also one of many bytes) {
  w->credit = 1;
  session_config config;
  config.max_waiting_bytes = 1000;
  start(1, config);
  submit(put("a"));
  submit(put("b", std::string(900, 'v')));
  submit(put("c", std::string(900, 'v')));
  sched.run();
  CAF_CHECK(!outcomes[1]);
  CAF_REQUIRE(outcomes[2]);
  CAF_CHECK(outcomes[2]->code == errc::overloaded);
}

CAF_TEST(bursts are bounded) {
  start(1);
  for (int i = 0; i < 6; ++i)
    submit(put("a", std::string(100 << 10, 'v')));
  sched.run();
  CAF_CHECK_EQUAL(w->puts.size(), 6u);
  CAF_CHECK_EQUAL(w->burst_sizes[1].size(), 3u);
  for (auto size : w->burst_sizes[1])
    CAF_CHECK(size <= 256 << 10);
}

CAF_TEST(without an answer a call times out and a late answer is ignored) {
  start(1);
  submit(put("a"), milliseconds{100});
  submit(get("a"), milliseconds{100});
  pass(milliseconds{80});
  CAF_CHECK(!outcomes[0]);
  pass(milliseconds{40});
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::timed_out);
  CAF_CHECK(outcomes[0]->maybe_written);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::timed_out);
  CAF_CHECK(!outcomes[1]->maybe_written);
  answer_put(w->puts[0].second.id());
}

CAF_TEST(damaged bytes end the connection) {
  start(2);
  submit(put("a"));
  sched.run();
  answer("\x11\x7f");
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::connection_lost);
  CAF_CHECK_EQUAL(w->dials, (std::vector<uint16_t>{1, 2}));
}

CAF_TEST(an answer of another kind is an error) {
  start(1);
  submit(get("a"));
  sched.run();
  answer_put(w->gets[0].second.id());
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::bad_message);
}

CAF_TEST(status is asked with a request and ends like others) {
  start(2);
  submit(wire::StatusRequest{});
  submit(wire::RingRequest{}, milliseconds{100});
  submit(wire::RingRequest{}, milliseconds{5000});
  sched.run();
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK_EQUAL(std::get<wire::StatusReply>(outcomes[0]->reply).cluster(),
                  "c1");
  pass(milliseconds{140});
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::timed_out);
  CAF_CHECK(!outcomes[1]->maybe_written);
  kill_node(1);
  CAF_REQUIRE(outcomes[2]);
  CAF_CHECK(outcomes[2]->code == errc::connection_lost);
}

CAF_TEST(closing answers everything) {
  w->credit = 1;
  start(1);
  submit(put("a"));
  submit(put("b"));
  sched.run();
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  sched.run();
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::shutting_down);
  CAF_CHECK(outcomes[0]->maybe_written);
  CAF_REQUIRE(outcomes[1]);
  CAF_CHECK(outcomes[1]->code == errc::shutting_down);
  CAF_CHECK(!outcomes[1]->maybe_written);
}

CAF_TEST(no timer runs while nothing is in flight) {
  start(1);
  submit(put("a"));
  sched.run();
  answer_put(w->puts[0].second.id());
  // Fires what was armed before, such as the time-out of the dial.
  pass(milliseconds{2000});
  sched.advance_time(std::chrono::hours{1});
  CAF_CHECK(sched.jobs.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
