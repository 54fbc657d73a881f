#include "bench/shard/plain_contestant.hpp"

#include "bench/executor.hpp"
#include "bench/key_space.hpp"
#include "bench/shard/contest_epoch.hpp"
#include "storage/layout.hpp"
#include "storage/wiredtiger_config.hpp"

#include <wiredtiger.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace covey::bench {

namespace {

void must(int code, const char* what) {
  if (code == 0)
    return;
  std::fprintf(stderr, "covey_shard_ratio: %s: %s\n", what,
               wiredtiger_strerror(code));
  std::exit(1);
}

WT_ITEM item(std::string_view bytes) {
  WT_ITEM result{};
  result.data = bytes.data();
  result.size = bytes.size();
  return result;
}

} // namespace

struct plain_contestant::impl {
  impl(const contest& given, const storage::wiredtiger_options& store,
       size_t row_size)
    : what(given), values({row_size, false, given.seed}), series(given) {
    std::filesystem::create_directories(store.directory);
    auto config = storage::connection_config(store);
    must(wiredtiger_open(store.directory.c_str(), nullptr, config.c_str(),
                         &connection),
         "open");
    must(connection->open_session(connection, nullptr, "isolation=snapshot",
                                  &session),
         "open_session");
    must(connection->open_session(connection, nullptr, nullptr, &flushing),
         "open_session");
    data = open(store, 0);
    system = open(store, storage::system_table);
  }

  ~impl() {
    must(connection->close(connection, nullptr), "close");
  }

  WT_CURSOR* open(const storage::wiredtiger_options& store,
                  storage::table_id table) {
    auto uri = storage::table_uri(table);
    auto config = storage::table_config(store, table);
    must(session->create(session, uri.c_str(), config.c_str()), "create");
    WT_CURSOR* result = nullptr;
    must(session->open_cursor(session, uri.c_str(), nullptr, nullptr, &result),
         "open_cursor");
    return result;
  }

  void write(WT_CURSOR* cursor, const std::string& key,
             const std::string& value) {
    auto k = item(key);
    auto v = item(value);
    cursor->set_key(cursor, &k);
    cursor->set_value(cursor, &v);
    must(cursor->insert(cursor), "insert");
    must(cursor->reset(cursor), "reset");
  }

  void read_and_write(uint64_t number) {
    auto key = stored_key(key_of(number));
    auto k = item(key);
    data->set_key(data, &k);
    auto found = data->search(data);
    if (found == 0) {
      WT_ITEM v{};
      must(data->get_value(data, &v), "get_value");
      old.assign(static_cast<const char*>(v.data), v.size);
    } else if (found != WT_NOTFOUND) {
      must(found, "search");
    }
    must(data->reset(data), "reset");
    write(data, key, values.next());
  }

  void begin() {
    must(session->begin_transaction(session, nullptr), "begin_transaction");
  }

  void commit() {
    write(system, storage::sequence_row(0), std::to_string(++groups));
    must(session->commit_transaction(session, nullptr), "commit_transaction");
    must(flushing->log_flush(flushing, "sync=on"), "log_flush");
  }

  contest what;
  value_source values;
  key_series series;
  WT_CONNECTION* connection = nullptr;
  WT_SESSION* session = nullptr;
  WT_SESSION* flushing = nullptr;
  WT_CURSOR* data = nullptr;
  WT_CURSOR* system = nullptr;
  std::string old;
  uint64_t groups = 0;
};

plain_contestant::plain_contestant(const contest& what,
                                   const storage::wiredtiger_options& store,
                                   size_t row_size)
  : impl_(new impl(what, store, row_size)) {}

plain_contestant::~plain_contestant() = default;

void plain_contestant::fill() {
  constexpr uint64_t group = 1024;
  for (uint64_t i = 0; i < impl_->what.keys; ++i) {
    if (i % group == 0)
      impl_->begin();
    impl_->read_and_write(i);
    if (i % group == group - 1 || i + 1 == impl_->what.keys)
      impl_->commit();
  }
}

result plain_contestant::run(std::chrono::milliseconds duration) {
  using clock = std::chrono::steady_clock;
  stopwatch watch;
  auto end = clock::now() + duration;
  uint64_t written = 0;
  while (clock::now() < end) {
    impl_->begin();
    for (size_t i = 0; i < impl_->what.in_flight; ++i)
      impl_->read_and_write(impl_->series.next());
    impl_->commit();
    written += impl_->what.in_flight;
  }
  return watch.stop(written);
}

} // namespace covey::bench
