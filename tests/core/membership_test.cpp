#define CAF_SUITE core.membership

#include "tests/core/membership_fixture.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace covey::core;
using covey::core::test::small_world;
namespace test = covey::core::test;

namespace {

constexpr uint64_t year_s = 366 * 24 * 3600;

/// A row that accuses `who` in its run.
member_row accuser_row(small_world& world, member_index accuser,
                       member_index who, uint64_t heartbeat) {
  auto row = world.at(accuser).table().row(accuser);
  row.version += 1;
  row.accuses = {{world.at(accuser).table().row(who).id, 100, heartbeat}};
  return row;
}

} // namespace

CAF_TEST(nobody is suspected while all answer) {
  small_world world{5};
  world.run_for(120'000);
  for (member_index i = 0; i < 5; ++i) {
    CAF_CHECK(world.all_see(i, health::up));
    CAF_CHECK_EQUAL(world.at(i).counters().suspects, 0u);
    CAF_CHECK_EQUAL(world.at(i).counters().accusations, 0u);
  }
}

CAF_TEST(a member that an epoch adds is heard and watched like the others) {
  small_world world{3};
  world.run_for(10'000);
  world.grow(5);
  world.run_for(30'000);
  for (member_index i = 0; i < 5; ++i) {
    CAF_CHECK(world.all_see(i, health::up));
    CAF_CHECK_EQUAL(world.at(0).view().members[i].run, 100u);
    CAF_CHECK_EQUAL(world.at(i).counters().suspects, 0u);
  }
  world.kill(4);
  CAF_CHECK(world.run_until(
              [&] {
                return world.all_see(4, health::down);
              },
              30'000)
            < 30'000);
  CAF_CHECK(world.all_see(1, health::up));
}

CAF_TEST(gossip of a member that no epoch has brought yet adds nobody) {
  small_world world{3};
  world.run_for(1'000);
  gossip_message in;
  member_row row;
  row.id = test::member_ids(4)[3];
  row.run = 100;
  in.rows.push_back(row);
  world.at(0).receive(in, world.now_ms, world.wall_us());
  CAF_CHECK_EQUAL(world.at(0).table().size(), 3u);
  CAF_CHECK_EQUAL(world.at(0).counters().refused_rows, 1u);
}

CAF_TEST(a removed member is watched and accused by nobody) {
  small_world world{3};
  world.run_for(10'000);
  world.kill(2);
  world.remove(2);
  world.run_for(20'000);
  for (member_index i : {0, 1}) {
    CAF_CHECK(world.state(i, 2) != health::down);
    CAF_CHECK_EQUAL(world.at(i).counters().accusations, 0u);
  }
  // Those left are two: one is enough to say that the other is down.
  world.kill(1);
  CAF_CHECK(world.run_until(
              [&] {
                return world.state(0, 1) == health::down;
              },
              30'000)
            < 30'000);
}

CAF_TEST(everybody learns runs and heartbeats of everybody) {
  small_world world{5};
  world.run_for(30'000);
  for (member_index i = 0; i < 5; ++i)
    for (member_index m = 0; m < 5; ++m) {
      CAF_CHECK_EQUAL(world.at(i).view().members[m].run, 100u);
      CAF_CHECK(world.at(i).table().row(m).heartbeat >= 27);
    }
}

CAF_TEST(a dead member is suspected at once and down for all within seconds) {
  small_world world{5};
  world.run_for(10'000);
  world.kill(4);
  auto suspected = world.run_until(
    [&] {
      return world.all_see(4, health::suspect);
    },
    10'000);
  CAF_CHECK(suspected >= 1500 && suspected <= 2600);
  auto down = suspected
              + world.run_until(
                [&] {
                  return world.all_see(4, health::down);
                },
                10'000);
  CAF_CHECK(down >= 4000 && down <= 5000);
  CAF_CHECK(world.at(0).view().members[4].accusers.size() >= 2);
  world.run_for(300'000);
  CAF_CHECK(world.all_see(4, health::down));
  CAF_CHECK_EQUAL(world.downs(), 4u);
}

CAF_TEST(a frozen member is down too and comes back by itself) {
  small_world world{5};
  world.run_for(10'000);
  world.freeze(2);
  world.run_for(20'000);
  CAF_CHECK(world.all_see(2, health::down));
  world.freeze(2, false);
  auto back = world.run_until(
    [&] {
      return world.all_see(2, health::up);
    },
    10'000);
  CAF_CHECK(back <= 2000);
  CAF_CHECK_EQUAL(world.at(2).counters().downs, 0u);
  CAF_CHECK_EQUAL(world.at(2).counters().pauses, 1u);
  CAF_CHECK_EQUAL(world.at(2).counters().accusations, 0u);
}

CAF_TEST(a freeze of three seconds accuses nobody) {
  for (uint64_t phase = 0; phase < 1000; phase += 50) {
    small_world world{5};
    world.run_for(10'000 + phase);
    world.freeze(1);
    world.run_for(3'000);
    world.freeze(1, false);
    world.run_for(10'000);
    CAF_CHECK_EQUAL(world.downs(), 0u);
    for (member_index i = 0; i < 5; ++i)
      CAF_CHECK_EQUAL(world.at(i).counters().accusations, 0u);
  }
}

CAF_TEST(a later run refutes at once) {
  small_world world{5};
  world.run_for(10'000);
  world.kill(3);
  world.run_for(10'000);
  CAF_REQUIRE(world.all_see(3, health::down));
  world.start(3, 200);
  auto back = world.run_until(
    [&] {
      return world.all_see(3, health::up);
    },
    10'000);
  CAF_CHECK(back <= 2000);
  CAF_CHECK_EQUAL(world.at(0).view().members[3].run, 200u);
  world.run_for(10'000);
  CAF_CHECK(world.all_see(3, health::up));
}

CAF_TEST(refused connections make a run that was met down in a moment) {
  small_world world{5};
  world.run_for(10'000);
  world.kill(4);
  for (member_index i = 0; i < 4; ++i)
    world.at(i).refused(4, true);
  auto down = world.run_until(
    [&] {
      return world.all_see(4, health::down);
    },
    10'000);
  CAF_CHECK(down <= 300);
}

CAF_TEST(refused connections to one that was never met are no evidence) {
  small_world world{3};
  world.kill(2);
  world.at(0).refused(2, true);
  world.at(1).refused(2, true);
  world.run_for(2'000);
  CAF_CHECK(world.all_see(2, health::up));
  world.run_for(5'000);
  CAF_CHECK(world.all_see(2, health::down));
}

CAF_TEST(one accuser makes a suspect and never a down) {
  small_world world{5};
  world.run_for(10'000);
  world.at(0).refused(4, true);
  world.cut(0, 4);
  world.cut(4, 0);
  world.run_for(10'000);
  CAF_CHECK_EQUAL(world.at(0).counters().accusations, 1u);
  CAF_CHECK(world.at(4).counters().refutations >= 1);
  // It lives, and has shown it; who cannot reach it goes on to avoid it.
  for (member_index i = 1; i < 4; ++i) {
    // Each of the two was suspect once.
    CAF_CHECK_EQUAL(world.at(i).counters().suspects, 2u);
    CAF_CHECK(world.state(i, 4) == health::up);
  }
  CAF_CHECK(world.state(0, 4) == health::suspect);
  world.run_for(300'000);
  CAF_CHECK_EQUAL(world.downs(), 0u);
  CAF_CHECK_EQUAL(world.at(0).counters().accusations, 1u);
}

CAF_TEST(two accusers of different runs make no down) {
  small_world world{5};
  world.run_for(5'000);
  auto first = accuser_row(world, 0, 4, 1000);
  auto second = accuser_row(world, 1, 4, 1000);
  second.accuses[0].run = 99;
  world.at(2).receive({{first, second}, {}}, world.now_ms, world.wall_us());
  world.at(2).refresh(world.now_ms, world.wall_us());
  CAF_CHECK(world.state(2, 4) == health::suspect);
  second.version += 1;
  second.accuses[0].run = 100;
  world.at(2).receive({{second}, {}}, world.now_ms, world.wall_us());
  world.at(2).refresh(world.now_ms, world.wall_us());
  CAF_CHECK(world.state(2, 4) == health::down);
  CAF_CHECK((world.at(2).view().members[4].accusers
             == std::vector<member_index>{0, 1}));
}

CAF_TEST(who is down stays so while one accusation holds) {
  small_world world{5};
  world.run_for(5'000);
  auto first = accuser_row(world, 0, 4, 1'000'000);
  auto second = accuser_row(world, 1, 4, 1'000'000);
  auto& observer = world.at(2);
  auto state_after = [&](const member_row& row) {
    observer.receive({{row}, {}}, world.now_ms, world.wall_us());
    observer.refresh(world.now_ms, world.wall_us());
    return world.state(2, 4);
  };
  CAF_CHECK(state_after(first) == health::suspect);
  CAF_CHECK(state_after(second) == health::down);
  first.version += 1;
  first.accuses.clear();
  CAF_CHECK(state_after(first) == health::down);
  second.version += 1;
  second.accuses.clear();
  CAF_CHECK(state_after(second) == health::up);
}

CAF_TEST(only watchers of a member accuse it) {
  small_world world{12};
  world.run_for(10'000);
  watch_circle circle{test::member_ids(12)};
  gossip_message in;
  size_t strangers = 0;
  for (member_index i = 0; i < 12; ++i)
    if (i != 2 && i != 4 && !circle.watches(i, 4)) {
      in.rows.push_back(accuser_row(world, i, 4, 1'000'000));
      ++strangers;
    }
  CAF_REQUIRE(strangers >= 2);
  world.at(2).receive(in, world.now_ms, world.wall_us());
  world.at(2).refresh(world.now_ms, world.wall_us());
  CAF_CHECK(world.state(2, 4) == health::up);
}

CAF_TEST(the minority of a large cluster accuses nobody for long) {
  small_world world{20};
  world.run_for(10'000);
  // One and most of those that it watches, and all others.
  watch_circle circle{test::member_ids(20)};
  auto watched = circle.watched_by(0);
  std::set<member_index> minority{watched.begin(), watched.end() - 1};
  minority.insert(0);
  for (member_index i = 0; i < 20; ++i)
    for (member_index j = 0; j < 20; ++j)
      if (minority.count(i) != minority.count(j))
        world.cut(i, j);
  world.run_for(20'000);
  for (auto i : minority) {
    CAF_CHECK(world.at(i).table().row(i).accuses.empty());
    for (member_index m = 0; m < 20; ++m)
      CAF_CHECK(world.state(i, m) != health::down);
  }
}

CAF_TEST(accusations that are not renewed expire) {
  small_world world{5};
  world.run_for(5'000);
  auto first = accuser_row(world, 0, 4, 1'000'000);
  auto second = accuser_row(world, 1, 4, 1'000'000);
  auto& observer = world.at(2);
  observer.receive({{first, second}, {}}, world.now_ms, world.wall_us());
  observer.refresh(world.now_ms + 119'000, world.wall_us());
  CAF_CHECK(world.state(2, 4) == health::down);
  observer.refresh(world.now_ms + 121'000, world.wall_us());
  CAF_CHECK(world.state(2, 4) != health::down);
}

CAF_TEST(a later heartbeat than accused refutes for whoever learns it) {
  small_world world{5};
  world.run_for(5'000);
  auto& observer = world.at(2);
  auto subject = observer.table().row(4);
  auto first = accuser_row(world, 0, 4, subject.heartbeat + 5);
  auto second = accuser_row(world, 1, 4, subject.heartbeat + 5);
  observer.receive({{first, second}, {}}, world.now_ms, world.wall_us());
  auto state_at = [&](uint64_t heartbeat) {
    subject.heartbeat = heartbeat;
    ++subject.version;
    observer.receive({{subject}, {}}, world.now_ms, world.wall_us());
    observer.refresh(world.now_ms, world.wall_us());
    return world.state(2, 4);
  };
  auto accused = first.accuses[0].heartbeat;
  CAF_CHECK(state_at(accused) == health::down);
  CAF_CHECK(state_at(accused + 1) == health::up);
}

CAF_TEST(who did not run convicts nobody of the silence meanwhile) {
  watch watching{{}, {1, 2}, 0};
  uint64_t now = 0;
  for (; now < 10'000; now += 500) {
    CAF_CHECK(!watching.awake(now));
    for (const auto& x : watching.probes(now))
      watching.answered(x.to, {x.what.sequence, 1, 1}, now);
  }
  CAF_CHECK(watching.reaches_most(now));
  now += 20'000;
  CAF_CHECK(watching.convicts(1, now));
  CAF_CHECK(watching.awake(now));
  CAF_CHECK(!watching.convicts(1, now));
  CAF_CHECK(!watching.suspects(1, now));
  CAF_CHECK(!watching.reaches_most(now));
  // What stays silent from here on is convicted in the usual time.
  for (auto end = now + 6'000; now < end; now += 500)
    watching.awake(now);
  CAF_CHECK(watching.convicts(1, now));
}

CAF_TEST(the accused shows a later heartbeat than was accused) {
  small_world world{5};
  world.run_for(5'000);
  auto row = accuser_row(world, 0, 4, 500);
  world.at(4).receive({{row}, {}}, world.now_ms, world.wall_us());
  CAF_CHECK_EQUAL(world.at(4).counters().refutations, 1u);
  CAF_CHECK(world.at(4).table().row(4).heartbeat > 500);
  world.run_for(2'000);
  CAF_CHECK(world.all_see(4, health::up));
}

CAF_TEST(the minority of a cut cluster accuses nobody) {
  small_world world{5};
  world.run_for(10'000);
  for (member_index minority : {0, 1})
    for (member_index rest : {2, 3, 4}) {
      world.cut(minority, rest);
      world.cut(rest, minority);
    }
  world.run_for(30'000);
  for (member_index minority : {0, 1}) {
    CAF_CHECK_EQUAL(world.at(minority).counters().accusations, 0u);
    CAF_CHECK_EQUAL(world.at(minority).counters().downs, 0u);
    CAF_CHECK(world.state(minority, 3) == health::suspect);
  }
  for (member_index rest : {2, 3, 4}) {
    CAF_CHECK(world.state(rest, 0) == health::down);
    CAF_CHECK(world.state(rest, 1) == health::down);
  }
  world.heal();
  world.run_for(3'000);
  for (member_index i = 0; i < 5; ++i)
    CAF_CHECK(world.all_see(i, health::up));
}

CAF_TEST(one that nobody answers does not down the healthy ones) {
  small_world world{7};
  world.run_for(10'000);
  // It hears nobody, and all hear it.
  for (member_index i = 1; i < 7; ++i)
    world.cut(i, 0);
  world.run_for(60'000);
  for (member_index m = 1; m < 7; ++m)
    for (member_index i = 1; i < 7; ++i)
      CAF_CHECK(world.state(i, m) == health::up);
}

CAF_TEST(of two members the other one suffices) {
  small_world world{2};
  world.run_for(10'000);
  world.kill(1);
  world.run_for(6'000);
  CAF_CHECK(world.state(0, 1) == health::down);
}

CAF_TEST(of three members the last one accuses nobody) {
  small_world world{3};
  world.run_for(10'000);
  world.kill(1);
  world.kill(2);
  world.run_for(30'000);
  CAF_CHECK_EQUAL(world.downs(), 0u);
  CAF_CHECK(world.state(0, 1) == health::suspect);
}

CAF_TEST(gossip creates no members) {
  small_world world{3};
  member_row stranger;
  stranger.id = initial_member_id("test", "stranger");
  stranger.run = 100;
  stranger.version = 5;
  auto reply
    = world.at(0).receive({{stranger}, {{stranger.id, 100, 1}}}, 20'000, 1);
  CAF_CHECK(reply.empty());
  CAF_CHECK_EQUAL(world.at(0).counters().refused_rows, 1u);
  CAF_CHECK_EQUAL(world.at(0).view().members.size(), 3u);
}

CAF_TEST(a run more than a year ahead is refused) {
  small_world world{3};
  auto row = world.at(1).table().row(1);
  auto now_s = world.wall_us() / 1'000'000;
  row.version = 9;
  row.run = now_s + year_s + 1;
  world.at(0).receive({{row}, {}}, world.now_ms, world.wall_us());
  CAF_CHECK_EQUAL(world.at(0).table().row(1).run, 0u);
  row.run = now_s + year_s;
  world.at(0).receive({{row}, {}}, world.now_ms, world.wall_us());
  CAF_CHECK_EQUAL(world.at(0).table().row(1).run, row.run);
}

CAF_TEST(a gossiper that was restarted in its process is believed again) {
  small_world world{3};
  world.run_for(20'000);
  world.start(1, 100);
  world.run_for(2'000);
  auto version = world.at(1).table().row(1).version;
  CAF_CHECK(version > 20);
  world.run_for(5'000);
  CAF_CHECK(world.at(0).table().row(1).version >= version + 3);
  CAF_CHECK(world.all_see(1, health::up));
}

CAF_TEST(what members say of themselves reaches the views) {
  membership_config config;
  config.stalled_ms = 5'000;
  small_world world{3, config};
  world.own.catching_up = true;
  world.own.load = 7;
  world.own.unflushed_ms = 5'000;
  world.run_for(3'000);
  CAF_CHECK(world.at(0).view().catching_up(1));
  CAF_CHECK(!world.at(0).view().stalled(1));
  CAF_CHECK_EQUAL(world.at(0).table().row(1).load, 7u);
  world.own.catching_up = false;
  world.own.unflushed_ms = 5'001;
  world.run_for(3'000);
  CAF_CHECK(!world.at(0).view().catching_up(1));
  CAF_CHECK(world.at(0).view().stalled(1));
}

CAF_TEST(answers that nobody asked for are no round trips) {
  small_world world{3};
  world.run_for(5'000);
  world.kill(2);
  // Replays of old answers, and inventions.
  world.run_until(
    [&] {
      for (uint64_t sequence : {uint64_t{0}, uint64_t{5}, world.now_ms * 1000})
        world.at(0).answered(2, {sequence, 100, 5}, world.now_ms,
                             world.wall_us());
      return false;
    },
    6'000);
  CAF_CHECK(world.all_see(2, health::down));
}

CAF_TEST(who wakes up suspects nobody whatever it looks at first) {
  small_world world{5};
  world.run_for(10'000);
  world.freeze(2);
  world.run_for(20'000);
  // What came meanwhile is taken before time is.
  auto news = world.at(0).table().row(0);
  auto& woken = world.at(2);
  woken.receive({{news}, {}}, world.now_ms, world.wall_us());
  woken.refresh(world.now_ms, world.wall_us());
  for (member_index m : {0, 1, 3, 4})
    CAF_CHECK(world.state(2, m) == health::up);
  CAF_CHECK_EQUAL(woken.counters().suspects, 0u);
  CAF_CHECK_EQUAL(woken.counters().pauses, 1u);
}

CAF_TEST(who accuses twice in one row is one accuser) {
  small_world world{5};
  world.run_for(5'000);
  auto row = accuser_row(world, 0, 4, 1'000);
  row.accuses.push_back(row.accuses.front());
  row.accuses.back().heartbeat += 1;
  world.at(2).receive({{row}, {}}, world.now_ms, world.wall_us());
  world.at(2).refresh(world.now_ms, world.wall_us());
  CAF_CHECK(world.state(2, 4) == health::suspect);
  CAF_CHECK(
    (world.at(2).view().members[4].accusers == std::vector<member_index>{0}));
}

CAF_TEST(that a member catches up is known to all before its next heartbeat) {
  membership_config config;
  config.heartbeat_ms = 10'000;
  config.fanout = 4;
  small_world world{5, config};
  world.run_for(60'000);
  world.own.catching_up = true;
  world.run_for(2'000);
  for (member_index i = 0; i < 5; ++i)
    for (member_index m = 0; m < 5; ++m)
      if (i != m)
        CAF_CHECK(world.at(i).view().catching_up(m));
}
