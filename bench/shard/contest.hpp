// What both contestants of covey_shard_ratio are given.

#pragma once

#include "bench/distributions.hpp"
#include "storage/wiredtiger_engine.hpp"

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

namespace covey::bench {

struct contest {
  uint64_t keys = 50'000;
  size_t value_size = 100;
  /// Puts under way: the group that shares a transaction and a flush.
  size_t in_flight = 64;
  uint64_t seed = 1;
};

/// What a contestant did in one run.
struct result {
  /// Durable puts a second.
  double rate = 0;
  /// CPU time of the whole process a put, microseconds.
  double cpu_us = 0;
};

/// Times a run, from when it was made.
class stopwatch {
public:
  result stop(uint64_t puts) const {
    std::chrono::duration<double> took = clock::now() - start_;
    auto cpu = static_cast<double>(std::clock() - cpu_) / CLOCKS_PER_SEC;
    auto n = static_cast<double>(puts);
    return {n / took.count(), cpu * 1e6 / n};
  }

private:
  using clock = std::chrono::steady_clock;

  clock::time_point start_ = clock::now();
  std::clock_t cpu_ = std::clock();
};

/// The keys of a contest are key_of(0) to key_of(keys - 1).
class key_series {
public:
  explicit key_series(const contest& what)
    : keys_(what.keys), random_(what.seed) {}

  /// Uniform.
  uint64_t next() {
    return uniform_below(random_, keys_);
  }

private:
  uint64_t keys_;
  random_source random_;
};

} // namespace covey::bench
