// Closed and open loop: what makes the next request start.

#pragma once

#include "bench/lane.hpp"
#include "bench/schedule.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace covey::bench {

using lanes = std::vector<std::unique_ptr<lane>>;

/// Outlives its operations in flight.
class loop {
public:
  explicit loop(lanes xs) : lanes_(std::move(xs)) {}
  virtual ~loop() = default;

  virtual void begin() = 0;
  /// Called every few milliseconds between `begin` and `end`.
  virtual void tick() {}
  /// Starts nothing any more; what is in flight goes on.
  virtual void end();
  /// True once there is no operation left to start.
  virtual bool exhausted() const {
    return false;
  }

  size_t in_flight() const;
  /// What was recorded since the last call.
  virtual measurements take();

protected:
  lanes lanes_;
};

/// So many clients, each of which starts its next operation when the one before
/// was answered; after an error at the next tick, so that a cluster which
/// refuses at once is not asked in a busy loop.
class closed_loop : public loop {
public:
  closed_loop(lanes xs, size_t clients)
    : loop(std::move(xs)), clients_(clients) {}

  void begin() override;
  void tick() override;
  bool exhausted() const override {
    return exhausted_;
  }

private:
  void go(lane& x);

  size_t clients_;
  std::atomic<bool> exhausted_{false};
  std::mutex mutex_;
  /// One entry for each client that waits for the tick.
  std::vector<lane*> parked_;
};

/// A request at each time of the schedule. Those that cannot be sent, because
/// `max_in_flight` are under way, are sent later, and count from when they were
/// to start; those that cannot be sent at all before the end are errors.
class open_loop : public loop {
public:
  open_loop(lanes xs, double rate, size_t max_in_flight)
    : loop(std::move(xs)), plan_(rate), max_in_flight_(max_in_flight) {}

  void begin() override;
  void end() override;
  measurements take() override;

private:
  void send_all();
  /// Sends what is due by `now`, as far as there is room: at most
  /// `max_in_flight` requests a call.
  void send_due(bench_clock::time_point now);

  schedule plan_;
  size_t max_in_flight_;
  std::atomic<size_t> under_way_{0};
  std::atomic<bool> ending_{false};
  bench_clock::time_point first_;
  /// Requests taken from the schedule.
  uint64_t sent_ = 0;
  std::thread sender_;
  std::mutex mutex_;
  measurements own_;
};

} // namespace covey::bench
