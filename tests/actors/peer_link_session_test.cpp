// The peer link's sessions: dialling, greeting, signs of life, loss.

#define CAF_SUITE actors.peer_link_session

#include "tests/actors/link_fixture.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

using namespace covey;

namespace {

struct fixture : test::link_fixture {
  /// The last welcome that the remote link has got.
  const wire::PeerWelcome& welcomed() const {
    CAF_REQUIRE(!remote.welcomes.empty());
    return remote.welcomes.back();
  }
  /// Dials n3 up to the hello.
  void dialled() {
    start(2);
    CAF_REQUIRE_EQUAL(portal.hellos.size(), 1u);
    session = portal.hellos[0].session();
  }
  /// Time as the ticker makes it pass.
  void live_ms(uint64_t ms) {
    for (uint64_t passed = 0; passed < ms; passed += 50) {
      pass_ms(50);
      tick();
    }
  }
};

using names = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(peer_link_session_tests, fixture)

CAF_TEST(the node whose name sorts first dials and says who it is) {
  node->peers[2].run = 9;
  dialled();
  CAF_CHECK_EQUAL(connector.dialled, names{"n3.example:7001"});
  const auto& out = portal.hellos[0];
  CAF_CHECK_EQUAL(out.cluster(), "test");
  CAF_CHECK_EQUAL(out.node(), "n2");
  CAF_CHECK_EQUAL(out.target(), "n3");
  CAF_CHECK_EQUAL(out.epoch_hash(), core::epoch_hash(view->epoch()));
  CAF_CHECK_EQUAL(out.run(), 20u);
  CAF_CHECK_EQUAL(out.previous_run(), 10u);
  CAF_CHECK_EQUAL(out.known_run(), 9u);
  CAF_REQUIRE_EQUAL(out.incarnations_size(), 1);
  CAF_CHECK_EQUAL(out.incarnations(0), 77u);
  CAF_CHECK(!up());
}

CAF_TEST(the other one waits to be dialled) {
  start(0);
  pass_ms(10'000);
  tick();
  CAF_CHECK(connector.dialled.empty());
}

CAF_TEST(a welcome opens the session and coordinators are told) {
  dialled();
  CAF_CHECK_EQUAL(coordinator.links, names{"-2"});
  send_as(remote.handle, aut, welcome());
  CAF_CHECK(up());
  CAF_CHECK_EQUAL(coordinator.links, (names{"-2", "+2"}));
  CAF_CHECK(coordinator.link == caf::actor_cast<replica_actor>(aut));
  CAF_CHECK_EQUAL(node->peers[2].run, 30u);
  take<wire::Ping>(frame_kind::ping);
}

CAF_TEST(a welcome of another session is not heard) {
  dialled();
  ++session;
  send_as(remote.handle, aut, welcome());
  CAF_CHECK(!up());
}

CAF_TEST(a refusal is tried again after the longest wait) {
  dialled();
  auto out = welcome();
  out.set_code(static_cast<uint32_t>(errc::wrong_cluster));
  send_as(remote.handle, aut, out);
  CAF_CHECK(!up());
  live_ms(1950);
  CAF_CHECK_EQUAL(connector.dialled.size(), 1u);
  live_ms(100);
  CAF_CHECK_EQUAL(connector.dialled.size(), 2u);
}

CAF_TEST(a welcome of a run older than one met is not believed) {
  node->peers[2].run = 31;
  dialled();
  send_as(remote.handle, aut, welcome());
  CAF_CHECK(!up());
  CAF_CHECK_EQUAL(node->peers[2].run, 31u);
}

CAF_TEST(dialling goes on with longer waits until the node is there) {
  connector.portal = supervisor_actor{};
  start(2);
  CAF_CHECK_EQUAL(connector.dialled.size(), 1u);
  live_ms(1000);
  auto early = connector.dialled.size();
  CAF_CHECK(early >= 3 && early <= 10);
  live_ms(20'000);
  auto late = connector.dialled.size() - early;
  CAF_CHECK(late >= 9 && late <= 22);
  connector.portal = portal.handle;
  live_ms(2100);
  CAF_CHECK_EQUAL(portal.hellos.size(), 1u);
}

CAF_TEST(the log says why a peer cannot be reached once for each reason) {
  std::ostringstream log;
  node->log = std::make_shared<spdlog::logger>(
    "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log));
  auto told = [&log](const std::string& what) {
    auto result = 0;
    for (auto at = log.str().find(what); at != std::string::npos;
         at = log.str().find(what, at + 1))
      ++result;
    return result;
  };
  connector.portal = supervisor_actor{};
  connector.why = "TLS failed: certificate expired";
  start(2);
  live_ms(5000);
  CAF_CHECK(connector.dialled.size() > 2);
  CAF_CHECK_EQUAL(told("n3 at n3.example:7001 yet: TLS failed: certificate"),
                  1);
  connector.why = "connection refused";
  live_ms(5000);
  CAF_CHECK_EQUAL(told("yet: connection refused"), 1);
  // A loss makes it news again.
  connector.portal = portal.handle;
  live_ms(2100);
  CAF_REQUIRE(!portal.hellos.empty());
  session = portal.hellos.back().session();
  send_as(remote.handle, aut, welcome());
  CAF_REQUIRE(up());
  connector.portal = supervisor_actor{};
  kill(remote.handle);
  live_ms(5000);
  CAF_CHECK_EQUAL(told("yet: connection refused"), 2);
}

CAF_TEST(one dial at a time) {
  connector.portal = supervisor_actor{};
  connector.silent = true;
  start(2);
  live_ms(4900);
  CAF_CHECK_EQUAL(connector.dialled.size(), 1u);
  live_ms(2200);
  CAF_CHECK_EQUAL(connector.dialled.size(), 2u);
}

CAF_TEST(a hello that is never welcomed is said again) {
  dialled();
  live_ms(3300);
  CAF_CHECK_EQUAL(portal.hellos.size(), 2u);
  CAF_CHECK_NOT_EQUAL(portal.hellos[0].session(), portal.hellos[1].session());
}

CAF_TEST(a hello is welcomed and opens the session) {
  node->peers[0].run = 30;
  start(0);
  greet(hello());
  CAF_CHECK_EQUAL(welcomed().code(), 0u);
  CAF_CHECK_EQUAL(welcomed().session(), 5u);
  CAF_CHECK_EQUAL(welcomed().node(), "n2");
  CAF_CHECK_EQUAL(welcomed().run(), 20u);
  CAF_CHECK_EQUAL(welcomed().previous_run(), 10u);
  CAF_CHECK_EQUAL(welcomed().known_run(), 30u);
  CAF_CHECK(up());
  CAF_CHECK_EQUAL(coordinator.links, (names{"-0", "+0"}));
}

CAF_TEST(other clusters members and epochs are refused and told why) {
  start(0);
  auto other_cluster = hello();
  other_cluster.set_cluster("another");
  auto other_member = hello();
  other_member.set_member_low(2);
  auto other_name = hello();
  other_name.set_node("n3");
  auto other_epoch = hello();
  other_epoch.set_epoch_hash(1);
  for (const auto& in :
       {other_cluster, other_member, other_name, other_epoch}) {
    greet(in);
    CAF_CHECK_EQUAL(static_cast<errc>(welcomed().code()), errc::wrong_cluster);
    CAF_CHECK(!welcomed().text().empty());
    CAF_CHECK(!up());
  }
  CAF_CHECK_EQUAL(remote.welcomes.size(), 4u);
  CAF_CHECK(remote.bursts.empty());
}

CAF_TEST(unequal epochs of one cluster are no reason to refuse) {
  start(0);
  auto ahead = hello();
  ahead.set_epoch_number(7);
  ahead.set_epoch_hash(1);
  greet(ahead);
  CAF_CHECK_EQUAL(welcomed().code(), 0u);
  CAF_CHECK(up());
  // Whoever keeps epochs should look for it.
  CAF_CHECK_EQUAL(node->epochs_missed, 1u);
  auto behind = hello(6);
  behind.set_epoch_number(0);
  behind.set_epoch_hash(1);
  behind.set_seed_hash(1);
  greet(behind);
  CAF_CHECK_EQUAL(welcomed().code(), 0u);
  CAF_CHECK_EQUAL(node->epochs_missed, 1u);
}

CAF_TEST(another generation needs the same beginning) {
  start(0);
  auto next = hello();
  next.set_epoch_generation(2);
  greet(next);
  CAF_CHECK_EQUAL(welcomed().code(), 0u);
  next.set_session(6);
  next.set_seed_hash(1);
  greet(next);
  CAF_CHECK_EQUAL(static_cast<errc>(welcomed().code()), errc::wrong_cluster);
}

CAF_TEST(a run older than one met is refused) {
  node->peers[0].run = 31;
  start(0);
  greet(hello());
  CAF_CHECK_NOT_EQUAL(welcomed().code(), 0u);
  CAF_CHECK(!up());
}

CAF_TEST(who greets anew ends the session before) {
  connected();
  ask({read()});
  greet(hello(6));
  CAF_CHECK(refused(errc::connection_lost));
  CAF_CHECK(up());
  CAF_CHECK_EQUAL(coordinator.links, (names{"-0", "+0", "-0", "+0"}));
}

CAF_TEST(a burst of a session that has ended is answered so) {
  connected();
  live_ms(3050);
  CAF_REQUIRE(!up());
  remote.welcomes.clear();
  receive(frame_kind::ping, wire::Ping{});
  CAF_CHECK_EQUAL(welcomed().session(), session);
  CAF_CHECK(welcomed().code() == static_cast<uint32_t>(errc::connection_lost));
  CAF_CHECK(!up());
}

CAF_TEST(a peer that has ended the session is greeted anew at once) {
  dialled();
  send_as(remote.handle, aut, welcome());
  ask({read()});
  auto ended = welcome();
  ended.set_code(static_cast<uint32_t>(errc::connection_lost));
  ++session;
  auto other = ended;
  other.set_session(session);
  send_as(remote.handle, aut, other);
  CAF_CHECK(up());
  send_as(remote.handle, aut, ended);
  CAF_CHECK(!up());
  CAF_CHECK(refused(errc::connection_lost));
  live_ms(100);
  CAF_CHECK_EQUAL(portal.hellos.size(), 2u);
}

CAF_TEST(loss fails everything in flight at once) {
  connected();
  ask({read(), read(), read()});
  kill(remote.handle);
  CAF_REQUIRE_EQUAL(asker.answers.size(), 3u);
  for (const auto& a : asker.answers)
    CAF_CHECK(a.code == errc::connection_lost);
  CAF_CHECK(!up());
  CAF_CHECK_EQUAL(coordinator.links.back(), "-0");
  asker.answers.clear();
  ask({read()});
  CAF_CHECK(refused(errc::unavailable));
}

CAF_TEST(the loss of the portal ends the session too) {
  dialled();
  send_as(remote.handle, aut, welcome());
  kill(portal.handle);
  CAF_CHECK(!up());
}

CAF_TEST(no sign of life for the timeout means down) {
  connected();
  ask({read()});
  asker.answers.clear();
  live_ms(3000);
  CAF_CHECK(up());
  live_ms(50);
  CAF_CHECK(!up());
}

CAF_TEST(any burst is a sign of life) {
  connected();
  live_ms(2900);
  receive(frame_kind::ping, wire::Ping{});
  live_ms(2900);
  CAF_CHECK(up());
}

CAF_TEST(a pause of our own is not held against the peer) {
  connected();
  live_ms(500);
  pass_ms(60'000);
  tick();
  CAF_CHECK(up());
  live_ms(3050);
  CAF_CHECK(!up());
}

CAF_TEST(pings are sent at each heartbeat and answered by pongs) {
  connected();
  live_ms(450);
  CAF_CHECK(take().empty());
  live_ms(50);
  auto ping = take<wire::Ping>(frame_kind::ping);
  CAF_CHECK_EQUAL(ping.clock_us(), now_us);
  wire::Ping theirs;
  theirs.set_clock_us(123);
  receive(frame_kind::ping, theirs);
  auto pong = take<wire::Pong>(frame_kind::pong);
  CAF_CHECK_EQUAL(pong.echo_us(), 123u);
  CAF_CHECK_EQUAL(pong.clock_us(), now_us);
}

CAF_TEST(another protocol and a run far ahead are refused on both sides) {
  start(0);
  auto other_protocol = hello();
  other_protocol.set_protocol(2);
  auto far_ahead = hello();
  far_ahead.set_run(now_us / 1'000'000 + 367 * 24 * 3600);
  for (const auto& in : {other_protocol, far_ahead}) {
    greet(in);
    CAF_CHECK_EQUAL(static_cast<errc>(welcomed().code()), errc::wrong_cluster);
    CAF_CHECK(!welcomed().text().empty());
    CAF_CHECK(!up());
  }
  greet(hello());
  CAF_CHECK(up());
}

CAF_TEST(a welcome of another protocol or of a run far ahead is not used) {
  dialled();
  auto in = welcome();
  in.set_protocol(0);
  send_as(remote.handle, aut, in);
  CAF_CHECK(!up());
  live_ms(2100);
  CAF_REQUIRE_EQUAL(portal.hellos.size(), 2u);
  session = portal.hellos[1].session();
  in = welcome();
  in.set_run(now_us / 1'000'000 + 367 * 24 * 3600);
  send_as(remote.handle, aut, in);
  CAF_CHECK(!up());
}

CAF_TEST(the gossiper is told of sessions with their runs) {
  connected();
  kill(remote.handle);
  CAF_CHECK_EQUAL(gossiper.news[0], "-0");
  CAF_CHECK_EQUAL(gossiper.news[1], "+0 run 30");
  CAF_CHECK_EQUAL(gossiper.news[2], "-0");
}

CAF_TEST(who cannot be dialled is knocked at) {
  connector.portal = supervisor_actor{};
  start(2);
  live_ms(50);
  CAF_CHECK_EQUAL(knocker.knocks.front(), "n3.example:7001");
  CAF_CHECK_EQUAL(gossiper.news.back(), "2 refuses");
  knocker.refuses = false;
  live_ms(5000);
  CAF_CHECK_EQUAL(gossiper.news.back(), "2 does not refuse");
}

CAF_TEST(a knock that takes long is waited for and not repeated) {
  connector.portal = supervisor_actor{};
  knocker.silent = true;
  start(2);
  live_ms(60'000);
  CAF_CHECK(connector.dialled.size() > 10);
  CAF_CHECK_EQUAL(knocker.knocks.size(), 1u);
}

CAF_TEST(who dials us and is lost is knocked at and not dialled) {
  connected();
  auto before = knocker.knocks.size();
  live_ms(1000);
  CAF_CHECK_EQUAL(knocker.knocks.size(), before);
  kill(remote.handle);
  live_ms(100);
  CAF_CHECK(knocker.knocks.size() > before);
  CAF_CHECK_EQUAL(gossiper.news.back(), "0 refuses");
  live_ms(60'000);
  CAF_CHECK(knocker.knocks.size() < before + 100);
  CAF_CHECK(connector.dialled.empty());
}

CAF_TEST(an old copy of our disk is found by the run that the peer has met) {
  start(0);
  auto in = hello();
  in.set_known_run(15);
  greet(in);
  CAF_CHECK_EQUAL(shard.renewals, 1);
}

CAF_TEST(an old copy of our disk is found by whoever dials too) {
  dialled();
  auto in = welcome();
  in.set_known_run(15);
  send_as(remote.handle, aut, in);
  CAF_CHECK_EQUAL(shard.renewals, 1);
}

CAF_TEST(runs that our disk remembers prove nothing) {
  start(0);
  for (uint64_t known : {0, 9, 10, 20}) {
    auto in = hello();
    in.set_known_run(known);
    greet(in);
  }
  CAF_CHECK_EQUAL(shard.renewals, 0);
}

CAF_TEST(the peer is told the counters that we have seen of it) {
  shard.known = {{88, 9}};
  start(0);
  greet(hello());
  CAF_CHECK_EQUAL(shard.asked, std::vector<core::incarnation>{88});
  auto found = false;
  for (const auto& frame : take()) {
    if (frame.kind != frame_kind::known)
      continue;
    wire::Known known;
    CAF_REQUIRE(parse(frame.message, known));
    found = known.incarnations(0) == 88 && known.counters(0) == 9;
  }
  CAF_CHECK(found);
}

CAF_TEST(what the peer has seen of us is told to the shards) {
  connected();
  wire::Known known;
  known.add_incarnations(77);
  known.add_counters(5);
  known.add_incarnations(78);
  receive(frame_kind::known, known);
  CAF_REQUIRE_EQUAL(shard.told.size(), 1u);
  CAF_CHECK((shard.told[0] == core::dot{77, 5}));
}

CAF_TEST(a link whose connector crashes ends with it) {
  connected();
  auto ended = false;
  caf::actor_cast<caf::actor>(aut)->attach_functor(
    [&ended](const caf::error& reason) {
      ended = static_cast<bool>(reason);
    });
  kill(connector.handle);
  CAF_CHECK(ended);
}

CAF_TEST_FIXTURE_SCOPE_END()
