// Three real nodes in one process: real stores, real sockets.

#pragma once

#include "client/client.hpp"
#include "runtime/node.hpp"

#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace covey::test {

/// Starts n1 to n3 on free ports with data in a directory of its own.
class cluster {
public:
  cluster();
  ~cluster();

  void start(size_t i);
  /// As a process would end when its supervisor gives up: nothing is drained
  /// that a crashed child would have had to do.
  void stop(size_t i);
  runtime::node& at(size_t i) {
    return *nodes_[i];
  }
  /// What the supervisor of node `i` said when it gave up; empty if it did not.
  std::string gave_up(size_t i);
  std::unique_ptr<client::client> make_client() const;
  client::node_address address(size_t i) const {
    return {"127.0.0.1", ports_[i]};
  }
  /// Restarts of the child called `name`, as the supervisor counts them.
  uint32_t restarts(size_t i, const std::string& name);

private:
  std::filesystem::path directory_;
  std::array<uint16_t, 3> ports_{};
  std::array<std::unique_ptr<runtime::node>, 3> nodes_;
  std::mutex mutex_;
  std::array<std::string, 3> reasons_;
};

/// Keeps puts in flight until it is stopped; remembers what was acknowledged.
class load {
public:
  explicit load(client::client& to, size_t in_flight = 32);
  ~load();

  /// Waits, within a bound, until `n` more puts are acknowledged.
  bool progress(size_t n);
  /// Ends the load and waits for what is in flight.
  void stop();
  /// Acknowledged keys whose value cannot be read at QUORUM.
  std::vector<std::string> lost();
  size_t acknowledged();

private:
  void next();

  client::client& client_;
  std::mutex mutex_;
  std::set<std::string> acked_;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> flying_{0};
  std::atomic<size_t> issued_{0};
};

/// Polls `done` for at most `seconds`.
bool eventually(const std::function<bool()>& done, int seconds = 30);

} // namespace covey::test
