#include "storage/wiredtiger_engine.hpp"

#include "core/check.hpp"
#include "storage/file_system.hpp"
#include "storage/marker_file.hpp"
#include "storage/wiredtiger_config.hpp"
#include "storage/wiredtiger_connection.hpp"
#include "storage/wiredtiger_files.hpp"
#include "storage/wiredtiger_session.hpp"
#include "storage/wiredtiger_statistics.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace covey::storage {

namespace {

using steady = std::chrono::steady_clock;

// When fsync is switched off: a flush after the period syncs all the same, and
// if none comes, the disk is never behind for longer than the limit.
constexpr std::chrono::milliseconds sync_period{750};
constexpr std::chrono::milliseconds sync_limit{1000};

class wiredtiger_engine final : public engine {
public:
  /// Takes over `connection`. `start` must be called before anything else.
  wiredtiger_engine(const wiredtiger_options& options,
                    std::unique_ptr<wiredtiger_connection> connection)
    : options_(options), connection_(std::move(connection)),
      flush_session_(connection_->open_session()),
      upkeep_session_(connection_->open_session()) {
    COVEY_CHECK(flush_session_ != nullptr && upkeep_session_ != nullptr);
  }

  ~wiredtiger_engine() override {
    {
      std::lock_guard<std::mutex> lock{flush_mutex_};
      stopping_ = true;
    }
    wake_.notify_one();
    if (syncer_.joinable())
      syncer_.join();
    COVEY_CHECK(connection_->open_sessions == 0);
    // Closing makes a checkpoint too, but beside the engine's own threads.
    checkpoint();
  }

  /// Creates the tables of a new store, or opens each of a used one. Empty, or
  /// what is wrong.
  std::string start(store_state state) {
    if (state == store_state::created) {
      for (uint32_t shard = 0; shard < options_.shards; ++shard)
        create_table(shard);
      create_table(system_table);
    }
    auto error = find_missing_file();
    if (error.empty())
      error = open_tables();
    if (!error.empty())
      return error;
    if (state == store_state::created)
      checkpoint();
    if (!options_.fsync)
      syncer_ = std::thread{[this] {
        sync_now_and_then();
      }};
    connection_->start_serving();
    return {};
  }

  std::unique_ptr<session> open_session() override {
    auto* handle = connection_->open_session();
    COVEY_CHECK(handle != nullptr);
    return std::make_unique<wiredtiger_session>(*connection_, handle,
                                                options_.shards);
  }

  bool flush() override {
    std::lock_guard<std::mutex> lock{flush_mutex_};
    bool sync = options_.fsync || steady::now() - last_sync_ >= sync_period;
    flush_locked(sync);
    return sync;
  }

  uint32_t shards() const override {
    return options_.shards;
  }

  bool disk_is_full() override {
    auto free = free_bytes(options_.directory);
    bool full = free && *free >> 20 < options_.min_free_mb;
    if (connection_->disk_full.exchange(full) != full)
      connection_->log(full ? "the disk of " + options_.directory
                                + " is full: writes are refused"
                            : "the disk of " + options_.directory
                                + " has room again: writes are accepted",
                       full);
    return full;
  }

  void checkpoint() override {
    std::lock_guard<std::mutex> lock{upkeep_mutex_};
    int code = upkeep_session_->checkpoint(upkeep_session_, nullptr);
    if (connection_->translate(code) != status::ok)
      connection_->log("a checkpoint of the store in " + options_.directory
                         + " failed: " + connection_->reason(code),
                       true);
  }

  statistics read_statistics() override {
    std::lock_guard<std::mutex> lock{upkeep_mutex_};
    auto result = read_wiredtiger_statistics(upkeep_session_);
    result.emplace_back("disk_free_bytes",
                        free_bytes(options_.directory).value_or(0));
    return result;
  }

private:
  void create_table(table_id table) {
    // A failure shows when the table is opened.
    upkeep_session_->create(upkeep_session_, table_uri(table).c_str(),
                            table_config(options_, table).c_str());
  }

  /// LSM trees make a missing file anew, empty, when they are opened: so
  /// compare WiredTiger's list with the directory before.
  std::string find_missing_file() {
    constexpr std::string_view scheme = "file:";
    WT_CURSOR* cursor = nullptr;
    std::string error;
    int code = upkeep_session_->open_cursor(
      upkeep_session_, "metadata:", nullptr, nullptr, &cursor);
    while (code == 0 && error.empty() && (code = cursor->next(cursor)) == 0) {
      const char* text = nullptr;
      code = cursor->get_key(cursor, &text);
      std::string_view uri{code == 0 ? text : ""};
      if (uri.substr(0, scheme.size()) != scheme)
        continue;
      auto path = options_.directory + "/";
      path += uri.substr(scheme.size());
      if (!file_exists(path))
        error = path + " is missing: " + refill_advice;
    }
    if (cursor != nullptr)
      cursor->close(cursor);
    if (code != 0 && code != WT_NOTFOUND)
      error = "the list of files in " + options_.directory + " cannot be read ("
              + connection_->reason(code) + "): " + refill_advice;
    return error;
  }

  std::string open_tables() {
    wiredtiger_session probe{*connection_, connection_->open_session(),
                             options_.shards};
    for (uint32_t i = 0; i <= options_.shards; ++i) {
      auto table = i < options_.shards ? i : system_table;
      int code = probe.open_table(table);
      if (code != 0)
        return "table " + table_name(table) + " in " + options_.directory
               + " cannot be opened (" + connection_->reason(code)
               + "): " + refill_advice;
    }
    return {};
  }

  void flush_locked(bool sync) {
    int code = flush_session_->log_flush(flush_session_,
                                         sync ? "sync=on" : "sync=off");
    if (code != 0)
      connection_->die("cannot flush its log: " + connection_->reason(code));
    behind_ = !sync;
    if (sync)
      last_sync_ = steady::now();
  }

  /// Syncs what the last flush of a busy time only wrote.
  void sync_now_and_then() {
    std::unique_lock<std::mutex> lock{flush_mutex_};
    while (!stopping_) {
      auto due = last_sync_ + sync_limit;
      wake_.wait_until(lock, std::max(due, steady::now() + sync_limit / 4));
      if (behind_ && steady::now() - last_sync_ >= sync_limit)
        flush_locked(true);
    }
  }

  wiredtiger_options options_;
  std::unique_ptr<wiredtiger_connection> connection_;
  std::mutex flush_mutex_;
  WT_SESSION* flush_session_;
  steady::time_point last_sync_{};
  /// Whether something was written and not synced.
  bool behind_ = false;
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread syncer_;
  std::mutex upkeep_mutex_;
  /// For checkpoints and statistics.
  WT_SESSION* upkeep_session_;
};

} // namespace

std::unique_ptr<engine> open_wiredtiger(const wiredtiger_options& options,
                                        std::string& error) {
  if (options.shards == 0 || options.shards > max_marked_shards) {
    error = "storage.shards is " + std::to_string(options.shards)
            + ": it must be between 1 and " + std::to_string(max_marked_shards);
    return nullptr;
  }
  error.clear();
  auto state = prepare_store(options, error);
  if (!state)
    return nullptr;
  auto connection = wiredtiger_connection::open(options, error);
  if (!connection)
    return nullptr;
  const auto& events = *connection;
  auto result
    = std::make_unique<wiredtiger_engine>(options, std::move(connection));
  error = result->start(*state);
  if (error.empty())
    return result;
  if (events.panicked()) {
    // Closing it might hang, and its threads still run: leave it in memory.
    static_cast<void>(result.release());
  }
  return nullptr;
}

} // namespace covey::storage
