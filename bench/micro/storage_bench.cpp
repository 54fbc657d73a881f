// What the engine costs: reads, writes and flushes on WiredTiger, in cache.

#include "bench/distributions.hpp"
#include "bench/key_space.hpp"
#include "storage/wiredtiger_engine.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace {

using namespace covey::bench;
using namespace covey::storage;

constexpr uint64_t keys = 50'000;
constexpr size_t row_bytes = 350;

/// One store for all, in TMPDIR; opened by the first that needs it.
class store {
public:
  static store& instance() {
    static store the_one;
    return the_one;
  }
  ~store() {
    session_.reset();
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  session& rows() {
    return *session_;
  }
  engine& disk() {
    return *engine_;
  }
  std::string random_key() {
    return key_of(uniform_below(random_, keys));
  }
  const std::string& row() const {
    return row_;
  }

private:
  store() : row_(row_bytes, 'r') {
    path_ = (std::filesystem::temp_directory_path() / "covey-micro-XXXXXX")
              .string();
    if (::mkdtemp(path_.data()) == nullptr)
      throw std::runtime_error("cannot create " + path_);
    wiredtiger_options options;
    options.directory = path_;
    std::string error;
    engine_ = open_wiredtiger(options, error);
    if (!engine_)
      throw std::runtime_error(error);
    session_ = engine_->open_session();
    for (uint64_t i = 0; i < keys; ++i) {
      session_->begin();
      session_->put(0, key_of(i), row_);
      session_->commit();
    }
    engine_->flush();
  }

  std::string path_;
  std::string row_;
  random_source random_{1};
  std::unique_ptr<engine> engine_;
  std::unique_ptr<session> session_;
};

void check(benchmark::State& state, status x) {
  if (x != status::ok)
    state.SkipWithError(to_string(x));
}

void engine_get(benchmark::State& state) {
  auto& s = store::instance();
  std::string_view value;
  for (auto _ : state)
    check(state, s.rows().get(0, s.random_key(), value));
}
BENCHMARK(engine_get);

/// Reads and overwrites `range` rows in one transaction, and flushes if
/// `range(1)`. Time is per transaction, items are rows.
void engine_read_and_write(benchmark::State& state) {
  auto& s = store::instance();
  std::string_view value;
  for (auto _ : state) {
    check(state, s.rows().begin());
    for (int64_t i = 0; i < state.range(0); ++i) {
      auto key = s.random_key();
      check(state, s.rows().get(0, key, value));
      check(state, s.rows().put(0, key, s.row()));
    }
    check(state, s.rows().commit());
    if (state.range(1) != 0)
      s.disk().flush();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(engine_read_and_write)
  ->ArgNames({"rows", "flush"})
  ->ArgsProduct({{1, 64}, {0, 1}})
  ->UseRealTime();

void engine_scan_1000(benchmark::State& state) {
  auto& s = store::instance();
  for (auto _ : state) {
    size_t left = 1000;
    check(state, s.rows().scan(0, s.random_key(), {},
                               [&](std::string_view, std::string_view) {
                                 return --left > 0;
                               }));
  }
}
BENCHMARK(engine_scan_1000);

} // namespace

BENCHMARK_MAIN();
