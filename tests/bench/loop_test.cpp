#define CAF_SUITE bench.loop

#include "bench/phase.hpp"

#include <caf/test/unit_test.hpp>

#include <chrono>
#include <thread>

using namespace covey;
using namespace covey::bench;
using namespace std::chrono_literals;

namespace {

using callback = std::function<void(const answer&)>;

/// A cluster that answers when the test says so.
struct fixture {
  lane::performer perform() {
    return [this](const operation& what, callback done) {
      std::lock_guard<std::mutex> guard{mutex};
      asked.push_back(what.key);
      waiting.push_back(std::move(done));
    };
  }

  lanes one_lane(uint64_t operations) {
    lanes result;
    result.push_back(std::make_unique<lane>(
      perform(), keys,
      [operations, next = uint64_t{0}]() mutable -> std::optional<operation> {
        if (next == operations)
          return std::nullopt;
        return operation{op_kind::read, next++, 0};
      }));
    return result;
  }

  size_t pending() {
    std::lock_guard<std::mutex> guard{mutex};
    return waiting.size();
  }

  void reply(const answer& a) {
    callback done;
    {
      std::lock_guard<std::mutex> guard{mutex};
      CAF_REQUIRE(!waiting.empty());
      done = std::move(waiting.front());
      waiting.pop_front();
    }
    done(a);
  }

  template <class Condition>
  void wait_for(Condition met) {
    auto limit = bench_clock::now() + 60s;
    while (!met() && bench_clock::now() < limit)
      std::this_thread::yield();
    CAF_REQUIRE(met());
  }

  key_space keys{100};
  std::mutex mutex;
  std::vector<uint64_t> asked;
  std::deque<callback> waiting;
};

answer failure() {
  answer result;
  result.code = errc::overloaded;
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(loop_tests, fixture)

CAF_TEST(each client of a closed loop has one operation under way) {
  closed_loop x{one_lane(1000), 3};
  x.begin();
  CAF_CHECK_EQUAL(pending(), 3u);
  reply({});
  reply({});
  CAF_CHECK_EQUAL(pending(), 3u);
  CAF_CHECK_EQUAL(x.in_flight(), 3u);
  CAF_CHECK_EQUAL(x.take().succeeded(), 2u);
  CAF_CHECK_EQUAL(x.take().succeeded(), 0u);
}

CAF_TEST(a client whose operation failed waits for the tick) {
  closed_loop x{one_lane(1000), 2};
  x.begin();
  reply(failure());
  CAF_CHECK_EQUAL(pending(), 1u);
  x.tick();
  CAF_CHECK_EQUAL(pending(), 2u);
  x.tick();
  CAF_CHECK_EQUAL(pending(), 2u);
  auto told = x.take();
  CAF_CHECK_EQUAL(told.errors[errc::overloaded], 1u);
  CAF_CHECK_EQUAL(told.error_count(), 1u);
  CAF_CHECK_EQUAL(told.succeeded(), 0u);
}

CAF_TEST(a loop that has ended starts nothing) {
  closed_loop x{one_lane(1000), 2};
  x.begin();
  reply(failure());
  x.end();
  reply({});
  x.tick();
  CAF_CHECK_EQUAL(x.in_flight(), 0u);
  CAF_CHECK_EQUAL(asked.size(), 2u);
}

CAF_TEST(a closed loop does each operation once and is exhausted then) {
  closed_loop x{one_lane(5), 2};
  x.begin();
  while (pending() > 0) {
    CAF_CHECK(!x.exhausted() || x.in_flight() > 0);
    reply({});
  }
  CAF_CHECK(x.exhausted());
  CAF_CHECK_EQUAL(x.in_flight(), 0u);
  CAF_CHECK(asked == (std::vector<uint64_t>{0, 1, 2, 3, 4}));
}

CAF_TEST(in an open loop a stall is seen by all that were to start in it) {
  open_loop x{one_lane(1'000'000), 1000, 2};
  auto start = bench_clock::now();
  x.begin();
  // Nothing is answered for a fifth of a second: two are sent, no more.
  wait_for([&] {
    return bench_clock::now() - start > 200ms;
  });
  wait_for([this] {
    return pending() == 2;
  });
  // Their room goes to the next two, which count from when they were to start.
  reply({});
  reply({});
  wait_for([this] {
    return pending() == 2;
  });
  reply({});
  reply({});
  x.end();
  while (pending() > 0)
    reply({});
  auto told = x.take();
  CAF_CHECK(told.succeeded() >= 4);
  CAF_CHECK(told.all().quantile(0.01) >= 150'000'000);
  CAF_CHECK(told.late.max() >= 150'000'000);
  // The others of that time could not be sent, and are told.
  CAF_CHECK(told.not_sent >= 190);
  CAF_CHECK_EQUAL(told.failed.count(), told.not_sent);
  CAF_CHECK(told.failed.max() >= 150'000'000);
}

CAF_TEST(an open loop with room for all leaves nothing out) {
  lanes xs;
  xs.push_back(std::make_unique<lane>(
    [](const operation&, callback done) {
      done({});
    },
    keys,
    [] {
      return operation{};
    }));
  open_loop x{std::move(xs), 20'000, 1'000'000};
  phase_plan plan;
  plan.duration = 1s;
  auto told = run_phase(x, plan).total;
  CAF_CHECK_EQUAL(told.error_count(), 0u);
  CAF_CHECK(told.succeeded() >= 20'000);
  CAF_CHECK_EQUAL(told.late.count(), told.succeeded());
}

CAF_TEST(a phase ends when its operations do) {
  lanes xs;
  xs.push_back(std::make_unique<lane>(
    [](const operation&, callback done) {
      done({});
    },
    keys,
    [n = 0]() mutable -> std::optional<operation> {
      if (++n > 3)
        return std::nullopt;
      return operation{};
    }));
  closed_loop x{std::move(xs), 1};
  phase_plan plan;
  plan.patience = 60s;
  auto result = run_phase(x, plan);
  CAF_CHECK_EQUAL(result.total.succeeded(), 3u);
  CAF_CHECK_EQUAL(result.in_time, 3u);
  CAF_CHECK_EQUAL(result.unanswered, 0u);
  CAF_CHECK(!result.interrupted);
}

CAF_TEST(what is never answered is told) {
  std::atomic<bool> interrupted{true};
  closed_loop x{one_lane(10), 4};
  phase_plan plan;
  plan.interrupted = &interrupted;
  auto result = run_phase(x, plan);
  CAF_CHECK(result.interrupted);
  CAF_CHECK_EQUAL(result.unanswered, 4u);
}

CAF_TEST_FIXTURE_SCOPE_END()
