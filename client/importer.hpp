// Many puts in flight, with their bookkeeping: the engine of covey import.

#pragma once

#include "client/ack_log.hpp"
#include "client/client.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace covey::client {

struct import_counts {
  uint64_t acknowledged = 0;
  /// By error, of writes that were not acknowledged.
  std::map<errc, uint64_t> failed;
  /// Of those, how many may have been written.
  uint64_t maybe_written = 0;

  uint64_t failures() const;
};

/// What to do about values that a key has already.
enum class import_mode : uint8_t {
  /// Nothing: the record becomes their sibling.
  plain,
  /// An earlier import was interrupted: a record that it wrote without hearing
  /// of it is not written again.
  resume,
  /// The record replaces them.
  overwrite,
};

/// Puts records, at most `in_flight` at once, and repeats overloaded ones with
/// the same request id until their deadline. One thread uses it; answers come
/// on the client's thread.
class importer {
public:
  importer(client& kv, request_options options, import_mode mode,
           size_t in_flight, ack_log& log);

  /// Waits up to `timeout_ms` for room for another record.
  bool wait_for_room(int timeout_ms);
  /// Waits up to `timeout_ms` for an answer or for a repetition to be due.
  void wait_for_change(int timeout_ms);
  /// Needs room.
  void put(std::string key, std::string value);
  /// True if no record waits or is in flight.
  bool idle();
  /// Sends what is due again, and writes the acknowledged keys to the log;
  /// false if that failed.
  bool work();
  import_counts counts();
  /// Lines about errors of a kind that had not happened before.
  std::vector<std::string> take_news();

private:
  using clock = std::chrono::steady_clock;

  struct record {
    std::string key;
    std::string value;
    core::request_id request;
    clock::time_point deadline;
    clock::time_point due;
    uint32_t tries = 0;
    /// An attempt may have happened.
    bool maybe_written = false;
    /// The key's values have been read, and this is their context.
    bool looked = false;
    std::string context;
  };
  using record_ptr = std::shared_ptr<record>;

  struct later {
    bool operator()(const record_ptr& x, const record_ptr& y) const {
      return x->due > y->due;
    }
  };

  /// When to wake up; needs the mutex.
  clock::time_point latest(int timeout_ms) const;
  void send(record_ptr r);
  void look(record_ptr r);
  void answered(record_ptr r, result&& answer);

  client& kv_;
  request_options options_;
  import_mode mode_;
  size_t limit_;
  ack_log& log_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::mt19937_64 rng_;
  size_t in_flight_ = 0;
  std::priority_queue<record_ptr, std::vector<record_ptr>, later> repeats_;
  std::vector<std::string> acked_;
  import_counts counts_;
  std::vector<std::string> news_;
};

} // namespace covey::client
