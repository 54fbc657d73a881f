#include "storage/wiredtiger_connection.hpp"

#include "storage/file_system.hpp"
#include "storage/marker_file.hpp"
#include "storage/wiredtiger_config.hpp"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace covey::storage {

namespace {

/// A panicked engine may hang while it gives up; this is how long it may try.
constexpr std::chrono::seconds give_up_limit{10};

/// Without the "[time][process:thread], " that WiredTiger puts in front.
std::string strip_prefix(std::string_view message) {
  auto end = message.find("], ");
  if (!message.empty() && message.front() == '['
      && end != std::string_view::npos)
    message.remove_prefix(end + 3);
  return std::string{message};
}

/// Words in WiredTiger's messages that mean that files are not as it left them.
bool is_alarming(std::string_view message) {
  for (auto word : {"corrupted", "unexpected file", "truncated"})
    if (message.find(word) != std::string_view::npos)
      return true;
  return false;
}

/// Runs wiredtiger_open, and ends the process if that panics and then hangs.
int open_or_die(const std::string& directory, WT_EVENT_HANDLER* handler,
                const std::string& config, WT_CONNECTION** connection,
                wiredtiger_connection& owner) {
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false;
  std::thread watch{[&] {
    std::unique_lock<std::mutex> lock{mutex};
    auto end = std::chrono::steady_clock::time_point::max();
    while (!done) {
      auto now = std::chrono::steady_clock::now();
      if (owner.panicked()
          && end == std::chrono::steady_clock::time_point::max())
        end = now + give_up_limit;
      if (now >= end)
        owner.die("cannot be opened and does not give up: "
                  + owner.reason(WT_PANIC));
      wake.wait_for(lock, std::chrono::seconds{1});
    }
  }};
  int code
    = wiredtiger_open(directory.c_str(), handler, config.c_str(), connection);
  {
    std::lock_guard<std::mutex> lock{mutex};
    done = true;
  }
  wake.notify_one();
  watch.join();
  return code;
}

std::string explain(int code, const wiredtiger_options& options,
                    const std::string& reason) {
  switch (code) {
    case EBUSY:
      return options.directory + " is in use by another process: stop it first";
    case EACCES:
    case EPERM:
    case EROFS:
      return "no permission to use the files in " + options.directory + " ("
             + reason + "): give them to the user that runs this node";
    case ENOSPC:
      return "the disk of " + options.directory
             + " is too full to recover the store: free some";
    default:
      return "the store in " + options.directory + " cannot be opened ("
             + reason + "): " + refill_advice;
  }
}

} // namespace

std::unique_ptr<wiredtiger_connection>
wiredtiger_connection::open(const wiredtiger_options& options,
                            std::string& error) {
  std::unique_ptr<wiredtiger_connection> result{
    new wiredtiger_connection(options)};
  int code
    = open_or_die(options.directory, &result->handler_.base,
                  connection_config(options), &result->connection_, *result);
  if (code == 0)
    return result;
  result->connection_ = nullptr;
  auto free = free_bytes(options.directory);
  if (code == WT_PANIC && free && *free == 0)
    code = ENOSPC;
  error = explain(code, options, result->reason(code));
  return nullptr;
}

wiredtiger_connection::wiredtiger_connection(const wiredtiger_options& options)
  : options_(options), handler_{{&on_error, &on_message, nullptr, nullptr},
                                this} {}

wiredtiger_connection::~wiredtiger_connection() {
  if (connection_ == nullptr)
    return;
  int code = connection_->close(connection_, nullptr);
  if (code != 0)
    log("the store in " + options_.directory
          + " did not close cleanly: " + reason(code),
        true);
}

void wiredtiger_connection::start_serving() {
  {
    std::lock_guard<std::mutex> lock{mutex_};
    complaint_.clear();
  }
  serving_ = true;
}

bool wiredtiger_connection::panicked() const {
  return panicked_;
}

WT_SESSION* wiredtiger_connection::open_session() {
  WT_SESSION* result = nullptr;
  int code = connection_->open_session(connection_, nullptr,
                                       "isolation=snapshot", &result);
  return code == 0 ? result : nullptr;
}

status wiredtiger_connection::translate(int code) {
  switch (code) {
    case 0:
      return status::ok;
    case WT_NOTFOUND:
      return status::not_found;
    case ENOSPC:
    case EDQUOT:
      disk_full = true;
      return status::disk_full;
    default:
      return status::failed;
  }
}

void wiredtiger_connection::die(const std::string& what) {
  log("the store in " + options_.directory + " " + what
        + "; this process ends now, before it acknowledges anything",
      true);
  ::_exit(panic_exit_code);
}

void wiredtiger_connection::log(const std::string& line, bool alarm) const {
  if (options_.log)
    options_.log(line, alarm);
  else
    std::fprintf(stderr, "%s\n", line.c_str());
}

std::string wiredtiger_connection::reason(int code) const {
  std::lock_guard<std::mutex> lock{mutex_};
  return complaint_.empty() ? wiredtiger_strerror(code) : complaint_;
}

int wiredtiger_connection::on_error(WT_EVENT_HANDLER* handler, WT_SESSION*,
                                    int code, const char* message) {
  reinterpret_cast<event_handler*>(handler)->owner->complain(
    code, strip_prefix(message));
  return 0;
}

void wiredtiger_connection::complain(int code, const std::string& line) {
  if (code == WT_PANIC) {
    panicked_ = true;
    if (serving_)
      die("panicked: " + reason(code));
  }
  {
    std::lock_guard<std::mutex> lock{mutex_};
    if (serving_ || complaint_.empty())
      complaint_ = line;
  }
  if (serving_)
    log("the store in " + options_.directory + " reports: " + line, true);
}

int wiredtiger_connection::on_message(WT_EVENT_HANDLER* handler, WT_SESSION*,
                                      const char* message) {
  auto line = strip_prefix(message);
  reinterpret_cast<event_handler*>(handler)->owner->log("WiredTiger: " + line,
                                                        is_alarming(line));
  return 0;
}

} // namespace covey::storage
