// Two replicas compared and repaired, against a model of both.

#define CAF_SUITE core.exchange

#include "core/exchange.hpp"
#include "tests/core/exchange_model.hpp"

#include <caf/test/unit_test.hpp>

#include <functional>
#include <optional>
#include <random>
#include <set>

using namespace covey::core;
using covey::test::model_keyspace;
using covey::test::model_replica;

namespace {

using kind = question_kind;

/// An exchange between `own` and `peer` on a clock of the test's, where asks,
/// answers and repairs take time and may get lost.
struct fixture {

  void begin(std::vector<uint16_t> slots) {
    wanted = std::move(slots);
    if (shared.empty())
      shared = wanted;
    config.patience_ms = 500;
    aut.emplace(config, shared, wanted,
                std::map<uint32_t, conflict_policy>{
                  {model_keyspace, conflict_policy::siblings}},
                now_ms);
  }
  model_replica& at(side x) {
    return x == side::own ? own : peer;
  }
  bool lost() {
    return random() % 100 < loss_percent;
  }
  uint64_t delay() {
    return 1 + random() % 8;
  }
  void later(uint64_t ms, std::function<void()> what) {
    events.emplace(now_ms + ms, std::move(what));
  }

  void pump() {
    while (auto ask = aut->next_ask(now_ms)) {
      ++asked[ask->question.kind];
      for (const auto& p : ask->question.parts)
        leaves_asked += p.leaves.size();
      if (lost())
        continue;
      later(delay(), [this, x = std::move(*ask)] {
        auto answer = at(x.whom).answer(x.question, shared);
        keys_answered += answer.parts.size();
        if (!lost())
          later(delay(), [this, whom = x.whom, answer] {
            aut->answered(whom, answer, now_ms);
          });
      });
    }
    while (auto repair = aut->next_repair()) {
      ++repairs[repair->stale];
      later(delay(), [this, x = std::move(*repair)] {
        auto arrives = !lost();
        if (arrives)
          at(x.stale).merge(x.key, at(other(x.stale)).at(x.key));
        later(delay(), [this, x, arrives] {
          aut->repaired(x.id, arrives, now_ms);
        });
      });
    }
  }
  static side other(side x) {
    return x == side::own ? side::peer : side::own;
  }

  void step() {
    snapshots.emplace_back(now_ms, std::pair{own.rows, peer.rows});
    pump();
    ++now_ms;
    while (!events.empty() && events.begin()->first <= now_ms) {
      auto what = std::move(events.begin()->second);
      events.erase(events.begin());
      what();
      pump();
    }
    aut->tick(now_ms);
    for (const auto& x : aut->take_equal())
      check_equal(x);
  }
  void finish() {
    auto limit = now_ms + 100'000;
    while (!aut->done() && now_ms < limit)
      step();
    CAF_REQUIRE(aut->done());
  }

  /// Both must have taken in all that either had when the comparison began.
  void check_equal(const equal_slots& x) {
    for (auto slot : x.slots)
      CAF_REQUIRE(equal.insert(slot).second);
    auto i
      = std::find_if(snapshots.begin(), snapshots.end(), [&](const auto& s) {
          return s.first >= x.began_ms;
        });
    CAF_REQUIRE(i != snapshots.end());
    std::set<uint16_t> slots{x.slots.begin(), x.slots.end()};
    for (const auto* rows : {&i->second.first, &i->second.second})
      for (const auto& [key, bytes] : *rows) {
        if (slots.count(slot_of(key, true)) == 0)
          continue;
        auto then = *decode_record(bytes);
        for (const auto* now : {&own, &peer}) {
          auto have = now->at(key);
          CAF_REQUIRE(
            same_version(merge(have, then, conflict_policy::siblings), have));
        }
      }
  }

  std::string key(uint16_t slot_number, size_t n) {
    // The tag decides about the slot.
    return "{" + tags.at(slot_number) + "}" + std::to_string(n);
  }
  /// Some slots, each with a tag that leads to it.
  std::vector<uint16_t> slots_with_tags(size_t n) {
    for (size_t i = 0; tags.size() < n; ++i)
      tags.emplace(slot_of("t" + std::to_string(i), false),
                   "t" + std::to_string(i));
    std::vector<uint16_t> result;
    for (const auto& x : tags)
      result.push_back(x.first);
    return result;
  }
  dot fresh(incarnation who) {
    return {who, ++counter};
  }
  void both_put(const std::string& k) {
    own.put(k, fresh(1));
    peer.merge(k, own.at(k));
  }

  std::mt19937_64 random{1};
  uint32_t loss_percent = 0;
  uint64_t now_ms = 1'000;
  uint64_t counter = 0;
  exchange_config config;
  model_replica own;
  model_replica peer;
  std::vector<uint16_t> shared;
  std::vector<uint16_t> wanted;
  std::map<uint16_t, std::string> tags;
  std::optional<exchange> aut;
  std::multimap<uint64_t, std::function<void()>> events;
  std::vector<
    std::pair<uint64_t, std::pair<std::map<std::string, std::string>,
                                  std::map<std::string, std::string>>>>
    snapshots;
  std::set<uint16_t> equal;
  std::map<kind, int> asked;
  std::map<side, int> repairs;
  size_t leaves_asked = 0;
  size_t keys_answered = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(exchange_tests, fixture)

CAF_TEST(equal replicas are asked for one sum a range and nothing else) {
  auto slots = slots_with_tags(200);
  for (auto slot : slots)
    for (size_t n = 0; n < 5; ++n)
      both_put(key(slot, n));
  begin(slots);
  finish();
  CAF_CHECK_EQUAL(asked[kind::sums], 2);
  CAF_CHECK_EQUAL(asked.size(), 1u);
  CAF_CHECK_EQUAL(equal.size(), slots.size());
  CAF_CHECK_EQUAL(aut->progress().compared, slots.size());
  CAF_CHECK_EQUAL(aut->progress().left, 0u);
  CAF_CHECK(repairs.empty());
}

CAF_TEST(of twelve keys in four leaves exactly the leaf that differs is read) {
  auto slots = slots_with_tags(1);
  // Three keys a leaf, in the first four leaves' worth of names.
  std::map<uint64_t, size_t> filled;
  for (size_t n = 0; own.rows.size() < 12; ++n) {
    auto k = key(slots[0], n);
    if (filled[model_replica::hash_of(k) >> 62] == 3)
      continue;
    ++filled[model_replica::hash_of(k) >> 62];
    both_put(k);
  }
  CAF_CHECK_EQUAL(own.depth_of(slots[0]), 2);
  peer.put(own.rows.begin()->first, fresh(2));
  begin(slots);
  finish();
  // The keys, then the versions, of each side.
  CAF_CHECK_EQUAL(leaves_asked, 4u);
  CAF_CHECK_EQUAL(repairs[side::own], 1);
  CAF_CHECK_EQUAL(repairs[side::peer], 0);
  CAF_CHECK(own.rows == peer.rows);
}

CAF_TEST(the stale side gets the record and both do if they are concurrent) {
  auto slots = slots_with_tags(4);
  for (auto slot : slots)
    both_put(key(slot, 0));
  own.put(key(slots[0], 0), fresh(1));
  peer.put(key(slots[1], 0), fresh(2));
  own.put(key(slots[2], 0), fresh(1));
  peer.put(key(slots[2], 0), fresh(2));
  peer.put(key(slots[3], 1), fresh(2));
  begin(slots);
  finish();
  CAF_CHECK_EQUAL(repairs[side::peer], 2);
  CAF_CHECK_EQUAL(repairs[side::own], 3);
  CAF_CHECK(own.rows == peer.rows);
  CAF_CHECK_EQUAL(equal.size(), 4u);
  CAF_CHECK_EQUAL(aut->progress().stale_keys, 4u);
}

CAF_TEST(a write that arrives within the pause is no difference) {
  auto slots = slots_with_tags(1);
  auto k = key(slots[0], 0);
  both_put(k);
  own.put(k, fresh(1));
  begin(slots);
  later(100, [&] {
    peer.merge(k, own.at(k));
  });
  finish();
  CAF_CHECK(repairs.empty());
  CAF_CHECK_EQUAL(equal.size(), 1u);
}

CAF_TEST(a key that changes between the two looks is left for later) {
  auto slots = slots_with_tags(1);
  auto k = key(slots[0], 0);
  begin(slots);
  own.put(k, fresh(1));
  for (uint64_t ms = 100; ms < 2'000; ms += 100)
    later(ms, [&] {
      own.put(k, fresh(1));
    });
  finish();
  CAF_CHECK(repairs.empty());
  CAF_CHECK(equal.empty());
  CAF_CHECK_EQUAL(aut->progress().left, 1u);
}

CAF_TEST(slots that are shared and not wanted are not in any sum) {
  auto slots = slots_with_tags(60);
  shared = slots;
  for (auto slot : slots)
    own.put(key(slot, 0), fresh(1));
  std::vector<uint16_t> some;
  for (size_t i = 0; i < slots.size(); i += 3)
    some.push_back(slots[i]);
  begin(some);
  finish();
  CAF_CHECK_EQUAL(peer.rows.size(), some.size());
  CAF_CHECK(std::equal(some.begin(), some.end(), equal.begin(), equal.end()));
}

CAF_TEST(trees that are not ready at either side wait for a later exchange) {
  auto slots = slots_with_tags(3);
  for (auto slot : slots)
    own.put(key(slot, 0), fresh(1));
  own.unready[slots[0]] = true;
  peer.unready[slots[1]] = true;
  begin(slots);
  finish();
  CAF_CHECK_EQUAL(peer.rows.size(), 1u);
  CAF_CHECK(equal == std::set<uint16_t>{slots[2]});
  CAF_CHECK_EQUAL(aut->progress().left, 2u);
}

CAF_TEST(answers that are none to the question leave their slots unequal) {
  auto slots = slots_with_tags(2);
  begin(slots);
  auto first = aut->next_ask(now_ms);
  auto second = aut->next_ask(now_ms);
  CAF_REQUIRE(first && second);
  exchange_answer short_one;
  short_one.id = first->question.id;
  aut->answered(first->whom, short_one, now_ms);
  CAF_CHECK(aut->done());
  CAF_CHECK(aut->take_equal().empty());
  CAF_CHECK_EQUAL(aut->progress().left, 2u);
  // The other side's answer comes when nobody waits for it any more.
  auto late = own.answer(second->question, shared);
  aut->answered(second->whom, late, now_ms);
  CAF_CHECK(aut->take_equal().empty());
}

CAF_TEST(an answer counts for the side that was asked only) {
  begin(slots_with_tags(2));
  auto first = aut->next_ask(now_ms);
  auto second = aut->next_ask(now_ms);
  CAF_REQUIRE(first && second && first->whom != second->whom);
  aut->answered(second->whom, own.answer(first->question, shared), now_ms);
  aut->answered(first->whom, own.answer(second->question, shared), now_ms);
  CAF_CHECK(!aut->done());
  CAF_CHECK(aut->take_equal().empty());
}

CAF_TEST(random differences are repaired whatever the trees look like) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAF_MESSAGE("seed " << seed);
    fixture f;
    f.random.seed(seed);
    auto slots = f.slots_with_tags(1 + seed % 30);
    f.own.page_keys = 1 + seed % 7;
    f.config.cohort_slots = 1 + static_cast<uint32_t>(seed % 5);
    auto shape = seed % 3;
    for (auto slot : slots)
      for (size_t n = 0; n < f.random() % 40; ++n) {
        auto k = f.key(slot, n);
        auto luck = f.random() % 10;
        if (luck < 4 || shape == 0)
          f.both_put(k);
        if (luck == 4 || shape == 1)
          f.own.put(k, f.fresh(1));
        if (luck == 5 || shape == 2)
          f.peer.put(k, f.fresh(2));
        if (luck == 6)
          f.own.put(k, f.fresh(3), false);
      }
    f.begin(slots);
    f.finish();
    CAF_REQUIRE(f.own.rows.size() == f.peer.rows.size());
    for (const auto& row : f.own.rows)
      CAF_REQUIRE_EQUAL(f.own.version_of(row.first),
                        f.peer.version_of(row.first));
    CAF_REQUIRE_EQUAL(f.equal.size(), slots.size());
    CAF_REQUIRE_EQUAL(f.aut->progress().left, 0u);
  }
}

CAF_TEST(under loss and writes an exchange ends and claims nothing untrue) {
  size_t claimed = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAF_MESSAGE("seed " << seed);
    fixture f;
    f.random.seed(seed);
    f.loss_percent = seed % 4;
    f.config.pause_ms = 40;
    auto slots = f.slots_with_tags(20);
    for (auto slot : slots)
      for (size_t n = 0; n < 4; ++n)
        f.both_put(f.key(slot, n));
    f.begin(slots);
    // Writes at either side, most of which reach the other a little later.
    for (uint64_t ms = 1; ms < 400; ms += 1 + f.random() % 10)
      f.later(ms, [&f, slots] {
        auto k = f.key(slots[f.random() % slots.size()], f.random() % 6);
        auto here = f.random() % 2 == 0 ? side::own : side::peer;
        f.at(here).put(k, f.fresh(1 + static_cast<uint64_t>(here)));
        auto version = f.at(here).rows[k];
        if (f.random() % 4 != 0)
          f.later(f.random() % 30, [&f, k, here, version] {
            f.at(fixture::other(here)).merge(k, *decode_record(version));
          });
      });
    f.finish();
    claimed += f.equal.size();
    // A quiet exchange later repairs the rest.
    while (!f.events.empty())
      f.step();
    f.loss_percent = 0;
    f.equal.clear();
    f.begin(slots);
    f.finish();
    CAF_REQUIRE_EQUAL(f.equal.size(), slots.size());
    for (const auto& row : f.own.rows)
      CAF_REQUIRE_EQUAL(f.own.version_of(row.first),
                        f.peer.version_of(row.first));
  }
  CAF_CHECK(claimed > 100);
}

CAF_TEST_FIXTURE_SCOPE_END()
