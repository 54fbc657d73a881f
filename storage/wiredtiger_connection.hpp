// One open WiredTiger database: what it says, and how it dies.

#pragma once

#include "storage/wiredtiger_engine.hpp"

#include <wiredtiger.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace covey::storage {

/// Exit code of a process whose engine panicked (EX_SOFTWARE).
inline constexpr int panic_exit_code = 70;

/// Owns a WT_CONNECTION and listens to its events. Shared by the engine's
/// sessions, which use it from their own threads.
class wiredtiger_connection {
public:
  /// Opens the database, running recovery. Nothing and `error` if it fails.
  static std::unique_ptr<wiredtiger_connection>
  open(const wiredtiger_options& options, std::string& error);
  /// Closes it, after a last checkpoint.
  ~wiredtiger_connection();

  wiredtiger_connection(const wiredtiger_connection&) = delete;
  wiredtiger_connection& operator=(const wiredtiger_connection&) = delete;

  /// From here on a panic ends the process. Before, while the store is being
  /// opened, it is an error that names the reason.
  void start_serving();
  bool panicked() const;

  /// A session of snapshot isolation; nullptr only if there are too many.
  WT_SESSION* open_session();

  /// Turns the result of a WiredTiger call into ours, remembering a full disk.
  status translate(int code);
  /// Logs and ends the process.
  [[noreturn]] void die(const std::string& what);
  void log(const std::string& line, bool alarm) const;
  /// The last thing WiredTiger complained about, or the words for `code`.
  std::string reason(int code) const;

  /// Set by a call that found no space or by `engine::disk_is_full`, which
  /// alone clears it. Writes are refused while it is true.
  std::atomic<bool> disk_full{false};
  /// Sessions given out and not closed yet.
  std::atomic<uint32_t> open_sessions{0};

private:
  struct event_handler {
    WT_EVENT_HANDLER base;
    wiredtiger_connection* owner;
  };

  explicit wiredtiger_connection(const wiredtiger_options& options);
  static int on_error(WT_EVENT_HANDLER* handler, WT_SESSION*, int code,
                      const char* message);
  static int on_message(WT_EVENT_HANDLER* handler, WT_SESSION*,
                        const char* message);
  void complain(int code, const std::string& line);

  wiredtiger_options options_;
  event_handler handler_;
  WT_CONNECTION* connection_ = nullptr;
  std::atomic<bool> serving_{false};
  std::atomic<bool> panicked_{false};
  mutable std::mutex mutex_;
  /// While opening the first complaint, later the last: it tells most.
  std::string complaint_;
};

} // namespace covey::storage
