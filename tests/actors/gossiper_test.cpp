#define CAF_SUITE actors.gossiper

#include "actors/gossiper.hpp"
#include "messages/burst.hpp"
#include "messages/gossip.hpp"
#include "tests/actors/fixture.hpp"

#include <memory>

using namespace covey;

namespace {

/// Plays the link to a member: keeps what it is to carry.
struct played_link {
  gossip_link_actor handle;
  std::vector<gossip_frame> frames;
};

/// Plays who is given views.
struct played_viewer {
  std::vector<liveness_ptr> views;
};

coordinator_actor::behavior_type
play_coordinator_view(coordinator_actor::pointer, played_viewer* x) {
  return {
    [](const client_ops&) {},
    [](const replica_answers&) {},
    [](peer_up_atom, uint16_t, const replica_actor&) {},
    [](peer_down_atom, uint16_t) {},
    [x](view_atom, const liveness_ptr& view) {
      x->views.push_back(view);
    },
    [](epoch_atom, const view_ptr&) {},
    [](go_atom) {},
    [](hurry_atom) {},
    [](tick_atom) {},
  };
}

local_gateway_actor::behavior_type play_gateway(local_gateway_actor::pointer,
                                                played_viewer* x) {
  return {
    [](const wire::PutRequest&) {
      return wire::PutReply{};
    },
    [](const wire::GetRequest&) {
      return wire::GetReply{};
    },
    [](const wire::ScanRequest&) {
      return wire::ScanReply{};
    },
    [](const wire::StatusRequest&) {
      return wire::StatusReply{};
    },
    [](const wire::RingRequest&) {
      return wire::RingReply{};
    },
    [](const wire::KeyspaceRequest&) {
      return wire::KeyspaceReply{};
    },
    [](const wire::RepairRequest&) {
      return wire::RepairReply{};
    },
    [](const wire::ClientHello&) {},
    [](burst_atom, const std::string&) {},
    [](const client_answers&) {},
    [x](view_atom, const liveness_ptr& view) {
      x->views.push_back(view);
    },
    [](repair_atom, const anti_entropy_actor&) {},
    [](epoch_atom, const view_ptr&) {},
    [](go_atom) {},
    [](tick_atom) {},
    [](drain_atom) {
      return true;
    },
  };
}

/// The gossiper of n2; the test plays n1 and n3.
struct fixture : test::node_fixture {
  fixture() {
    become(1, 1);
    node->run = 1'600'000'000;
    coordinator = keep(sys.spawn(play_coordinator_view, &coordinator_saw));
    gateway = keep(sys.spawn(play_gateway, &gateway_saw));
    start();
    for (auto* x : {&n1, &n3})
      x->handle = keep(sys.spawn([x]() -> gossip_link_actor::behavior_type {
        return {[x](const gossip_frame& frame) {
          x->frames.push_back(frame);
        }};
      }));
    sched.run();
  }
  void start() {
    aut = keep(sys.spawn(gossiper, gossiper_config{}, node_context_ptr{node},
                         std::vector<coordinator_actor>{coordinator}, gateway,
                         play_hint_store().handle, play_anti_entropy().handle));
    sched.run();
  }
  void connect(core::member_index m, uint64_t run = 1'600'000'001) {
    tell(aut, peer_up_atom::value, m, link(m).handle, run);
  }
  played_link& link(core::member_index m) {
    return m == 0 ? n1 : n3;
  }
  /// Time as the ticker makes it pass; who is in `answering` answers probes.
  void live_ms(uint64_t ms, std::vector<core::member_index> answering) {
    for (uint64_t passed = 0; passed < ms; passed += 50) {
      pass_ms(50);
      tell(aut, tick_atom::value);
      for (auto m : answering)
        answer_probes(m);
    }
  }
  void answer_probes(core::member_index m) {
    auto frames = std::move(link(m).frames);
    link(m).frames.clear();
    for (const auto& frame : frames)
      if (frame.kind == frame_kind::probe) {
        auto probe = parse_probe(frame.message);
        CAF_REQUIRE(probe.has_value());
        core::probe_answer out{probe->sequence, 1'600'000'001, 7};
        give(m, frame_kind::probe_answer, covey::serialize(out));
      }
  }
  void give(core::member_index from, frame_kind kind, std::string message) {
    tell(aut, gossip_frame{from, kind, std::move(message)});
  }
  static std::string owed(bool any) {
    wire::HintsOwed out;
    out.set_owed(any);
    return out.SerializeAsString();
  }
  /// What a member was told of its hints, as "+" and "-".
  std::string owed_words(core::member_index to) {
    std::string result;
    for (const auto& frame : link(to).frames)
      if (frame.kind == frame_kind::hints_owed)
        result += frame.message == owed(true) ? '+' : '-';
    return result;
  }
  size_t sent(core::member_index to, frame_kind kind) {
    size_t n = 0;
    for (const auto& frame : link(to).frames)
      n += frame.kind == kind ? 1 : 0;
    return n;
  }
  core::health seen(core::member_index m) {
    CAF_REQUIRE(!coordinator_saw.views.empty());
    return coordinator_saw.views.back()->state_of(m);
  }

  played_viewer coordinator_saw;
  played_viewer gateway_saw;
  played_link n1;
  played_link n3;
  coordinator_actor coordinator;
  local_gateway_actor gateway;
  gossiper_actor aut;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gossiper_tests, fixture)

CAF_TEST(peers are probed as soon as they are connected and then regularly) {
  connect(0);
  live_ms(50, {});
  CAF_CHECK_EQUAL(sent(0, frame_kind::probe), 1u);
  CAF_CHECK_EQUAL(sent(2, frame_kind::probe), 0u);
  live_ms(2000, {});
  auto probes = sent(0, frame_kind::probe);
  CAF_CHECK(probes >= 4 && probes <= 6);
}

CAF_TEST(probes are answered at once with run and heartbeat) {
  connect(0);
  live_ms(3000, {});
  n1.frames.clear();
  give(0, frame_kind::probe, covey::serialize(core::probe{42}));
  CAF_REQUIRE_EQUAL(n1.frames.size(), 1u);
  CAF_CHECK(n1.frames[0].kind == frame_kind::probe_answer);
  auto answer = parse_probe_answer(n1.frames[0].message);
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK_EQUAL(answer->sequence, 42u);
  CAF_CHECK_EQUAL(answer->run, 1'600'000'000u);
  CAF_CHECK(answer->heartbeat >= 2);
}

CAF_TEST(rounds of gossip go to those connected only) {
  connect(2);
  live_ms(5000, {});
  CAF_CHECK(sent(2, frame_kind::gossip) >= 4);
  CAF_CHECK(n1.frames.empty());
  tell(aut, peer_down_atom::value, uint16_t{2});
  n3.frames.clear();
  live_ms(5000, {});
  CAF_CHECK(n3.frames.empty());
  CAF_CHECK(node->counters.gossip_messages > 0);
  CAF_CHECK(node->counters.gossip_bytes > 0);
}

CAF_TEST(digests are answered with the rows that are missing) {
  connect(0);
  core::gossip_message in;
  in.digests.push_back({node->me().id, 0, 0});
  give(0, frame_kind::gossip, covey::serialize(in));
  CAF_REQUIRE_EQUAL(n1.frames.size(), 1u);
  auto out = parse_gossip(n1.frames[0].message);
  CAF_REQUIRE(out && out->rows.size() == 1);
  CAF_CHECK(out->rows[0].id == node->me().id);
  CAF_CHECK_EQUAL(out->rows[0].run, 1'600'000'000u);
}

CAF_TEST(who does not answer is suspect at once
         and down with a second accuser) {
  connect(0);
  connect(2);
  live_ms(5000, {0, 2});
  CAF_CHECK(seen(2) == core::health::up);
  live_ms(3000, {0});
  CAF_CHECK(seen(2) == core::health::suspect);
  CAF_CHECK(gateway_saw.views.back()->state_of(2) == core::health::suspect);
  CAF_CHECK((coordinator_saw.views.back()->members[2].accusers
             == std::vector<core::member_index>{1}));
  live_ms(3000, {0});
  CAF_CHECK(seen(2) == core::health::suspect);
  core::gossip_message in;
  in.rows.emplace_back();
  auto& row = in.rows.back();
  row.id = view->at(0).id;
  row.run = 1'600'000'001;
  row.version = 9;
  row.accuses.push_back({view->at(2).id, 1'600'000'001, 100});
  give(0, frame_kind::gossip, covey::serialize(in));
  CAF_CHECK(seen(2) == core::health::down);
  CAF_CHECK_EQUAL(coordinator_saw.views.back()->members[2].since_us, now_us);
  CAF_CHECK_EQUAL(node->counters.member_downs, 1u);
  CAF_CHECK(seen(0) == core::health::up);
}

CAF_TEST(a refused connection makes a suspect until the next session) {
  connect(0);
  connect(2);
  live_ms(2000, {0, 2});
  tell(aut, refused_atom::value, uint16_t{2}, true);
  live_ms(50, {0});
  CAF_CHECK(seen(2) == core::health::suspect);
  connect(2);
  live_ms(50, {0, 2});
  CAF_CHECK(seen(2) == core::health::up);
}

CAF_TEST(views are sent when they change and not before) {
  connect(0);
  connect(2);
  live_ms(3000, {0, 2});
  auto before = coordinator_saw.views.size();
  live_ms(5000, {0, 2});
  CAF_CHECK_EQUAL(coordinator_saw.views.size(), before);
  CAF_CHECK_EQUAL(gateway_saw.views.size(), before);
}

CAF_TEST(the age of the oldest unflushed commit and other news of us travel) {
  connect(0);
  node->unflushed_since_us[0] = now_us;
  node->counters.inflight = 12;
  live_ms(6000, {0});
  give(0, frame_kind::hints_owed, owed(true));
  n1.frames.clear();
  live_ms(1000, {});
  auto found = false;
  for (const auto& frame : n1.frames) {
    if (frame.kind != frame_kind::gossip)
      continue;
    auto message = parse_gossip(frame.message);
    CAF_REQUIRE(message.has_value());
    for (const auto& row : message->rows)
      if (row.id == node->me().id) {
        found = true;
        CAF_CHECK(row.unflushed_ms >= 5000 && row.unflushed_ms <= 7000);
        CAF_CHECK_EQUAL(row.load, 12u);
        CAF_CHECK(row.catching_up);
      }
  }
  CAF_CHECK(found);
  CAF_CHECK(coordinator_saw.views.back()->stalled(1));
}

CAF_TEST(who returns is told while hints are kept for it and when none is left) {
  node->hints[0].rows = 3;
  connect(0);
  connect(2);
  CAF_CHECK_EQUAL(owed_words(0), "+");
  live_ms(1100, {});
  CAF_CHECK_EQUAL(owed_words(0), "++");
  node->hints[0].rows = 0;
  // Not that of a node that was there all the time.
  node->hints[2].rows = 1;
  live_ms(3000, {});
  CAF_CHECK_EQUAL(owed_words(0), "++-");
  CAF_CHECK_EQUAL(owed_words(2), "");
}

CAF_TEST(a node catches up while a peer keeps hints for it) {
  connect(0);
  connect(2);
  live_ms(1000, {0, 2});
  CAF_CHECK(!coordinator_saw.views.back()->catching_up(1));
  give(0, frame_kind::hints_owed, owed(true));
  live_ms(50, {});
  CAF_CHECK(node->catching_up);
  CAF_CHECK(coordinator_saw.views.back()->catching_up(1));
  give(0, frame_kind::hints_owed, owed(false));
  live_ms(50, {});
  CAF_CHECK(!node->catching_up);
  give(0, frame_kind::hints_owed, owed(true));
  tell(aut, peer_down_atom::value, uint16_t{0});
  live_ms(50, {});
  CAF_CHECK(!node->catching_up);
}

CAF_TEST(what was counted stays when the gossiper is started anew) {
  connect(0);
  connect(2);
  live_ms(2000, {0, 2});
  tell(aut, refused_atom::value, uint16_t{2}, true);
  live_ms(50, {0});
  CAF_CHECK_EQUAL(node->counters.member_suspects, 1u);
  kill(aut);
  start();
  connect(0);
  connect(2);
  live_ms(2000, {0, 2});
  CAF_CHECK_EQUAL(node->counters.member_suspects, 1u);
  tell(aut, refused_atom::value, uint16_t{2}, true);
  live_ms(50, {0});
  CAF_CHECK_EQUAL(node->counters.member_suspects, 2u);
}

CAF_TEST(malformed messages are dropped) {
  connect(0);
  live_ms(1000, {0});
  n1.frames.clear();
  for (auto kind : {frame_kind::gossip, frame_kind::probe,
                    frame_kind::probe_answer, frame_kind::hints_owed})
    give(0, kind, "\xff\xff\xff");
  core::gossip_message flood;
  flood.digests.resize(core::max_gossip_digests + 1);
  give(0, frame_kind::gossip, covey::serialize(flood));
  CAF_CHECK(n1.frames.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
