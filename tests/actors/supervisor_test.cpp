#define CAF_SUITE actors.supervisor

#include "actors/supervisor.hpp"
#include "tests/actors/fixture.hpp"

#include <caf/event_based_actor.hpp>

#include <deque>

using namespace covey;
using kind = child_spec::kind;

namespace {

using names = std::vector<std::string>;

/// A child that does nothing but end when told to.
caf::behavior idle(caf::event_based_actor* self, std::string name,
                   names* ended) {
  self->attach_functor([name, ended](const caf::error&) {
    ended->push_back(name);
  });
  return {[](tick_atom) {}};
}

struct fixture : test::node_fixture {
  fixture() {
    config.restarts = 2;
    config.window_ms = 1000;
    config.give_up = [this](const std::string& why) {
      gave_up.push_back(why);
    };
  }
  ~fixture() override {
    kill(aut);
    for (const auto& [name, child] : current)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(child),
                          caf::exit_reason::kill);
    sched.run();
  }
  void add(const std::string& name, bool essential = false) {
    add(name, kind::plain, 0, essential, [this, name] {
      return caf::actor_cast<caf::strong_actor_ptr>(
        sys.spawn(idle, name, &ended));
    });
  }
  void add(const std::string& name, kind role, core::member_index peer,
           bool essential, std::function<caf::strong_actor_ptr()> spawn) {
    config.children.push_back(
      {name, role, essential, peer,
       [this, name, spawn](const started_children& earlier) {
         auto child = spawn();
         started.push_back(name);
         earlier_of[name] = earlier;
         current[name] = child;
         return child;
       }});
  }
  template <class Handle>
  void add_played(const std::string& name, kind role, const Handle& handle,
                  core::member_index peer = 0) {
    add(name, role, peer, false, [handle] {
      return caf::actor_cast<caf::strong_actor_ptr>(handle);
    });
  }
  /// One that notes the number of each epoch that it is told of.
  void add_viewer(const std::string& name) {
    add(name, kind::plain, 0, false, [this, name] {
      auto behave = [this, name]() -> view_holder_actor::behavior_type {
        return {[this, name](epoch_atom, const view_ptr& next) {
          viewed.push_back(name + " " + std::to_string(next->id().number));
        }};
      };
      return caf::actor_cast<caf::strong_actor_ptr>(keep(sys.spawn(behave)));
    });
    config.children.back().holds_view = true;
  }
  void add_link(core::member_index m) {
    auto name = "link " + std::to_string(m);
    add(name, kind::link, m, false, [this, name] {
      return caf::actor_cast<caf::strong_actor_ptr>(
        sys.spawn(idle, name, &ended));
    });
  }
  void start() {
    aut = keep(sys.spawn(supervisor, config, node_context_ptr{node}));
    sched.run();
  }
  void start_abc() {
    add("a");
    add("b");
    add("c");
    start();
    started.clear();
  }
  void crash(const std::string& name) {
    kill(caf::actor_cast<caf::actor>(current[name]));
  }
  /// The answer to a drain; nothing while there is none.
  void drain() {
    auto* out = &drained;
    auto whom = aut;
    keep(sys.spawn([whom, out](caf::event_based_actor* asker) {
      asker->request(whom, caf::infinite, drain_atom::value)
        .then([out](bool clean) {
          *out = clean;
        });
    }));
    sched.run();
  }

  supervisor_config config;
  names started;
  names ended;
  names gave_up;
  names viewed;
  std::map<std::string, started_children> earlier_of;
  std::map<std::string, caf::strong_actor_ptr> current;
  std::optional<bool> drained;
  local_supervisor_actor aut;
};

/// A gateway that answers its drain when the test says so.
struct played_gateway {
  local_gateway_actor handle;
  caf::typed_response_promise<bool> drain;
  int hellos = 0;
};

local_gateway_actor::behavior_type play(local_gateway_actor::pointer self,
                                        played_gateway* x) {
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
    [x](const wire::ClientHello&) {
      ++x->hellos;
    },
    [](burst_atom, const std::string&) {},
    [](client_answers&) {},
    [](view_atom, const liveness_ptr&) {},
    [](repair_atom, const anti_entropy_actor&) {},
    [](epoch_atom, const view_ptr&) {},
    [](go_atom) {},
    // Promises can be kept only while their actor runs.
    [x](tick_atom) {
      x->drain.deliver(true);
    },
    [x, self](drain_atom) {
      x->drain = self->make_response_promise<bool>();
      return x->drain;
    },
  };
}

/// Plays a program that watches the node.
struct played_watcher {
  node_watcher_actor handle;
  std::vector<wire::NodeState> states;
  std::vector<wire::ChildEvent> events;
};

struct watch_fixture : fixture {
  watch_fixture() {
    config.max_watchers = 2;
    add("a", true);
    add("b");
    add("c");
    start();
  }
  played_watcher& play_watcher() {
    auto* x = &watchers.emplace_back();
    auto behave = [x]() -> node_watcher_actor::behavior_type {
      return {
        [x](const wire::NodeState& in) {
          x->states.push_back(in);
        },
        [x](const wire::ChildEvent& in) {
          x->events.push_back(in);
        },
      };
    };
    x->handle = keep(sys.spawn(behave));
    return *x;
  }
  void watch(played_watcher& x, bool wants_all = true) {
    wire::WatchRequest in;
    in.set_nonce(++nonce);
    in.set_wants_children(wants_all);
    in.set_wants_members(wants_all);
    send_as(x.handle, aut, in);
  }
  std::deque<played_watcher> watchers;
  uint64_t nonce = 0;
};

struct drain_fixture : fixture {
  drain_fixture() {
    add("flusher", true);
    add_played("shard/0", kind::shard, first.handle);
    add_played("shard/1", kind::shard, second.handle);
    add("replica");
    door.handle = keep(sys.spawn(play, &door));
    add_played("gateway", kind::gateway, door.handle);
    add("link");
    start();
  }
  ~drain_fixture() override {
    door.drain = {};
  }
  test::played_shard& first = play_shard();
  test::played_shard& second = play_shard();
  played_gateway door;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, fixture)

CAF_TEST(children are started in order and see the earlier ones) {
  add("a");
  add("b");
  add("c");
  start();
  CAF_CHECK_EQUAL(started, (names{"a", "b", "c"}));
  CAF_CHECK(earlier_of["a"].empty());
  CAF_CHECK((earlier_of["c"] == started_children{current["a"], current["b"]}));
}

CAF_TEST(a crashed child and all after it are started anew) {
  start_abc();
  auto old = current;
  crash("b");
  CAF_CHECK_EQUAL(started, (names{"b", "c"}));
  CAF_CHECK_EQUAL(ended, (names{"b", "c"}));
  CAF_CHECK(current["a"] == old["a"]);
  CAF_CHECK(current["b"] != old["b"]);
  CAF_CHECK(current["c"] != old["c"]);
  // What comes later is given the new handles.
  CAF_CHECK((earlier_of["c"] == started_children{current["a"], current["b"]}));
  CAF_CHECK(gave_up.empty());
  CAF_CHECK_EQUAL(node->counters.restarts, 1u);
}

CAF_TEST(a child that was started anew is watched as well) {
  start_abc();
  crash("b");
  crash("b");
  CAF_CHECK_EQUAL(started, (names{"b", "c", "b", "c"}));
}

CAF_TEST(the last child alone is started anew) {
  start_abc();
  crash("c");
  CAF_CHECK_EQUAL(started, names{"c"});
}

CAF_TEST(too many restarts within the window end the node) {
  start_abc();
  crash("c");
  crash("b");
  CAF_CHECK(gave_up.empty());
  started.clear();
  crash("a");
  CAF_REQUIRE_EQUAL(gave_up.size(), 1u);
  CAF_CHECK(gave_up[0].find("a crashed") == 0);
  CAF_CHECK(started.empty());
  // Once is enough.
  crash("b");
  CAF_CHECK_EQUAL(gave_up.size(), 1u);
}

CAF_TEST(restarts outside of the window do not count) {
  start_abc();
  for (auto i = 0; i < 6; ++i) {
    crash("c");
    pass_ms(500);
  }
  CAF_CHECK(gave_up.empty());
  CAF_CHECK_EQUAL(started.size(), 6u);
}

CAF_TEST(the crash of an essential child ends the node at once) {
  add("a", true);
  add("b");
  start();
  started.clear();
  crash("a");
  CAF_REQUIRE_EQUAL(gave_up.size(), 1u);
  CAF_CHECK(gave_up[0].find("a crashed") == 0);
  CAF_CHECK(started.empty());
}

CAF_TEST(the children are told with their restarts) {
  add("a", true);
  add("b");
  start();
  crash("b");
  auto reply = self->request(aut, caf::infinite, children_atom::value);
  sched.run();
  reply.receive(
    [](const wire::Children& out) {
      CAF_REQUIRE_EQUAL(out.children_size(), 2);
      CAF_CHECK_EQUAL(out.children(0).name(), "a");
      CAF_CHECK(out.children(0).essential());
      CAF_CHECK_EQUAL(out.children(0).restarts(), 0u);
      CAF_CHECK_EQUAL(out.children(1).restarts(), 1u);
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
}

CAF_TEST(a peer that is no member or looks for another node is refused) {
  start();
  auto& remote = play_remote();
  wire::PeerHello in;
  in.set_session(5);
  in.set_node("stranger");
  in.set_target("n1");
  send_as(remote.handle, aut, in);
  in.set_node("n2");
  in.set_target("n3");
  send_as(remote.handle, aut, in);
  CAF_REQUIRE_EQUAL(remote.welcomes.size(), 2u);
  for (const auto& w : remote.welcomes) {
    CAF_CHECK_EQUAL(static_cast<errc>(w.code()), errc::wrong_cluster);
    CAF_CHECK_EQUAL(w.session(), 5u);
  }
}

CAF_TEST(a peer that was removed or came back under another id is refused) {
  add_played("link", kind::link, play_replica().handle, 1);
  start();
  auto& remote = play_remote();
  wire::PeerHello in;
  in.set_node("n2");
  in.set_target("n1");
  in.set_member_high(view->at(1).id.high);
  in.set_member_low(77);
  send_as(remote.handle, aut, in);
  CAF_REQUIRE_EQUAL(remote.welcomes.size(), 1u);
  CAF_CHECK(remote.welcomes[0].text().find("another id") != std::string::npos);
  auto next = next_view([](core::epoch& e) {
    e.members[1].state = core::member_state::removed;
    e.members.push_back(make_member("n4"));
  });
  tell(aut, epoch_atom::value, next->epoch_handle());
  in.set_member_low(view->at(1).id.low);
  send_as(remote.handle, aut, in);
  CAF_REQUIRE_EQUAL(remote.welcomes.size(), 2u);
  CAF_CHECK(remote.welcomes[1].text().find("removed") != std::string::npos);
}

CAF_TEST(a peer that is unknown here but knows a later epoch is news) {
  start();
  auto& remote = play_remote();
  wire::PeerHello in;
  in.set_node("n4");
  in.set_target("n1");
  in.set_epoch_generation(1);
  in.set_epoch_number(2);
  send_as(remote.handle, aut, in);
  CAF_CHECK_EQUAL(remote.welcomes.size(), 1u);
  CAF_CHECK_EQUAL(node->epochs_missed, 1u);
}

CAF_TEST(a new epoch is told to those that hold a view and to later children) {
  add_viewer("a");
  add("b");
  add_viewer("c");
  start();
  auto next = next_view([](core::epoch& e) {
    e.keyspaces.push_back(make_keyspace("zebras", 3));
  });
  tell(aut, epoch_atom::value, next->epoch_handle());
  CAF_CHECK_EQUAL(viewed, (names{"a 2", "c 2"}));
  CAF_CHECK(node->newest_view()->find_keyspace("zebras") != nullptr);
  // Once is enough, and nothing goes back.
  tell(aut, epoch_atom::value, next->epoch_handle());
  CAF_CHECK_EQUAL(viewed.size(), 2u);
  CAF_CHECK_EQUAL(node->counters.epochs_adopted, 1u);
}

CAF_TEST(an epoch that lacks a keyspace is refused) {
  add_viewer("a");
  start();
  auto other = std::make_shared<core::epoch>(view->epoch());
  ++other->id.number;
  other->keyspaces.pop_back();
  tell(aut, epoch_atom::value, epoch_ptr{other});
  CAF_CHECK(viewed.empty());
  CAF_CHECK(node->newest_view() == view);
}

CAF_TEST(links come and go with the members and the ticker is last) {
  add("a");
  add_link(1);
  add_link(2);
  add("ticker", kind::ticker, 0, false, [this] {
    return caf::actor_cast<caf::strong_actor_ptr>(
      sys.spawn(idle, "ticker", &ended));
  });
  config.make_link = [this](core::member_index m) {
    add_link(m);
    auto result = std::move(config.children.back());
    config.children.pop_back();
    return result;
  };
  start();
  started.clear();
  auto next = next_view([](core::epoch& e) {
    e.members[1].state = core::member_state::removed;
    e.members.push_back(make_member("n4"));
    e.members.push_back(make_member("n5"));
  });
  tell(aut, epoch_atom::value, next->epoch_handle());
  CAF_CHECK_EQUAL(ended, (names{"ticker", "link 1"}));
  CAF_CHECK_EQUAL(started, (names{"link 3", "link 4", "ticker"}));
  CAF_REQUIRE_EQUAL(earlier_of["ticker"].size(), 4u);
  CAF_CHECK(earlier_of["ticker"][1] == current["link 2"]);
  CAF_CHECK(earlier_of["ticker"][2] == current["link 3"]);
  // They are children like the others.
  started.clear();
  crash("link 3");
  CAF_CHECK_EQUAL(started, (names{"link 3", "link 4", "ticker"}));
  CAF_CHECK(gave_up.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(supervisor_drain_tests, drain_fixture)

CAF_TEST(a drain waits for the gateway and ends with the shards) {
  drain();
  CAF_CHECK(door.drain.pending());
  CAF_CHECK(ended.empty());
  CAF_CHECK_EQUAL(first.drains, 0);
  tell(door.handle, tick_atom::value);
  // In reverse order: nothing speaks to what is gone.
  CAF_CHECK_EQUAL(ended, (names{"link", "replica"}));
  CAF_CHECK_EQUAL(first.drains, 1);
  CAF_CHECK_EQUAL(second.drains, 1);
  CAF_CHECK(drained == true);
  CAF_CHECK(gave_up.empty());
}

CAF_TEST(a shard that cannot set its mark makes the stop unclean) {
  first.clean = false;
  drain();
  tell(door.handle, tick_atom::value);
  CAF_CHECK(drained == false);
}

CAF_TEST(a gateway that never finishes is not waited for without end) {
  drain();
  pass_ms(9'999);
  CAF_CHECK_EQUAL(first.drains, 0);
  pass_ms(1);
  CAF_CHECK_EQUAL(first.drains, 1);
  CAF_CHECK(drained == true);
}

CAF_TEST(a crash during the drain restarts nothing) {
  started.clear();
  drain();
  crash("replica");
  CAF_CHECK(started.empty());
  CAF_CHECK(gave_up.empty());
}

CAF_TEST(a client is handed to the gateway of now) {
  send_as(play_client().handle, aut, wire::ClientHello{});
  CAF_CHECK_EQUAL(door.hellos, 1);
  auto reply = self->request(aut, caf::infinite, gateway_atom::value);
  sched.run();
  reply.receive(
    [&](const gateway_actor& handle) {
      CAF_CHECK(handle == caf::actor_cast<gateway_actor>(door.handle));
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(supervisor_watch_tests, watch_fixture)

CAF_TEST(a watcher is told the whole state first) {
  node->run = 17;
  auto& w = play_watcher();
  crash("b");
  watch(w);
  CAF_REQUIRE_EQUAL(w.states.size(), 1u);
  const auto& s = w.states[0];
  CAF_CHECK_EQUAL(s.code(), 0u);
  CAF_CHECK_EQUAL(s.nonce(), 1u);
  CAF_CHECK_EQUAL(s.cluster(), "test");
  CAF_CHECK_EQUAL(s.node(), "n1");
  CAF_CHECK_EQUAL(s.run(), 17u);
  CAF_REQUIRE_EQUAL(s.children_size(), 3);
  CAF_CHECK_EQUAL(s.children(0).name(), "a");
  CAF_CHECK(s.children(0).essential());
  CAF_CHECK_EQUAL(s.children(1).restarts(), 1u);
  CAF_REQUIRE_EQUAL(s.members_size(), 3);
  CAF_CHECK_EQUAL(s.members(1).name(), "n2");
  CAF_CHECK_EQUAL(s.members(1).host(), "n2.example");
  CAF_CHECK_EQUAL(s.members(1).port(), 7001u);
  CAF_CHECK(w.events.empty());
}

CAF_TEST(a watcher that knows the epoch is not told the members) {
  auto& w = play_watcher();
  wire::WatchRequest in;
  in.set_wants_members(true);
  in.set_epoch_generation(1);
  in.set_epoch_number(1);
  send_as(w.handle, aut, in);
  CAF_REQUIRE_EQUAL(w.states.size(), 1u);
  CAF_CHECK_EQUAL(w.states[0].members_size(), 0);
  CAF_CHECK_EQUAL(w.states[0].epoch_number(), 1u);
  CAF_CHECK_EQUAL(w.states[0].children_size(), 0);
}

CAF_TEST(each crash is told to every watcher with what was done about it) {
  auto& first = play_watcher();
  auto& second = play_watcher();
  watch(first);
  watch(second);
  crash("b");
  crash("c");
  for (auto* w : {&first, &second}) {
    CAF_REQUIRE_EQUAL(w->events.size(), 2u);
    const auto& b = w->events[0];
    CAF_CHECK_EQUAL(b.name(), "b");
    CAF_CHECK_EQUAL(b.reason(),
                    sys.render(caf::make_error(caf::exit_reason::kill)));
    CAF_CHECK_EQUAL(b.restarts(), 1u);
    CAF_CHECK(b.restarted());
    CAF_CHECK(!b.essential());
    CAF_CHECK_EQUAL(b.followers(), 1u);
    CAF_CHECK_EQUAL(w->events[1].name(), "c");
    CAF_CHECK_EQUAL(w->events[1].followers(), 0u);
  }
}

CAF_TEST(a watcher that asks again is not told twice) {
  auto& w = play_watcher();
  watch(w);
  watch(w, false);
  CAF_REQUIRE_EQUAL(w.states.size(), 2u);
  CAF_CHECK_EQUAL(w.states[1].nonce(), 2u);
  CAF_CHECK_EQUAL(w.states[1].children_size(), 0);
  crash("c");
  CAF_CHECK_EQUAL(w.events.size(), 1u);
}

CAF_TEST(watchers learn why the node ends before it does) {
  auto& w = play_watcher();
  watch(w);
  crash("a");
  CAF_REQUIRE_EQUAL(w.events.size(), 1u);
  CAF_CHECK(w.events[0].essential());
  CAF_CHECK(!w.events[0].restarted());
  CAF_CHECK_EQUAL(w.events[0].node_ends(), gave_up.at(0));
}

CAF_TEST(watchers learn of the restart that was one too many) {
  auto& w = play_watcher();
  watch(w);
  for (auto i = 0; i < 3; ++i)
    crash("c");
  CAF_REQUIRE_EQUAL(w.events.size(), 3u);
  CAF_CHECK(w.events[1].restarted());
  CAF_CHECK_EQUAL(w.events[2].restarts(), 2u);
  CAF_CHECK(!w.events[2].restarted());
  CAF_CHECK(w.events[2].node_ends().find("too often") != std::string::npos);
}

CAF_TEST(more watchers than it takes are refused until one ends) {
  auto& first = play_watcher();
  auto& second = play_watcher();
  auto& third = play_watcher();
  watch(first);
  watch(second);
  watch(third);
  CAF_REQUIRE_EQUAL(third.states.size(), 1u);
  CAF_CHECK_EQUAL(static_cast<errc>(third.states[0].code()), errc::overloaded);
  CAF_CHECK_EQUAL(third.states[0].text(),
                  "2 programs watch this node, the most that it takes");
  CAF_CHECK_EQUAL(third.states[0].children_size(), 0);
  // Those that it has may ask on.
  watch(first);
  CAF_CHECK_EQUAL(first.states.back().code(), 0u);
  crash("c");
  CAF_CHECK(third.events.empty());
  kill(second.handle);
  watch(third);
  CAF_CHECK_EQUAL(third.states.back().code(), 0u);
  crash("c");
  CAF_CHECK_EQUAL(third.events.size(), 1u);
}

CAF_TEST(a request from nobody subscribes nobody) {
  for (auto i = 0; i < 3; ++i)
    tell(aut, wire::WatchRequest{});
  auto& w = play_watcher();
  watch(w);
  CAF_REQUIRE_EQUAL(w.states.size(), 1u);
  CAF_CHECK_EQUAL(w.states[0].code(), 0u);
}

CAF_TEST(a reason without end is cut) {
  auto& w = play_watcher();
  watch(w);
  caf::exit_msg crash;
  crash.reason = caf::make_error(errc::unavailable, std::string(100'000, 'x'));
  tell(caf::actor_cast<caf::actor>(current["c"]), crash);
  CAF_REQUIRE_EQUAL(w.events.size(), 1u);
  CAF_CHECK(w.events[0].restarted());
  CAF_CHECK_EQUAL(w.events[0].reason().size(), 512u);
}

CAF_TEST_FIXTURE_SCOPE_END()
