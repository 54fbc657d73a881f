#define CAF_SUITE actors.flusher

#include "actors/flusher.hpp"
#include "storage/memory_engine.hpp"
#include "tests/actors/fixture.hpp"

using namespace covey;

namespace {

/// Counts, and says whether a flush reaches the disk.
struct counting_engine : storage::memory_engine {
  counting_engine() : memory_engine(std::make_shared<storage::memory_disk>()) {}
  bool flush() override {
    ++flushes;
    memory_engine::flush();
    return on_disk;
  }
  int flushes = 0;
  bool on_disk = true;
};

struct fixture : test::node_fixture {
  fixture() {
    become(0, 2);
    config.engine = &engine;
    config.flushed = [this](const std::vector<uint64_t>& sequences) {
      noted.push_back(sequences);
    };
    aut = keep(sys.spawn(flusher, config, node_context_ptr{node}));
    sched.run();
  }
  void wish(const test::played_shard& from, uint32_t shard, uint64_t sequence) {
    queue_as(from.handle, aut, flush_atom::value, shard, sequence);
  }

  counting_engine engine;
  flusher_config config;
  std::vector<std::vector<uint64_t>> noted;
  test::played_shard& first = play_shard();
  test::played_shard& second = play_shard();
  flusher_actor aut;
};

using sequences = std::vector<uint64_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(flusher_tests, fixture)

CAF_TEST(a shard is told how far it is on disk) {
  wish(first, 0, 5);
  sched.run();
  CAF_CHECK_EQUAL(first.flushed, sequences{5});
  CAF_CHECK_EQUAL(engine.flushes, 1);
  CAF_CHECK(second.flushed.empty());
}

CAF_TEST(one flush serves all shards that wait) {
  wish(first, 0, 5);
  wish(second, 1, 8);
  wish(first, 0, 6);
  sched.run();
  CAF_CHECK_EQUAL(engine.flushes, 1);
  CAF_CHECK_EQUAL(first.flushed, sequences{6});
  CAF_CHECK_EQUAL(second.flushed, sequences{8});
}

CAF_TEST(a shard whose commits are on disk is not told again) {
  wish(first, 0, 5);
  sched.run();
  wish(second, 1, 8);
  sched.run();
  CAF_CHECK_EQUAL(engine.flushes, 2);
  CAF_CHECK_EQUAL(first.flushed, sequences{5});
  CAF_CHECK_EQUAL(second.flushed, sequences{8});
}

CAF_TEST(a wish that an earlier flush has covered costs no flush) {
  wish(first, 0, 5);
  sched.run();
  wish(first, 0, 5);
  sched.run();
  CAF_CHECK_EQUAL(engine.flushes, 1);
}

CAF_TEST(after each flush it is noted how far each shard is on disk) {
  wish(first, 0, 5);
  sched.run();
  wish(second, 1, 8);
  sched.run();
  CAF_REQUIRE_EQUAL(noted.size(), 2u);
  CAF_CHECK_EQUAL(noted[0], (sequences{5, 0}));
  CAF_CHECK_EQUAL(noted[1], (sequences{5, 8}));
}

CAF_TEST(what is only in the log is acknowledged and not noted as on disk) {
  engine.on_disk = false;
  wish(first, 0, 5);
  sched.run();
  CAF_CHECK_EQUAL(first.flushed, sequences{5});
  CAF_CHECK(noted.empty());
}

CAF_TEST(flushes are counted and so are writes but those of earlier runs) {
  wish(first, 0, 5);
  wish(second, 1, 8);
  sched.run();
  CAF_CHECK_EQUAL(node->counters.flushes, 1u);
  CAF_CHECK_EQUAL(node->counters.flushed_writes, 2u);
  wish(first, 0, 9);
  sched.run();
  CAF_CHECK_EQUAL(node->counters.flushes, 2u);
  CAF_CHECK_EQUAL(node->counters.flushed_writes, 6u);
}

CAF_TEST(the statistics are those of the engine) {
  auto reply = self->request(aut, caf::infinite, stats_atom::value);
  sched.run();
  reply.receive(
    [&](const statistic_list& list) {
      CAF_CHECK(list.values == engine.read_statistics());
    },
    [&](const caf::error& err) {
      CAF_FAIL(sys.render(err));
    });
}

CAF_TEST_FIXTURE_SCOPE_END()
