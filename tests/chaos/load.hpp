// Clients that put, get and delete for as long as they are let, and note it
// all.

#pragma once

#include "tests/chaos/recorder.hpp"
#include "tests/chaos/second_counts.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace covey::chaos {

struct load_config {
  std::vector<client::node_address> nodes;
  uint64_t seed = 0;
  uint32_t clients = 6;
  /// All of them retry, not only half.
  bool all_retry = false;
  /// Requests a second, whatever comes back.
  uint32_t rate = 300;
  /// Keys in use at a time. One with `key_events` puts and gets is left, and a
  /// new one taken: a history is checked in the square of its length.
  uint32_t keys = 48;
  uint32_t key_events = 100;
  std::chrono::milliseconds timeout{2000};
};

/// Puts are unique and use the context of the client's last answer for the key,
/// or none; reads are at QUORUM. Half of the clients retry, or all.
class load {
public:
  explicit load(load_config config);
  ~load();

  recorder& log() {
    return log_;
  }
  second_counts& seconds() {
    return seconds_;
  }
  /// Since the start.
  uint64_t now_us() const;
  /// Sends what is due. Call it every few milliseconds.
  void send_due();
  /// Waits for everything that was sent; their timeouts bound it.
  void settle();
  /// Reads every key at ALL, and again until those that only fallbacks have
  /// acknowledged are with their homes. Keys that do not get so far are errors,
  /// a line each.
  std::vector<std::string> read_all(std::chrono::seconds patience);

private:
  struct known {
    std::string context;
    std::set<size_t> values;
  };
  struct one_client {
    std::unique_ptr<client::client> handle;
    std::mutex mutex;
    std::map<std::string, known> known_keys;
  };

  void send(one_client& c);
  void put(one_client& c, const std::string& key, bool remove);
  void get(one_client& c, const std::string& key);
  std::string pick_key(bool for_get);
  /// Those of `keys` that could not be read.
  std::vector<std::string> read_once(const std::vector<std::string>& keys);
  bool chance(uint32_t percent);

  load_config config_;
  std::chrono::steady_clock::time_point start_;
  std::mt19937_64 random_;
  recorder log_;
  second_counts seconds_;
  std::vector<std::unique_ptr<one_client>> clients_;
  /// How often each place for a key was given to a new one.
  std::vector<uint32_t> generations_;
  std::vector<std::string> left_keys_;
  uint64_t sent_ = 0;
  uint64_t writes_ = 0;
  std::atomic<uint64_t> open_{0};
};

} // namespace covey::chaos
