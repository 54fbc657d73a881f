// A connection's share of the load: draws operations, has them done, records.

#pragma once

#include "bench/executor.hpp"
#include "bench/measurements.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

namespace covey::bench {

using bench_clock = std::chrono::steady_clock;

/// Thread-safe. The key space outlives it, and it outlives its operations in
/// flight.
class lane {
public:
  /// The next operation; nothing if there is none left.
  using source = std::function<std::optional<operation>()>;

  /// Has an operation done, as `executor::run` does.
  using performer = std::function<void(
    const operation& what, std::function<void(const answer&)> done)>;

  lane(performer perform, key_space& keys, source operations);

  /// Sends the next operation. Its latency counts from `intended`. `done` is
  /// called once it is answered, with whether it succeeded, and must not block.
  /// False if nothing was sent: there are no more, or `close` was called.
  bool start(bench_clock::time_point intended, std::function<void(bool)> done);
  /// Nothing is sent any more.
  void close();

  size_t in_flight() const;
  /// What was recorded since the last call.
  measurements take();

private:
  void answered(const operation& what, bench_clock::time_point intended,
                const answer& a);

  performer perform_;
  key_space& keys_;
  mutable std::mutex mutex_;
  source operations_;
  measurements recorded_;
  size_t in_flight_ = 0;
  bool closed_ = false;
};

} // namespace covey::bench
