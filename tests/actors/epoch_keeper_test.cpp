// The epoch keeper of n2: the test plays its shard, n1 and n3.

#define CAF_SUITE actors.epoch_keeper

#include "actors/epoch_keeper.hpp"
#include "core/epoch_codec.hpp"
#include "messages/burst.hpp"
#include "tests/actors/fixture.hpp"

#include <optional>

using namespace covey;
using core::paxos_message;
using core::paxos_verb;

namespace {

/// Plays the link to a member: keeps what it is to carry.
struct played_link {
  gossip_link_actor handle;
  std::vector<gossip_frame> frames;
};

core::epoch_change add(const std::string& name, uint32_t replicas = 3) {
  core::add_keyspace result;
  result.what.name = name;
  result.what.replication.total = replicas;
  return result;
}

struct fixture : test::node_fixture {
  fixture() : shard(play_shard()) {
    become(1, 1);
    node->run = 1'600'000'000;
    first = node->newest_view()->epoch_handle();
    for (auto* x : {&n1, &n3})
      x->handle = keep(sys.spawn([x]() -> gossip_link_actor::behavior_type {
        return {[x](const gossip_frame& frame) {
          x->frames.push_back(frame);
        }};
      }));
    start();
  }
  ~fixture() override {
    // Promises must end before the system does.
    kill(aut);
  }
  void start(uint64_t seed = 1) {
    epoch_keeper_config config;
    config.seed = seed;
    aut = keep(sys.spawn(epoch_keeper, config, node_context_ptr{node},
                         caf::actor_cast<row_keeper_actor>(shard.handle)));
    sched.run();
  }
  void restart(uint64_t seed = 2) {
    kill(aut);
    n1.frames.clear();
    n3.frames.clear();
    start(seed);
  }
  played_link& link(core::member_index m) {
    return m == 0 ? n1 : n3;
  }
  void connect(core::member_index m) {
    tell(aut, peer_up_atom::value, m, link(m).handle, uint64_t{7});
  }
  void live_ms(uint64_t ms) {
    for (uint64_t passed = 0; passed < ms; passed += 50) {
      pass_ms(50);
      tell(aut, tick_atom::value);
    }
  }
  void propose(core::epoch_change change, bool dry_run = false,
               uint64_t timeout_us = 2'000'000) {
    epoch_proposal what;
    what.change = std::move(change);
    what.dry_run = dry_run;
    what.deadline_us = now_us + timeout_us;
    keep(sys.spawn([this, what](caf::event_based_actor* asker) {
      asker->request(aut, caf::infinite, what)
        .then([this](const epoch_outcome& out) {
          outcomes.push_back(out);
        });
    }));
    sched.run();
  }
  void give(core::member_index from, const paxos_message& what) {
    tell(aut, gossip_frame{from, frame_kind::paxos, covey::serialize(what)});
  }
  void give(core::member_index from, const epoch_word& what) {
    tell(aut,
         gossip_frame{from, frame_kind::epoch_word, covey::serialize(what)});
  }
  /// The last that `m` was sent of this verb.
  std::optional<paxos_message> heard(core::member_index m, paxos_verb verb) {
    std::optional<paxos_message> result;
    for (const auto& frame : link(m).frames)
      if (frame.kind == frame_kind::paxos)
        if (auto x = parse_paxos(frame.message); x && x->verb == verb)
          result = x;
    return result;
  }
  std::optional<epoch_word> word(core::member_index m) {
    std::optional<epoch_word> result;
    for (const auto& frame : link(m).frames)
      if (frame.kind == frame_kind::epoch_word)
        result = parse_epoch_word(frame.message);
    return result;
  }
  /// n1 or n3 votes for what it is asked, if it has accepted nothing before.
  void promise(core::member_index m) {
    auto in = heard(m, paxos_verb::prepare);
    CAF_REQUIRE(in.has_value());
    give(m, {paxos_verb::promised, in->instance, in->number, {}, {}});
  }
  void accept(core::member_index m) {
    auto in = heard(m, paxos_verb::accept);
    CAF_REQUIRE(in.has_value());
    give(m, {paxos_verb::accepted, in->instance, in->number, {}, {}});
  }
  core::ballot ballot_of(core::member_index m, uint64_t round) const {
    return {round, first->members[m].id, 99};
  }
  core::epoch after(const core::epoch& from, const core::epoch_change& change) {
    auto made = core::make_next(from, change);
    CAF_REQUIRE(made.next.has_value());
    return *made.next;
  }
  core::epoch after(const core::epoch_change& change) {
    return after(*first, change);
  }
  std::optional<core::epoch> on_disk() {
    auto i = shard.rows.find(epoch_keeper_state::epoch_name);
    if (i == shard.rows.end())
      return std::nullopt;
    return core::decode_epoch(i->second);
  }
  static epoch_word word_of(const core::epoch& x) {
    return {x.id, core::encode(x)};
  }

  /// What the configuration says.
  epoch_ptr first;
  test::played_shard& shard;
  played_link n1;
  played_link n3;
  epoch_keeper_actor aut;
  std::vector<epoch_outcome> outcomes;
};

const core::epoch_id second{1, 2};

} // namespace

CAF_TEST_FIXTURE_SCOPE(epoch_keeper_tests, fixture)

CAF_TEST(a change is decided by a majority saved and told to all) {
  connect(0);
  connect(2);
  propose(add("photos"));
  promise(0);
  CAF_CHECK(!on_disk());
  accept(0);
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::none);
  CAF_CHECK(outcomes[0].id == second);
  CAF_CHECK_EQUAL(outcomes[0].plan, "keyspace photos of replication 3");
  CAF_REQUIRE(on_disk().has_value());
  CAF_CHECK(on_disk()->find_keyspace("photos") != nullptr);
  for (auto m : {0, 2}) {
    auto told = word(static_cast<core::member_index>(m));
    CAF_REQUIRE(told.has_value());
    CAF_CHECK(told->id == second);
    CAF_CHECK_EQUAL(told->epoch, core::encode(*on_disk()));
  }
  CAF_CHECK_EQUAL(node->counters.epoch_number.load(), 2u);
}

CAF_TEST(nothing is decided by a minority and the client is told so) {
  connect(0);
  propose(add("photos"));
  CAF_CHECK(heard(0, paxos_verb::prepare).has_value());
  live_ms(2500);
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::unavailable);
  // Taken back: what is promised later leads to nothing.
  n1.frames.clear();
  live_ms(3000);
  promise(0);
  CAF_CHECK(!heard(0, paxos_verb::accept));
  CAF_CHECK(!on_disk());
}

CAF_TEST(who reaches no majority says so at once) {
  propose(add("photos"));
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::unavailable);
  CAF_CHECK_EQUAL(outcomes[0].text, "1 of 3 members that vote can be reached, "
                                    "2 are needed");
}

CAF_TEST(a change that was sent to be accepted may be made yet) {
  connect(0);
  propose(add("photos"));
  promise(0);
  live_ms(2500);
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::timed_out);
}

CAF_TEST(changes that do not apply are refused and plans decide nothing) {
  connect(0);
  propose(add("default"));
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::change_refused);
  propose(add("photos"), true);
  CAF_REQUIRE_EQUAL(outcomes.size(), 2u);
  CAF_CHECK(outcomes[1].code == errc::none);
  CAF_CHECK(outcomes[1].id == second);
  CAF_CHECK(!heard(0, paxos_verb::prepare));
}

CAF_TEST(a vote is on disk before it is said) {
  connect(0);
  shard.saves_rows = false;
  paxos_message in{paxos_verb::prepare, second, ballot_of(0, 3), {}, {}};
  give(0, in);
  CAF_CHECK(!heard(0, paxos_verb::promised));
  shard.saves_rows = true;
  give(0, in);
  CAF_CHECK(heard(0, paxos_verb::promised).has_value());
  CAF_CHECK_EQUAL(shard.rows.count(epoch_keeper_state::vote_name), 1u);
}

CAF_TEST(a vote survives a restart) {
  connect(0);
  auto value = core::encode(after(add("photos")));
  give(0, {paxos_verb::accept, second, ballot_of(0, 3), {}, value});
  CAF_CHECK(heard(0, paxos_verb::accepted).has_value());
  restart();
  connect(0);
  connect(2);
  give(2, {paxos_verb::prepare, second, ballot_of(2, 2), {}, {}});
  auto no = heard(2, paxos_verb::refused);
  CAF_REQUIRE(no.has_value());
  CAF_CHECK_EQUAL(no->other.round, 3u);
  give(2, {paxos_verb::prepare, second, ballot_of(2, 4), {}, {}});
  auto yes = heard(2, paxos_verb::promised);
  CAF_REQUIRE(yes.has_value());
  CAF_CHECK(yes->value == value);
}

CAF_TEST(two lives of the actor share no ballot) {
  connect(0);
  propose(add("photos"));
  auto before = heard(0, paxos_verb::prepare);
  restart();
  // Not even when its own vote is lost with the frames.
  shard.rows.clear();
  restart(3);
  connect(0);
  propose(add("photos"));
  auto again = heard(0, paxos_verb::prepare);
  CAF_REQUIRE(before.has_value() && again.has_value());
  CAF_CHECK(before->number != again->number);
}

CAF_TEST(who has lost a disk casts no vote) {
  connect(0);
  node->disk_lost = true;
  give(0, {paxos_verb::prepare, second, ballot_of(0, 3), {}, {}});
  CAF_CHECK(!heard(0, paxos_verb::promised));
  CAF_CHECK_EQUAL(shard.saves, 0);
  propose(add("photos"));
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::unavailable);
}

CAF_TEST(votes are only given on sound epochs and to who owns the ballot) {
  connect(0);
  give(0, {paxos_verb::prepare, second, ballot_of(2, 3), {}, {}});
  give(0, {paxos_verb::accept, second, ballot_of(0, 4), {}, "no epoch"});
  auto skipping = after(after(add("photos")), add("films"));
  give(
    0,
    {paxos_verb::accept, second, ballot_of(0, 4), {}, core::encode(skipping)});
  auto foreign = after(add("photos"));
  foreign.cluster = "other";
  give(
    0,
    {paxos_verb::accept, second, ballot_of(0, 4), {}, core::encode(foreign)});
  CAF_CHECK_EQUAL(shard.saves, 0);
  CAF_CHECK(!heard(0, paxos_verb::accepted));
  tell(aut, gossip_frame{0, frame_kind::paxos, "\xff\xff"});
  tell(aut, gossip_frame{0, frame_kind::epoch_word, "\xff\xff"});
  tell(aut, gossip_frame{40, frame_kind::epoch_word, {}});
  give(0, {paxos_verb::accept,
           second,
           ballot_of(0, 4),
           {},
           core::encode(after(add("photos")))});
  CAF_CHECK(heard(0, paxos_verb::accepted).has_value());
}

CAF_TEST(a proposer whose change lost makes it on top of the other) {
  connect(0);
  connect(2);
  propose(add("photos"));
  auto other = after(add("films"));
  give(0, word_of(other));
  CAF_CHECK(outcomes.empty());
  auto kept = on_disk();
  CAF_REQUIRE(kept.has_value());
  CAF_CHECK(kept->find_keyspace("films") != nullptr);
  promise(0);
  auto in = heard(0, paxos_verb::accept);
  CAF_REQUIRE(in.has_value());
  CAF_CHECK(in->instance == (core::epoch_id{1, 3}));
  accept(0);
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].id == (core::epoch_id{1, 3}));
  CAF_CHECK(on_disk()->find_keyspace("photos") != nullptr);
  CAF_CHECK(on_disk()->find_keyspace("films") != nullptr);
}

CAF_TEST(a proposer whose change was made by another is told so) {
  connect(0);
  propose(add("photos"));
  give(0, word_of(after(add("photos"))));
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::none);
  propose(add("films"));
  give(0, word_of(after(*on_disk(), add("films", 2))));
  CAF_REQUIRE_EQUAL(outcomes.size(), 2u);
  CAF_CHECK(outcomes[1].code == errc::change_refused);
}

CAF_TEST(after skipped epochs a change that was sent may have been made) {
  connect(0);
  propose(add("photos"));
  promise(0);
  auto later = after(after(add("photos")), add("films"));
  give(0, word_of(later));
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  CAF_CHECK(outcomes[0].code == errc::timed_out);
}

CAF_TEST(what may have been chosen comes before ones own change) {
  connect(0);
  connect(2);
  propose(add("photos"));
  auto in = heard(0, paxos_verb::prepare);
  CAF_REQUIRE(in.has_value());
  auto other = core::encode(after(add("films")));
  give(0, {paxos_verb::promised, second, in->number, {1, {0, 1}, 5}, other});
  auto out = heard(0, paxos_verb::accept);
  CAF_REQUIRE(out.has_value());
  CAF_CHECK(out->value == other);
}

CAF_TEST(a round that nobody finishes is completed) {
  connect(0);
  connect(2);
  auto value = core::encode(after(add("photos")));
  give(0, {paxos_verb::accept, second, ballot_of(0, 1), {}, value});
  live_ms(7000);
  promise(2);
  auto out = heard(2, paxos_verb::accept);
  CAF_REQUIRE(out.has_value());
  CAF_CHECK(out->value == value);
  accept(2);
  CAF_REQUIRE(on_disk().has_value());
  CAF_CHECK(on_disk()->id == second);
}

CAF_TEST(who is behind is sent the epoch and who is ahead is asked) {
  connect(0);
  CAF_CHECK(word(0)->id == first->id);
  auto next = after(add("photos"));
  // Without its bytes: asked for them with a word of one's own.
  n1.frames.clear();
  give(0, epoch_word{next.id, {}});
  CAF_CHECK(word(0)->id == first->id);
  CAF_CHECK(word(0)->epoch.empty());
  give(0, word_of(next));
  CAF_CHECK(on_disk()->id == second);
  give(0, epoch_word{first->id, {}});
  CAF_CHECK(word(0)->epoch == core::encode(next));
  // A proposer that is behind, too.
  n1.frames.clear();
  give(0, {paxos_verb::prepare, second, ballot_of(0, 3), {}, {}});
  CAF_CHECK(!heard(0, paxos_verb::promised));
  CAF_CHECK(word(0)->epoch == core::encode(next));
  // Equals say nothing.
  n1.frames.clear();
  give(0, epoch_word{next.id, {}});
  CAF_CHECK(n1.frames.empty());
}

CAF_TEST(an epoch that shifts indexes is refused) {
  connect(0);
  auto next = after(add("photos"));
  std::swap(next.members[0], next.members[2]);
  give(0, word_of(next));
  CAF_CHECK(!on_disk());
}

CAF_TEST(a decided epoch survives a restart and is given to who asks) {
  connect(0);
  give(0, word_of(after(add("photos"))));
  restart();
  std::vector<epoch_ptr> given;
  auto sink = keep(sys.spawn([&given]() -> epoch_sink_actor::behavior_type {
    return {[&given](epoch_atom, const epoch_ptr& x) {
      given.push_back(x);
    }};
  }));
  tell(aut, epoch_atom::value, sink);
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK(given[0]->id == second);
  connect(0);
  give(0, word_of(after(*given[0], add("films"))));
  CAF_REQUIRE_EQUAL(given.size(), 2u);
  CAF_CHECK(given[1]->find_keyspace("films") != nullptr);
}

CAF_TEST(an epoch is not gone by before it is on disk) {
  connect(0);
  shard.saves_rows = false;
  n1.frames.clear();
  give(0, word_of(after(add("photos"))));
  CAF_CHECK_EQUAL(node->counters.epoch_number.load(), 1u);
  shard.saves_rows = true;
  live_ms(1500);
  CAF_CHECK_EQUAL(node->counters.epoch_number.load(), 2u);
  CAF_CHECK(on_disk().has_value());
}

CAF_TEST(damaged rows cost the vote) {
  connect(0);
  for (auto row :
       {epoch_keeper_state::epoch_name, epoch_keeper_state::vote_name}) {
    shard.rows = {{row, "damaged"}};
    restart();
    connect(0);
    give(0, {paxos_verb::prepare, second, ballot_of(0, 3), {}, {}});
    CAF_CHECK(n1.frames.empty());
    propose(add("photos"));
    CAF_CHECK(outcomes.back().code == errc::unavailable);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
