// What both contestants of covey_shard_ratio are given.

#pragma once

#include "bench/distributions.hpp"
#include "storage/wiredtiger_engine.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace covey::bench {

struct contest {
  uint64_t keys = 100'000;
  size_t value_size = 100;
  /// Puts under way: the group that shares a transaction and a flush.
  size_t in_flight = 64;
  uint64_t seed = 1;
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
