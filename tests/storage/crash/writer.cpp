#include "tests/storage/crash/writer.hpp"

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "storage/layout.hpp"
#include "tests/storage/crash/workload.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace covey::storage::crash {

namespace {

/// Commits of a shard that may wait for the flusher.
constexpr uint64_t max_outstanding = 200;

/// Where the shards' threads and the flusher meet.
struct progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<uint64_t> committed;
  std::vector<uint64_t> flushed;
};

std::string encode_sequence(uint64_t sequence) {
  std::string result;
  core::byte_writer{result}.u64(sequence);
  return result;
}

void write_one(session& to, uint32_t shard, uint64_t sequence) {
  auto x = operation_of(shard, sequence);
  auto mirror = mirror_row(shard, x.key);
  COVEY_CHECK(to.begin() == status::ok);
  if (x.removal) {
    to.remove(shard, x.key);
    to.remove(system_table, mirror);
  } else {
    to.put(shard, x.key, x.value);
    to.put(system_table, mirror, std::to_string(sequence));
  }
  to.put(system_table, sequence_row(shard), encode_sequence(sequence));
  COVEY_CHECK(to.commit() == status::ok);
}

void write_shard(engine& store, progress& state, uint32_t shard) {
  auto session = store.open_session();
  for (;;) {
    uint64_t sequence = 0;
    {
      std::unique_lock<std::mutex> lock{state.mutex};
      state.changed.wait(lock, [&] {
        return state.committed[shard] < state.flushed[shard] + max_outstanding;
      });
      sequence = state.committed[shard] + 1;
    }
    write_one(*session, shard, sequence);
    std::lock_guard<std::mutex> lock{state.mutex};
    state.committed[shard] = sequence;
    state.changed.notify_all();
  }
}

void acknowledge(const std::vector<uint64_t>& sequences, int out) {
  for (size_t shard = 0; shard < sequences.size(); ++shard) {
    acknowledgement x{shard, sequences[shard]};
    COVEY_CHECK(::write(out, &x, sizeof(x)) == sizeof(x));
  }
}

uint64_t now_ms() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void flush_all(data_directory& directory, progress& state,
               const writer_options& options, int out) {
  for (;;) {
    std::vector<uint64_t> batch;
    {
      std::unique_lock<std::mutex> lock{state.mutex};
      state.changed.wait(lock, [&] {
        return state.committed != state.flushed;
      });
      batch = state.committed;
    }
    if (options.acknowledge_early)
      acknowledge(batch, out);
    if (directory.engine().flush())
      directory.note_flushed(batch, now_ms());
    if (!options.acknowledge_early)
      acknowledge(batch, out);
    std::lock_guard<std::mutex> lock{state.mutex};
    state.flushed = std::move(batch);
    state.changed.notify_all();
  }
}

} // namespace

directory_options common_options(const std::string& directory) {
  directory_options result;
  result.engine.directory = directory;
  result.engine.shards = shards;
  result.engine.cache_mb = 32;
  // Short logs and frequent checkpoints: crashes hit switches and archiving.
  result.engine.log_file_mb = 2;
  result.engine.checkpoint_log_mb = 4;
  result.engine.checkpoint_interval_s = 1;
  result.engine.min_free_mb = 0;
  result.member = {7, 7};
  result.now_s = 1;
  return result;
}

uint64_t last_commit(session& from, uint32_t shard) {
  std::string_view value;
  auto code = from.get(system_table, sequence_row(shard), value);
  COVEY_CHECK(code == status::ok || code == status::not_found);
  return code == status::ok ? core::byte_reader{value}.u64() : 0;
}

int run_writer(const writer_options& options, int out) {
  std::string error;
  auto directory = data_directory::open(options.directory, error);
  if (!directory) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  progress state;
  {
    auto session = directory->engine().open_session();
    for (uint32_t shard = 0; shard < shards; ++shard)
      state.committed.push_back(last_commit(*session, shard));
  }
  state.flushed = state.committed;
  std::vector<std::thread> threads;
  for (uint32_t shard = 0; shard < shards; ++shard)
    threads.emplace_back([&state, &directory, shard] {
      write_shard(directory->engine(), state, shard);
    });
  flush_all(*directory, state, options, out);
  return 1;
}

} // namespace covey::storage::crash
