// Changes of an epoch.

#define CAF_SUITE core.epoch_change

#include "core/epoch_change.hpp"
#include "core/ring.hpp"
#include "tests/core/epochs.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace covey::core;
using covey::core::test::make_epoch;
using covey::core::test::make_member;

namespace {

/// The next epoch, which must be.
epoch after(const epoch& from, const epoch_change& change) {
  auto x = make_next(from, change);
  if (!x.next)
    CAF_FAIL("refused: " << x.error);
  CAF_CHECK(x.error.empty());
  CAF_CHECK(validate(*x.next).empty());
  CAF_CHECK(continues(from, *x.next));
  return *x.next;
}

/// Why there is none.
std::string why(const epoch& from, const epoch_change& change) {
  auto x = make_next(from, change);
  CAF_CHECK(x.next.has_value() == x.error.empty());
  CAF_CHECK(x.error.find('\n') == std::string::npos);
  return x.error;
}

bool contains(const std::string& text, const char* part) {
  auto found = text.find(part) != std::string::npos;
  if (!found)
    CAF_MESSAGE("no \"" << part << "\" in \"" << text << "\"");
  return found;
}

uuid id_of(const epoch& x, const char* name) {
  return x.members[x.find_member(name).value()].id;
}

member_state state_of(const epoch& x, size_t i) {
  return x.members.at(i).state;
}

keyspace make_keyspace(const char* name, uint32_t replicas) {
  keyspace result;
  result.name = name;
  result.replication.total = replicas;
  return result;
}

} // namespace

// -- keyspaces

CAF_TEST(a keyspace is added in order and once) {
  auto x = make_epoch();
  auto y = after(x, add_keyspace{make_keyspace("photos", 2)});
  CAF_CHECK(y.id == (epoch_id{1, 2}));
  CAF_REQUIRE_EQUAL(y.keyspaces.size(), 3u);
  CAF_CHECK_EQUAL(y.keyspaces[1].name, "photos");
  CAF_CHECK(y.find_keyspace("photos") == &y.keyspaces[1]);
  CAF_CHECK_EQUAL(difference(x, y), "keyspace photos of replication 2");
  CAF_CHECK(contains(why(y, add_keyspace{make_keyspace("photos", 2)}),
                     "exists already"));
}

CAF_TEST(keyspaces that the members cannot hold are refused) {
  auto x = make_epoch();
  CAF_CHECK(contains(why(x, add_keyspace{make_keyspace("photos", 5)}),
                     "above the 4 members"));
  CAF_CHECK(
    contains(why(x, add_keyspace{make_keyspace("a b", 3)}), "not a name"));
  auto k = make_keyspace("photos", 2);
  k.default_read = {consistency_level::three, 0};
  CAF_CHECK(contains(why(x, add_keyspace{k}), "above the replication"));
}

CAF_TEST(defaults of a keyspace are altered and nothing else) {
  auto x = make_epoch();
  alter_keyspace what;
  what.name = "carts";
  what.default_read = consistency{consistency_level::one, 0};
  what.strict_puts = true;
  what.default_ttl_s = 60;
  auto y = after(x, what);
  const auto& k = *y.find_keyspace("carts");
  CAF_CHECK(k.default_read.level == consistency_level::one);
  CAF_CHECK(k.default_write.level == consistency_level::quorum);
  CAF_CHECK(k.strict_puts);
  CAF_CHECK_EQUAL(k.default_ttl_s, 60u);
  CAF_CHECK_EQUAL(difference(x, y), "other defaults of keyspace carts");
  CAF_CHECK(contains(why(y, what), "already"));
  what.name = "nothing";
  CAF_CHECK(contains(why(x, what), "no keyspace is called nothing"));
  what.name = "carts";
  what.default_ttl_s = max_default_ttl_s + 1;
  CAF_CHECK(contains(why(x, what), "a hundred years"));
}

CAF_TEST(what would move or rewrite data is not altered) {
  auto x = make_epoch();
  alter_keyspace what;
  what.name = "carts";
  what.replication = replication_spec{2, {}};
  CAF_CHECK(contains(why(x, what), "replication cannot be altered"));
  // As it is already: no reason to refuse the rest.
  what.replication = replication_spec{3, {}};
  what.strict_puts = true;
  after(x, what);
  what.policy = conflict_policy::lww;
  CAF_CHECK(contains(why(x, what), "policy cannot be altered"));
  what.policy.reset();
  what.hash_tags = true;
  CAF_CHECK(contains(why(x, what), "hash-tag rule cannot be altered"));
}

// -- members

CAF_TEST(a member joins in two steps and holds slots after the second) {
  auto x = make_epoch();
  auto who = make_member("a0");
  auto y = after(x, add_member{who});
  // Appended, though its name comes first: indexes stay.
  CAF_CHECK(y.find_member("a0") == 4);
  CAF_CHECK(state_of(y, 4) == member_state::joining);
  CAF_CHECK(!votes(y.members[4]));
  CAF_REQUIRE_EQUAL(y.changes.size(), 1u);
  CAF_CHECK(y.changes[0].since == y.id);
  CAF_CHECK(y.find_member("n4") == 3);
  ring before{x.members, x.keyspaces[0].replication};
  ring during{y.members, x.keyspaces[0].replication};
  CAF_CHECK_EQUAL(during.slots_of(4), 0u);
  for (member_index i = 0; i < 4; ++i)
    CAF_CHECK_EQUAL(during.slots_of(i), before.slots_of(i));
  auto z = after(y, finish_change{who.id});
  CAF_CHECK(state_of(z, 4) == member_state::up);
  CAF_CHECK(z.changes.empty());
  CAF_CHECK(ring(z.members, x.keyspaces[0].replication).slots_of(4) > 0);
}

CAF_TEST(an id never comes back) {
  auto x = make_epoch();
  auto who = make_member("n5");
  auto y = after(x, add_member{who});
  y = after(y, cancel_change{who.id});
  CAF_CHECK(state_of(y, 4) == member_state::removed);
  CAF_CHECK(!y.find_member("n5"));
  CAF_CHECK(y.find_member(who.id) == 4);
  CAF_CHECK(contains(why(y, add_member{who}), "takes a new id"));
  // The name and the address may.
  who.id = {9, 9};
  y = after(y, add_member{who});
  CAF_CHECK(y.find_member("n5") == 5);
  CAF_CHECK(contains(why(x, add_member{x.members[0]}), "takes a new id"));
}

CAF_TEST(names and addresses of members that are there are taken) {
  auto x = make_epoch();
  auto who = make_member("n1");
  who.id = {9, 9};
  CAF_CHECK(contains(why(x, add_member{who}), "two members have this name"));
  who = make_member("n5");
  who.host = "n1.example";
  CAF_CHECK(contains(why(x, add_member{who}), "address"));
  who = make_member("n5");
  who.weight = 0;
  CAF_CHECK(contains(why(x, add_member{who}), "weight"));
}

CAF_TEST(a member that leaves holds slots and votes until it has gone) {
  auto x = make_epoch();
  x.keyspaces.pop_back();
  auto id = id_of(x, "n2");
  for (epoch_change change :
       {epoch_change{leave_member{id}}, epoch_change{remove_member{id}}}) {
    auto y = after(x, change);
    CAF_CHECK(state_of(y, 1) == member_state::leaving);
    CAF_CHECK(votes(y.members[1]));
    CAF_CHECK(contains(why(y, change), "being changed already"));
    auto back = after(y, cancel_change{id});
    CAF_CHECK(state_of(back, 1) == member_state::up);
    auto z = after(y, finish_change{id});
    CAF_CHECK(state_of(z, 1) == member_state::removed);
    CAF_CHECK(!z.find_member("n2"));
    CAF_CHECK(z.find_member("n3") == 2);
    CAF_CHECK_EQUAL(ring(z.members, {3, {}}).slots_of(1), 0u);
    CAF_CHECK(contains(why(z, change), "was removed"));
  }
}

CAF_TEST(who is needed for a keyspace cannot leave) {
  auto x = make_epoch();
  // The only one of dc2.
  CAF_CHECK(contains(why(x, leave_member{id_of(x, "n4")}), "dc2"));
  x.keyspaces.pop_back();
  auto y = after(x, leave_member{id_of(x, "n4")});
  // Counted as if the first had gone.
  CAF_CHECK(
    contains(why(y, leave_member{id_of(x, "n3")}), "above the 2 members"));
}

CAF_TEST(a replacement takes name and address of the old under a new id) {
  auto x = make_epoch();
  auto who = x.members[1];
  who.id = {9, 9};
  auto old = x.members[1].id;
  auto y = after(x, replace_member{old, who});
  CAF_CHECK(y.find_member("n2") == 4);
  CAF_CHECK(y.find_member(old) == 1);
  CAF_CHECK(state_of(y, 1) == member_state::leaving);
  CAF_CHECK(state_of(y, 4) == member_state::joining);
  auto z = after(y, finish_change{who.id});
  CAF_CHECK(state_of(z, 1) == member_state::removed);
  CAF_CHECK(state_of(z, 4) == member_state::up);
  // One name: the same virtual nodes, so that nothing else moves.
  ring before{x.members, {2, {}}};
  ring later{z.members, {2, {}}};
  CAF_CHECK_EQUAL(later.slots_of(4), before.slots_of(1));
  CAF_CHECK_EQUAL(later.slots_of(0), before.slots_of(0));
  y = after(y, cancel_change{who.id});
  CAF_CHECK(y.find_member("n2") == 1);
  CAF_CHECK(state_of(y, 1) == member_state::up);
  CAF_CHECK(contains(why(x, replace_member{{3, 3}, who}), "no member has id"));
}

CAF_TEST(a weight holds once its change is finished) {
  auto x = make_epoch();
  auto id = id_of(x, "n1");
  auto y = after(x, set_weight{id, 4});
  CAF_CHECK_EQUAL(y.members[0].weight, 1u);
  auto target = target_of(y);
  CAF_CHECK_EQUAL(target.members[0].weight, 4u);
  CAF_CHECK(contains(difference(x, y), "is to have weight 4"));
  CAF_CHECK(contains(why(y, set_weight{id, 5}), "being changed already"));
  CAF_CHECK(contains(why(y, leave_member{id}), "being changed already"));
  auto finished = after(y, finish_change{id});
  CAF_CHECK_EQUAL(finished.members[0].weight, 4u);
  auto cancelled = after(y, cancel_change{id});
  CAF_CHECK_EQUAL(cancelled.members[0].weight, 1u);
  CAF_CHECK(contains(why(x, set_weight{id, 1}), "already"));
  CAF_CHECK(contains(why(x, set_weight{id, 65}), "outside 1 to 64"));
  CAF_CHECK(contains(why(x, set_weight{id, 0}), "outside 1 to 64"));
}

CAF_TEST(changes wait for each other and finish in their order) {
  auto x = make_epoch();
  auto a = make_member("n5");
  auto b = make_member("n6");
  auto y = after(after(x, add_member{a}), add_member{b});
  CAF_REQUIRE_EQUAL(y.changes.size(), 2u);
  CAF_CHECK(contains(why(y, finish_change{b.id}), "under way"));
  // One that waits can be given up as well.
  CAF_CHECK(state_of(after(y, cancel_change{b.id}), 5)
            == member_state::removed);
  auto z = after(after(y, finish_change{a.id}), finish_change{b.id});
  CAF_CHECK(z.id == (epoch_id{1, 5}));
  CAF_CHECK(z.changes.empty());
  CAF_CHECK(contains(why(z, finish_change{b.id}), "under way"));
  CAF_CHECK(contains(why(z, cancel_change{b.id}), "unfinished"));
  for (size_t i = y.changes.size(); i < max_changes; ++i)
    y = after(y, add_member{make_member("m" + std::to_string(i))});
  CAF_CHECK(contains(why(y, add_member{make_member("m99")}), "wait"));
}

CAF_TEST(survivors start a generation of their own) {
  auto x = make_epoch();
  x.keyspaces.pop_back();
  x.keyspaces[0].replication.total = 2;
  x = after(x, add_member{make_member("n5")});
  x = after(x, leave_member{id_of(x, "n1")});
  auto y = after(x, force_generation{{id_of(x, "n1"), id_of(x, "n3")}});
  CAF_CHECK(y.id == (epoch_id{2, 4}));
  CAF_CHECK(y.changes.empty());
  CAF_CHECK(state_of(y, 0) == member_state::up);
  CAF_CHECK(state_of(y, 1) == member_state::removed);
  CAF_CHECK(state_of(y, 4) == member_state::removed);
  CAF_CHECK(!continues(y, x));
  CAF_CHECK(
    contains(why(x, force_generation{{id_of(x, "n5")}}), "no data of its own"));
  CAF_CHECK(contains(why(x, force_generation{{id_of(x, "n1")}}),
                     "above the 1 members"));
  CAF_CHECK(contains(why(x, force_generation{{}}), "no members"));
}

// -- indexes

CAF_TEST(an epoch that shifts indexes or goes back is no continuation) {
  auto x = make_epoch();
  auto y = after(x, add_member{make_member("n5")});
  CAF_CHECK(!continues(y, x));
  CAF_CHECK(!continues(x, x));
  auto z = y;
  z.id.number = 3;
  std::swap(z.members[0], z.members[1]);
  CAF_CHECK(!continues(y, z));
  z = y;
  z.id.number = 3;
  z.cluster = "other";
  CAF_CHECK(!continues(y, z));
  y.members[1].state = member_state::removed;
  z = y;
  z.id.number = 3;
  CAF_CHECK(continues(y, z));
  z.members[1].state = member_state::up;
  CAF_CHECK(!continues(y, z));
}

CAF_TEST(any chain of changes keeps epochs sound and members at their place) {
  std::mt19937_64 random{1};
  for (int seed = 0; seed < 20; ++seed) {
    auto x = make_epoch();
    auto next_name = 5;
    for (int i = 0; i < 40; ++i) {
      auto some = x.members[random() % x.members.size()].id;
      auto who = make_member("n" + std::to_string(next_name++));
      auto first = x.changes.empty() ? some : x.changes.front().member;
      const epoch_change changes[]
        = {add_member{who},
           leave_member{some},
           remove_member{some},
           replace_member{some, who},
           set_weight{some, static_cast<uint32_t>(1 + random() % 4)},
           finish_change{first},
           finish_change{first},
           cancel_change{some}};
      auto y = make_next(x, changes[random() % 8]);
      CAF_REQUIRE(y.next.has_value() == y.error.empty());
      if (!y.next)
        continue;
      CAF_REQUIRE(validate(*y.next).empty());
      CAF_REQUIRE(validate(target_of(*y.next)).empty());
      CAF_REQUIRE(continues(x, *y.next));
      for (const auto& k : y.next->keyspaces)
        CAF_REQUIRE_EQUAL(ring(y.next->members, k.replication).replicas(),
                          k.replication.replicas());
      x = std::move(*y.next);
    }
  }
}
