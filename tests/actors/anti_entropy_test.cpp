// Two nodes compare their replicas; the test plays shards, replicas and links.

#define CAF_SUITE actors.anti_entropy

#include "actors/anti_entropy.hpp"
#include "messages/burst.hpp"
#include "tests/actors/fixture.hpp"
#include "tests/core/exchange_model.hpp"

#include <algorithm>
#include <array>
#include <set>

using namespace covey;

namespace {

using test::model_replica;

/// A node with one shard whose records are a model's.
struct played_node {
  std::shared_ptr<node_context> context;
  model_replica records;
  tree_source_actor trees;
  replica_actor replica;
  test::played_shard* shard = nullptr;
  /// The link to the other node.
  exchange_link_actor link;
  anti_entropy_actor aut;
  /// What went over the link.
  std::vector<exchange_frame> frames;
  size_t records_over_link = 0;
};

roots_page roots_of(const model_replica& records, const roots_query& q) {
  roots_page result;
  std::set<uint16_t> used;
  for (const auto& row : records.rows)
    used.insert(core::slot_of(row.first, false));
  for (uint32_t s = q.first; s <= q.last; ++s) {
    tree_root root;
    root.slot = static_cast<uint16_t>(s);
    root.ready = records.unready.count(root.slot) == 0;
    if (used.count(root.slot) > 0) {
      auto x = records.root(root.slot);
      root.depth = x.depth;
      root.sum = x.sum;
    }
    result.roots.push_back(root);
  }
  return result;
}

tree_source_actor::behavior_type play_trees(model_replica* records) {
  using kind = core::question_kind;
  return {
    [records](const roots_query& q) {
      return roots_of(*records, q);
    },
    [records](const leaves_query& q) {
      auto x = records->part(kind::leaves, {q.slot, q.depth, {}, {}, {}});
      return leaves_page{x.ok, x.sums};
    },
    [records](const versions_query& q) {
      auto x = records->part(q.keys.empty() ? kind::keys : kind::versions,
                             {q.slot, q.depth, q.leaves, q.keys, q.after});
      versions_page page{x.ok, {}, x.next};
      for (const auto& k : x.keys)
        page.keys.push_back(
          {k.key_hash, k.version_hash, k.keyspace, k.key, k.version});
      return page;
    },
  };
}

replica_answers do_ops(model_replica& records, const replica_ops& ops,
                       core::member_index m) {
  replica_answers out{m, {}};
  for (const auto& op : ops.ops) {
    replica_answer a;
    a.id = op.id;
    if (op.verb == replica_verb::read) {
      a.kind = answer_kind::record;
      auto i = records.rows.find(op.key);
      if (i != records.rows.end())
        a.bytes = i->second;
    } else {
      a.kind = answer_kind::durable;
      records.merge(op.key, *core::decode_record(op.bytes));
    }
    out.answers.push_back(std::move(a));
  }
  return out;
}

struct fixture : test::node_fixture {
  fixture() {
    config.interval_ms = 5'000;
    config.session_ms = 20'000;
    for (core::member_index m = 0; m < 2; ++m) {
      become(m, 1);
      auto& n = nodes[m];
      n.context = node;
      n.records.keyspace = core::keyspace_id("default");
      n.shard = &play_shard();
      n.trees = keep(sys.spawn([&n] {
        return play_trees(&n.records);
      }));
      n.replica = keep(sys.spawn(
        [&n, m](replica_actor::pointer self) -> replica_actor::behavior_type {
          return {[&n, m, self](const replica_ops& ops) {
                    self->send(ops.from, do_ops(n.records, ops, m));
                  },
                  [](epoch_atom, const view_ptr&) {}};
        }));
    }
    group = core::group_id(keyspace("default").replication);
  }

  /// Starts both, with a link between them.
  void start() {
    for (core::member_index m = 0; m < 2; ++m) {
      anti_entropy_collaborators with;
      with.trees = {nodes[m].trees};
      with.shards = {nodes[m].shard->handle};
      with.replicas = {nodes[m].replica};
      config.seed = m + 1;
      nodes[m].aut = keep(sys.spawn(anti_entropy, config,
                                    node_context_ptr{nodes[m].context}, with));
      nodes[m].link = keep(sys.spawn([this, m](exchange_link_actor::pointer s) {
        return play_link(s, m);
      }));
    }
    sched.run();
    connect();
  }
  exchange_link_actor::behavior_type
  play_link(exchange_link_actor::pointer self, core::member_index from) {
    return {
      [this, self, from](const replica_ops& ops) {
        auto& n = nodes[from];
        auto& peer = nodes[1 - from];
        n.records_over_link += ops.ops.size();
        self->send(ops.from, do_ops(peer.records, ops, node_index(1 - from)));
      },
      [](epoch_atom, const view_ptr&) {},
      [this, self, from](const exchange_frame& frame) {
        nodes[from].frames.push_back(frame);
        if (!swallows)
          self->send(nodes[1 - from].aut,
                     exchange_frame{from, frame.kind, frame.message});
      },
    };
  }
  static core::member_index node_index(int m) {
    return static_cast<core::member_index>(m);
  }
  void connect() {
    for (core::member_index m = 0; m < 2; ++m)
      tell(nodes[m].aut, peer_up_atom::value, node_index(1 - m), nodes[m].link);
  }
  void disconnect() {
    for (core::member_index m = 0; m < 2; ++m)
      tell(nodes[m].aut, peer_down_atom::value, node_index(1 - m));
  }
  void run_ms(uint64_t ms) {
    for (uint64_t passed = 0; passed < ms; passed += 50) {
      pass_ms(50);
      for (auto& n : nodes)
        tell(n.aut, tick_atom::value);
    }
  }
  wire::RepairReply repair(uint64_t run, uint32_t first = 0,
                           uint32_t last = 16383) {
    wire::RepairRequest in;
    in.set_run(run);
    in.set_first_slot(first);
    in.set_last_slot(last);
    wire::RepairReply result;
    caf::scoped_actor asker{sys};
    asker->send(nodes[0].aut, in);
    sched.run();
    asker->receive([&](const wire::RepairReply& reply) {
      result = reply;
    });
    return result;
  }
  bool equal() const {
    return versions(0) == versions(1);
  }
  std::map<std::string, uint64_t> versions(size_t m) const {
    std::map<std::string, uint64_t> result;
    for (const auto& row : nodes[m].records.rows)
      result[row.first] = nodes[m].records.version_of(row.first);
    return result;
  }
  size_t asks(size_t m) const {
    return static_cast<size_t>(std::count_if(
      nodes[m].frames.begin(), nodes[m].frames.end(), [](const auto& f) {
        return f.kind == frame_kind::exchange_ask;
      }));
  }
  exchange_ask first_ask(size_t m) const {
    CAF_REQUIRE(!nodes[m].frames.empty());
    auto ask = parse_exchange_ask(nodes[m].frames[0].message);
    CAF_REQUIRE(ask);
    return *ask;
  }
  /// As if node 1 said this to node 0.
  void say(frame_kind kind, std::string message) {
    tell(nodes[0].aut, exchange_frame{1, kind, std::move(message)});
  }
  exchange_answer last_answer() const {
    CAF_REQUIRE(!nodes[0].frames.empty());
    auto answer = parse_exchange_answer(nodes[0].frames.back().message);
    CAF_REQUIRE(answer);
    return *answer;
  }
  core::dot fresh(core::incarnation who) {
    return {who, ++counter};
  }

  anti_entropy_config config;
  std::array<played_node, 2> nodes;
  uint32_t group = 0;
  uint64_t counter = 0;
  bool swallows = false;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(anti_entropy_tests, fixture)

CAF_TEST(replicas become equal in time and both nodes know since when) {
  for (int i = 0; i < 30; ++i) {
    nodes[0].records.put("a" + std::to_string(i), fresh(1));
    nodes[1].records.put("b" + std::to_string(i), fresh(2));
    nodes[i % 2].records.put("both", fresh(1 + i % 2), false);
  }
  auto before = now_us;
  start();
  run_ms(2 * config.interval_ms);
  CAF_CHECK(equal());
  CAF_CHECK_EQUAL(nodes[0].records.rows.size(), 61u);
  const auto& c = nodes[0].context->counters;
  CAF_CHECK_EQUAL(c.exchange_sent + c.exchange_fetched, 62u);
  for (size_t m = 0; m < 2; ++m) {
    const auto& gauge = nodes[m].context->peers[1 - m];
    CAF_CHECK(gauge.shares_slots);
    CAF_CHECK(gauge.compared_us >= before - 1'000'000);
    CAF_CHECK(gauge.compared_us < now_us);
  }
  // Of the two, one begins.
  CAF_CHECK(asks(0) > 0);
  CAF_CHECK_EQUAL(asks(1), 0u);
}

CAF_TEST(equal replicas cost a few messages an interval) {
  for (int i = 0; i < 30; ++i) {
    nodes[0].records.put("a" + std::to_string(i), fresh(1));
    nodes[1].records = nodes[0].records;
  }
  start();
  run_ms(config.interval_ms);
  // Of each of two groups: the wish to begin, and the sums.
  CAF_CHECK_EQUAL(asks(0), 4u);
  CAF_CHECK_EQUAL(nodes[0].context->counters.exchanges.load(), 2u);
  CAF_CHECK_EQUAL(nodes[0].records_over_link, 0u);
}

CAF_TEST(an exchange that loses its link begins again when it is back) {
  nodes[1].records.put("k", fresh(2));
  start();
  swallows = true;
  run_ms(config.interval_ms);
  auto before = asks(0);
  CAF_CHECK(before > 0);
  disconnect();
  swallows = false;
  run_ms(config.interval_ms);
  CAF_CHECK_EQUAL(asks(0), before);
  connect();
  run_ms(config.interval_ms + config.retry_ms);
  CAF_CHECK(equal());
}

CAF_TEST(answers of another exchange count for nothing) {
  start();
  swallows = true;
  while (asks(0) == 0)
    run_ms(50);
  exchange_answer stale;
  stale.exchange = first_ask(0).exchange + 2;
  stale.tree_number = tree_number;
  say(frame_kind::exchange_answer, covey::serialize(stale));
  CAF_CHECK_EQUAL(asks(0), 1u);
  stale.exchange -= 2;
  say(frame_kind::exchange_answer, covey::serialize(stale));
  CAF_CHECK(asks(0) > 1);
}

CAF_TEST(trees of another number are not compared) {
  start();
  swallows = true;
  while (asks(0) == 0)
    run_ms(50);
  exchange_answer other;
  other.exchange = first_ask(0).exchange;
  other.tree_number = tree_number + 1;
  say(frame_kind::exchange_answer, covey::serialize(other));
  CAF_CHECK_EQUAL(asks(0), 1u);
}

CAF_TEST(questions of an exchange that was not begun here are refused) {
  start();
  exchange_ask ask;
  ask.exchange = 5;
  ask.question.ranges = {{0, 100}};
  say(frame_kind::exchange_ask, covey::serialize(ask));
  CAF_CHECK(last_answer().code == errc::unavailable);
  ask.begins = true;
  ask.group = group;
  ask.epoch = view->id();
  say(frame_kind::exchange_ask, covey::serialize(ask));
  CAF_CHECK(last_answer().code == errc::none);
  CAF_CHECK_EQUAL(last_answer().tree_number, tree_number);
  ask.begins = false;
  say(frame_kind::exchange_ask, covey::serialize(ask));
  CAF_CHECK(last_answer().code == errc::none);
  CAF_CHECK_EQUAL(last_answer().answer.roots.size(), 1u);
  // A later exchange of the peer takes its place, and silence ends it.
  ask.exchange = 6;
  say(frame_kind::exchange_ask, covey::serialize(ask));
  CAF_CHECK(last_answer().code == errc::unavailable);
  ask.exchange = 5;
  pass_ms(config.session_ms);
  tell(nodes[0].aut, tick_atom::value);
  say(frame_kind::exchange_ask, covey::serialize(ask));
  CAF_CHECK(last_answer().code == errc::unavailable);
}

CAF_TEST(who lives in another epoch or asks for another group is refused) {
  start();
  exchange_ask ask;
  ask.exchange = 5;
  ask.begins = true;
  ask.group = group;
  ask.epoch = {1, 2};
  say(frame_kind::exchange_ask, covey::serialize(ask));
  CAF_CHECK(last_answer().code == errc::stale_epoch);
  ask.epoch = {1, 1};
  ask.group = group + 1;
  say(frame_kind::exchange_ask, covey::serialize(ask));
  CAF_CHECK(last_answer().code == errc::unknown_keyspace);
}

CAF_TEST(more exchanges than may be are told to come later) {
  config.max_sessions = 0;
  nodes[1].records.put("k", fresh(2));
  start();
  run_ms(config.interval_ms + 100);
  auto first = asks(0);
  CAF_CHECK(first > 0);
  run_ms(config.retry_ms + 100);
  CAF_CHECK(asks(0) > first);
  CAF_CHECK(!equal());
}

CAF_TEST(malformed messages are dropped) {
  start();
  for (auto kind : {frame_kind::exchange_ask, frame_kind::exchange_answer,
                    frame_kind::exchange_end})
    say(kind, "\xff\xff\xff");
  CAF_CHECK(nodes[0].frames.empty());
}

CAF_TEST(marked slots are compared out of turn and their marks removed) {
  config.interval_ms = 1'000'000;
  auto key = std::string{"k"};
  nodes[1].records.put(key, fresh(2));
  nodes[1].records.put("other", fresh(2));
  auto slot = core::slot_of(key, false);
  auto& shard = *nodes[1].shard;
  shard.marks.push_back({view->at(0).id, group, slot});
  nodes[1].context->repair_marks = 1;
  start();
  run_ms(15'000);
  CAF_CHECK_EQUAL(nodes[0].records.rows.size(), 1u);
  CAF_CHECK_EQUAL(nodes[0].records.rows.count(key), 1u);
  CAF_REQUIRE_EQUAL(shard.unmarked.size(), 1u);
  CAF_CHECK_EQUAL(shard.unmarked[0].marks.size(), 1u);
  CAF_CHECK_EQUAL(shard.unmarked[0].marks[0].slot, slot);
  CAF_CHECK(shard.unmarked[0].before_us < now_us);
}

CAF_TEST(a client has slots repaired now and hears how far that is) {
  config.interval_ms = 1'000'000;
  nodes[0].records.put("mine", fresh(1));
  nodes[1].records.put("k", fresh(2));
  nodes[1].records.put("other", fresh(2));
  start();
  auto slot = core::slot_of("k", false);
  auto r = repair(7, slot, slot);
  CAF_CHECK_EQUAL(r.code(), 0u);
  CAF_CHECK(!r.done());
  for (int i = 0; i < 40 && !r.done(); ++i) {
    run_ms(50);
    r = repair(7, slot, slot);
  }
  CAF_CHECK(r.done());
  // The third member cannot be reached, in either group that has the slot.
  CAF_CHECK_EQUAL(r.fetched(), 1u);
  CAF_CHECK_EQUAL(r.sent(), 0u);
  CAF_CHECK_EQUAL(r.left(), 0u);
  CAF_CHECK(r.skipped_size() > 0);
  CAF_CHECK_EQUAL(r.skipped(0), "n3");
  CAF_CHECK(r.bytes() > 0);
  CAF_CHECK_EQUAL(nodes[0].records.rows.count("k"), 1u);
  CAF_CHECK_EQUAL(nodes[0].records.rows.count("other"), 0u);
  CAF_CHECK_EQUAL(nodes[1].records.rows.count("mine"), 0u);
}

CAF_TEST(a repair ends when its client has gone away) {
  config.interval_ms = 1'000'000;
  start();
  swallows = true;
  CAF_CHECK_EQUAL(repair(7).code(), 0u);
  CAF_CHECK_EQUAL(repair(8).code(), static_cast<uint32_t>(errc::overloaded));
  run_ms(config.command_patience_ms + 100);
  auto before = asks(0);
  CAF_CHECK_EQUAL(repair(8).code(), 0u);
  CAF_CHECK(asks(0) > before);
  CAF_CHECK_EQUAL(repair(9, 5, 4).code(),
                  static_cast<uint32_t>(errc::bad_message));
}

CAF_TEST(over its budget an exchange waits) {
  for (int i = 0; i < 200; ++i)
    nodes[1].records.put("k" + std::to_string(i), fresh(2));
  config.bytes_per_s = config.busy_bytes_per_s = 2'000;
  start();
  run_ms(2 * config.interval_ms);
  CAF_CHECK(!equal());
  // Each exchange takes longer than the interval; all have their turn.
  run_ms(40 * config.interval_ms);
  CAF_CHECK(equal());
}

CAF_TEST_FIXTURE_SCOPE_END()
