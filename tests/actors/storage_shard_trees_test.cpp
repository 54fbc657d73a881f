// The storage shard's Merkle trees: kept by every write, over every restart.

#define CAF_SUITE actors.storage_shard_trees

#include "storage/wiredtiger_engine.hpp"
#include "tests/actors/trees_fixture.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <cstdlib>
#include <random>
#include <set>

using namespace covey;

namespace {

constexpr uint16_t last_slot = 3;

struct fixture : test::trees_fixture {
  replica_op in_slot(replica_op op, uint16_t slot) {
    op.slot = slot;
    return op;
  }
  void put_in(uint16_t slot, const std::string& key) {
    ask({in_slot(operation(replica_verb::put, key, "v"), slot)});
    CAF_REQUIRE(!asker.answers.empty());
    CAF_REQUIRE(asker.answers[0].kind == answer_kind::committed);
  }
  void fill(uint16_t slot, size_t keys) {
    std::vector<replica_op> ops;
    for (size_t i = 0; i < keys; ++i)
      ops.push_back(in_slot(
        operation(replica_verb::put, "key " + std::to_string(i), "v"), slot));
    ask(std::move(ops));
    CAF_REQUIRE_EQUAL(asker.answers.size(), keys);
  }
  /// Until nothing is left to read.
  void finish() {
    for (auto i = 0; i < 1000 && unready() > 0; ++i)
      tick();
    CAF_REQUIRE_EQUAL(unready(), 0u);
  }
  std::string row_of(uint16_t slot) {
    auto session = config.engine->open_session();
    std::string_view value;
    auto found = session->get(storage::system_table,
                              storage::tree_row(0, group(), slot), value);
    return found == storage::status::ok ? std::string{value} : "none";
  }
};

/// Random operations on a few hundred keys of four slots, most of them in one.
struct random_run : fixture {
  explicit random_run(uint64_t seed) : random(seed) {
    crash();
    forget_gauges();
    config.tree_rows_per_tick = 1 + random() % 40;
    start();
  }
  ~random_run() override {
    engine->fail_commits(0);
    engine->fail_reads(0);
  }
  replica_op random_op() {
    auto n = random() % 300;
    auto slot = static_cast<uint16_t>(n % 8 < 5 ? 0 : n % 8 - 4);
    auto key = "key " + std::to_string(n);
    auto merged = random() % 3 == 0;
    auto op = merged ? operation(replica_verb::write, key,
                                 foreign({1 + random() % 5, ++counter}))
                     : operation(replica_verb::put, key, "v");
    op.tombstone = !merged && random() % 4 == 0;
    if (!merged && random() % 2 == 0)
      op.request = {1, 1 + random() % 50};
    return in_slot(op, slot);
  }
  void write() {
    std::vector<replica_op> ops;
    for (auto n = 1 + random() % 40; n > 0; --n)
      ops.push_back(random_op());
    ask(std::move(ops));
  }
  void step() {
    switch (random() % 16) {
      case 0:
        engine->fail_commits(1);
        write();
        engine->fail_commits(0);
        break;
      case 1:
        engine->fail_reads(1);
        write();
        engine->fail_reads(0);
        break;
      case 2:
        restart(true);
        break;
      case 3:
        restart(false);
        break;
      case 4:
      case 5:
        flush_everything();
        break;
      case 6:
      case 7:
      case 8:
        tick();
        break;
      case 9:
        not_ready += check_trees(last_slot);
        break;
      default:
        write();
    }
  }

  std::mt19937_64 random;
  uint64_t counter = 0;
  size_t not_ready = 0;
};

} // namespace

CAF_TEST(
  after any writes and failures and restarts trees are those of the rows) {
  const auto* chosen = std::getenv("COVEY_SEED");
  auto first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
  auto last = chosen != nullptr ? first : 40;
  size_t not_ready = 0;
  std::set<uint8_t> depths;
  for (auto seed = first; seed <= last; ++seed) {
    CAF_MESSAGE("COVEY_SEED=" << seed);
    random_run run{seed};
    for (auto i = 0; i < 150; ++i)
      run.step();
    run.finish();
    CAF_CHECK_EQUAL(run.check_trees(last_slot), 0u);
    run.restart(true);
    CAF_CHECK_EQUAL(run.check_trees(last_slot), 0u);
    not_ready += run.not_ready;
    depths.insert(run.root(0).depth);
  }
  // The runs meet what they are for.
  if (chosen == nullptr) {
    CAF_CHECK(not_ready > 0);
    CAF_CHECK(depths.size() > 1);
  }
}

CAF_TEST_FIXTURE_SCOPE(storage_shard_trees_tests, fixture)

CAF_TEST(a slot that was never written is ready and empty) {
  auto x = root(16383);
  CAF_CHECK(x.ready);
  CAF_CHECK_EQUAL(x.sum, 0u);
  CAF_CHECK_EQUAL(x.keys, 0u);
  CAF_CHECK(leaves(16383, 0).ready);
  CAF_CHECK(!leaves(16383, 1).ready);
  CAF_CHECK_EQUAL(roots(0, 16383).size(), 16384u);
  CAF_CHECK_EQUAL(node->trees.bytes.load(), 0u);
}

CAF_TEST(a batch that fails leaves no trace) {
  put_in(1, "a");
  auto before = root(1);
  engine->fail_commits(1);
  ask({in_slot(operation(replica_verb::put, "a", "w"), 1),
       in_slot(operation(replica_verb::put, "b", "w"), 1),
       in_slot(operation(replica_verb::put, "c", "w"), 2)});
  CAF_CHECK_EQUAL(root(1).sum, before.sum);
  CAF_CHECK_EQUAL(root(1).keys, 1u);
  CAF_CHECK_EQUAL(root(2).keys, 0u);
  CAF_CHECK_EQUAL(row_of(2), "none");
  CAF_CHECK_EQUAL(node->trees.dirty.load(), 1u);
  put_in(2, "c");
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
  CAF_CHECK_EQUAL(node->trees.dirty.load(), 2u);
}

CAF_TEST(hints are no records of a tree) {
  auto op = in_slot(operation(replica_verb::hint, "k", foreign({7, 1})), 1);
  op.hint_for = view->at(1).id;
  ask({op});
  auto parked = in_slot(operation(replica_verb::put, "k", "v"), 1);
  parked.parked = true;
  parked.absent = {view->at(1).id};
  ask({parked});
  CAF_CHECK_EQUAL(root(1).keys, 0u);
}

CAF_TEST(groups do not share a tree) {
  put_in(1, "k");
  auto before = root(1);
  ask({in_slot(operation(replica_verb::put, "k", "v", "pair"), 1)});
  CAF_CHECK_EQUAL(root(1).sum, before.sum);
  auto pair = core::group_id(keyspace("pair").replication);
  auto other = ask_trees<roots_page>(roots_query{pair, 1, 1}).roots.at(0);
  CAF_CHECK_EQUAL(other.keys, 1u);
  CAF_CHECK_NOT_EQUAL(other.sum, before.sum);
}

CAF_TEST(the first write after a save marks its slot and no other does) {
  put_in(1, "a");
  put_in(2, "a");
  restart(true);
  auto saved = row_of(1);
  CAF_REQUIRE(saved.size() > 1);
  CAF_CHECK_EQUAL(node->trees.dirty.load(), 0u);
  put_in(1, "b");
  CAF_CHECK_EQUAL(row_of(1), std::string(1, '\0'));
  CAF_CHECK(row_of(2).size() > 1);
  auto commits = engine->unflushed();
  put_in(1, "c");
  CAF_CHECK_EQUAL(engine->unflushed(), commits + 1);
  CAF_CHECK_EQUAL(node->trees.dirty.load(), 1u);
}

CAF_TEST(after a crash only slots written since the save are read anew) {
  for (uint16_t slot = 0; slot <= last_slot; ++slot)
    fill(slot, 10);
  restart(true);
  put_in(2, "more");
  flush_everything();
  restart(false);
  CAF_CHECK_EQUAL(unready(), 1u);
  CAF_CHECK(!root(2).ready);
  CAF_CHECK_EQUAL(check_trees(last_slot), 1u);
  tick();
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
}

CAF_TEST(a write lost with its tail leaves the saved tree in force) {
  fill(1, 10);
  restart(true);
  auto before = root(1);
  put_in(1, "lost");
  restart(false);
  CAF_CHECK_EQUAL(unready(), 0u);
  CAF_CHECK_EQUAL(root(1).sum, before.sum);
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
}

CAF_TEST(writes on either side of where reading has come to count once) {
  fill(1, 10);
  flush_everything();
  config.tree_rows_per_tick = 4;
  restart(false);
  tick();
  CAF_CHECK(!root(1).ready);
  // Read already, not read yet, and both new and old.
  for (const auto* key : {"key 0", "key 9", "a", "z"})
    put_in(1, key);
  finish();
  CAF_CHECK_EQUAL(root(1).keys, 12u);
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
}

CAF_TEST(reading anew takes no more rows a tick than it may) {
  config.tree_rows_per_tick = 10;
  for (uint16_t slot = 0; slot <= last_slot; ++slot)
    fill(slot, 25);
  flush_everything();
  restart(false);
  auto ticks = 0;
  for (; unready() > 0 && ticks < 1000; ++ticks)
    tick();
  // Ten at most of a hundred rows; slots themselves count, too.
  CAF_CHECK(ticks >= 10);
  CAF_CHECK(ticks <= 20);
}

CAF_TEST(a tree that is outgrown is made anew beside the old one) {
  config.tree_rows_per_tick = 50;
  restart(true);
  fill(1, 128);
  CAF_CHECK_EQUAL(int{root(1).depth}, 0);
  put_in(1, "one more");
  auto sum = root(1).sum;
  for (auto i = 0; i < 5; ++i) {
    tick();
    CAF_CHECK(root(1).ready);
    put_in(1, "key " + std::to_string(i * 20));
    CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
  }
  CAF_CHECK_EQUAL(int{root(1).depth}, 2);
  CAF_CHECK_NOT_EQUAL(root(1).sum, sum);
  restart(true);
  CAF_CHECK_EQUAL(int{root(1).depth}, 2);
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
}

CAF_TEST(a store of an older version is read whole once) {
  for (uint16_t slot = 0; slot <= last_slot; ++slot)
    fill(slot, 10);
  CAF_REQUIRE(drain());
  crash();
  auto& rows = disk->durable[storage::system_table];
  for (auto i = rows.begin(); i != rows.end();)
    i = i->first.compare(0, 4, "tree") == 0 ? rows.erase(i) : std::next(i);
  forget_gauges();
  start();
  CAF_CHECK_EQUAL(unready(), last_slot + 1u);
  finish();
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
  restart(true);
  CAF_CHECK_EQUAL(unready(), 0u);
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
}

CAF_TEST(trees made with another function are not believed) {
  fill(1, 10);
  CAF_REQUIRE(drain());
  crash();
  disk->durable[storage::system_table][storage::trees_row(0)].back() = 99;
  forget_gauges();
  start();
  CAF_CHECK(!root(1).ready);
  finish();
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
}

CAF_TEST(what was written without trees is found by a start with them) {
  fill(1, 10);
  CAF_REQUIRE(drain());
  crash();
  config.trees = false;
  forget_gauges();
  start();
  put_in(1, "more");
  CAF_CHECK(!root(1).ready);
  CAF_CHECK(!root(2).ready);
  CAF_CHECK(!leaves(1, 0).ready);
  CAF_REQUIRE(drain());
  crash();
  config.trees = true;
  start();
  CAF_CHECK(!root(1).ready);
  CAF_CHECK(root(2).ready);
  finish();
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
}

CAF_TEST(a slot with a record that cannot be decoded is never ready) {
  fill(1, 10);
  fill(2, 10);
  flush_everything();
  crash();
  auto key
    = storage::record_key(group(), 1, core::keyspace_id("default"), "key 5");
  disk->durable[0].at(key) = "no record";
  forget_gauges();
  start();
  tick(100);
  CAF_CHECK(!root(1).ready);
  CAF_CHECK(root(2).ready);
  restart(true);
  tick(100);
  CAF_CHECK(!root(1).ready);
  CAF_CHECK_EQUAL(unready(), 1u);
}

CAF_TEST(a million keys take less than eight megabytes) {
  // A thousandth of the keys in a thousandth of the slots.
  constexpr uint16_t slots = 16;
  fill(0, 1);
  auto table = node->trees.bytes.load();
  for (uint16_t slot = 0; slot < slots; ++slot)
    fill(slot, 61);
  auto grown = node->trees.bytes.load() - table;
  CAF_MESSAGE(table << " bytes, and " << grown << " for " << slots << " slots");
  CAF_CHECK(table + grown * (16384 / slots) < (8u << 20) / 2);
}

CAF_TEST(restarts on a real store keep the trees) {
  crash();
  forget_gauges();
  storage::test::temporary_directory directory;
  storage::wiredtiger_options options;
  options.directory = directory.path();
  options.cache_mb = 16;
  options.min_free_mb = 1;
  std::unique_ptr<storage::engine> real;
  auto open = [&] {
    std::string error;
    real = storage::open_wiredtiger(options, error);
    CAF_REQUIRE_EQUAL(error, "");
    config.engine = real.get();
    ++config.seed;
    shard = keep(
      sys.spawn(storage_shard, config, node_context_ptr{node}, flusher.handle));
    sched.run();
  };
  auto close = [&] {
    crash();
    real.reset();
    forget_gauges();
  };
  open();
  fill(1, 200);
  fill(2, 10);
  tick();
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
  CAF_REQUIRE(drain());
  close();
  open();
  CAF_CHECK_EQUAL(unready(), 0u);
  CAF_CHECK_EQUAL(root(1).keys, 200u);
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
  put_in(2, "more");
  flush_everything();
  close();
  open();
  CAF_CHECK(root(1).ready);
  CAF_CHECK(!root(2).ready);
  finish();
  CAF_CHECK_EQUAL(root(2).keys, 11u);
  CAF_CHECK_EQUAL(check_trees(last_slot), 0u);
  close();
}

CAF_TEST_FIXTURE_SCOPE_END()
