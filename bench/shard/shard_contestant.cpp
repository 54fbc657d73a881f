#include "bench/shard/shard_contestant.hpp"

#include "actors/flusher.hpp"
#include "actors/storage_shard.hpp"
#include "bench/executor.hpp"
#include "bench/key_space.hpp"
#include "bench/shard/contest_epoch.hpp"
#include "core/check.hpp"
#include "core/slot.hpp"
#include "messages/registration.hpp"
#include "runtime/wiring.hpp"

#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>

namespace covey::bench {

namespace {

/// As a node sets it up.
struct caf_settings : system_config {
  caf_settings() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
  }
};

uint64_t wall_us() {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch())
      .count());
}

/// What the driver draws puts from: the number of the next key, or nothing.
using number_source = std::function<std::optional<uint64_t>()>;

struct driver_state {
  number_source next;
  value_source* values = nullptr;
  storage_shard_actor shard;
  random_source ids;
  size_t in_flight = 0;
  uint64_t durable = 0;
  std::promise<uint64_t> done;

  static inline constexpr const char* name = "driver";

  std::vector<replica_op> make(size_t count);
};

replica_op make_put(uint64_t number, value_source& values, random_source& ids) {
  replica_op op;
  op.verb = replica_verb::put;
  op.id = number;
  op.epoch = {1, 1};
  op.deadline_us = wall_us() + 60'000'000;
  op.keyspace = core::keyspace_id(contest_keyspace);
  op.key = key_of(number);
  op.slot = core::slot_of(op.key, false);
  op.bytes = values.next();
  // As every client of the library gives one.
  op.request = {ids(), ids()};
  return op;
}

std::vector<replica_op> driver_state::make(size_t count) {
  std::vector<replica_op> result;
  while (result.size() < count) {
    auto number = next();
    if (!number)
      break;
    result.push_back(make_put(*number, *values, ids));
  }
  in_flight += result.size();
  return result;
}

using driver_pointer = replica_asker_actor::stateful_pointer<driver_state>;

/// Keeps puts under way until `next` has none left and all are on disk.
replica_asker_actor::behavior_type
driver(driver_pointer self, const storage_shard_actor& shard,
       value_source* values, const number_source& next, size_t in_flight,
       uint64_t seed, std::promise<uint64_t>* done) {
  auto& st = self->state;
  st.next = next;
  st.values = values;
  st.shard = shard;
  st.ids.seed(seed);
  st.done = std::move(*done);
  self->send(shard, replica_ops{self, st.make(in_flight)});
  return {[&st, self](const replica_answers& in) {
    size_t durable = 0;
    for (const auto& answer : in.answers) {
      COVEY_CHECK(answer.kind != answer_kind::failed);
      durable += answer.kind == answer_kind::durable ? 1 : 0;
    }
    st.durable += durable;
    st.in_flight -= durable;
    auto more = st.make(durable);
    if (!more.empty())
      self->send(st.shard, replica_ops{self, std::move(more)});
    else if (st.in_flight == 0 && durable > 0) {
      st.done.set_value(st.durable);
      self->quit();
    }
  }};
}

std::unique_ptr<storage::engine>
open_store(const storage::wiredtiger_options& options) {
  std::string error;
  auto result = storage::open_wiredtiger(options, error);
  if (!result) {
    std::fprintf(stderr, "covey_shard_ratio: %s\n", error.c_str());
    std::exit(1);
  }
  return result;
}

} // namespace

struct shard_contestant::impl {
  impl(const contest& given, const storage::wiredtiger_options& store,
       const shard_contestant::settings& how)
    : what(given), values({given.value_size, false, given.seed}), series(given),
      engine(open_store(store)), sys(system_settings),
      node(runtime::make_node_context(
        std::make_shared<const core::cluster_view>(make_contest_epoch()), 0,
        1)) {
    node->wall_us = wall_us;
    node->log = spdlog::default_logger();
    flusher_config flushing;
    flushing.engine = engine.get();
    flusher = sys.spawn<caf::detached>(covey::flusher, flushing,
                                       node_context_ptr{node});
    storage_shard_config config;
    config.engine = engine.get();
    config.seed = given.seed;
    config.trees = how.trees;
    shard
      = how.detached
          ? sys.spawn<caf::detached>(storage_shard, config,
                                     node_context_ptr{node}, flusher)
          : sys.spawn(storage_shard, config, node_context_ptr{node}, flusher);
  }

  ~impl() {
    caf::scoped_actor self{sys};
    self->send_exit(shard, caf::exit_reason::user_shutdown);
    self->wait_for(shard);
    self->send_exit(flusher, caf::exit_reason::user_shutdown);
    self->wait_for(flusher);
  }

  uint64_t drive(const number_source& next, size_t in_flight) {
    std::promise<uint64_t> done;
    auto result = done.get_future();
    sys.spawn(driver, shard, &values, next, in_flight, ++runs, &done);
    return result.get();
  }

  contest what;
  value_source values;
  key_series series;
  std::unique_ptr<storage::engine> engine;
  caf_settings system_settings;
  caf::actor_system sys;
  std::shared_ptr<node_context> node;
  flusher_actor flusher;
  storage_shard_actor shard;
  uint64_t runs = 0;
};

shard_contestant::shard_contestant(const contest& what,
                                   const storage::wiredtiger_options& store,
                                   const settings& how)
  : impl_(new impl(what, store, how)) {}

shard_contestant::~shard_contestant() = default;

void shard_contestant::fill(uint32_t rounds) {
  auto end = impl_->what.keys * rounds;
  impl_->drive(
    [n = uint64_t{0}, end,
     keys = impl_->what.keys]() mutable -> std::optional<uint64_t> {
      if (n == end)
        return std::nullopt;
      return n++ % keys;
    },
    1024);
}

result shard_contestant::run(std::chrono::milliseconds duration) {
  using clock = std::chrono::steady_clock;
  stopwatch watch;
  auto end = clock::now() + duration;
  auto durable = impl_->drive(
    [this, end]() -> std::optional<uint64_t> {
      if (clock::now() >= end)
        return std::nullopt;
      return impl_->series.next();
    },
    impl_->what.in_flight);
  return watch.stop(durable);
}

size_t shard_contestant::record_size() {
  auto session = impl_->engine->open_session();
  std::string_view value;
  auto found = session->get(0, stored_key(key_of(0)), value);
  COVEY_CHECK(found == storage::status::ok);
  return value.size();
}

} // namespace covey::bench
