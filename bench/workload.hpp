// Workloads: which operations a run consists of, and on which keys.

#pragma once

#include "bench/distributions.hpp"
#include "bench/key_space.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace covey::bench {

enum class op_kind : uint8_t { read, update, insert, scan, read_modify_write };

inline constexpr size_t op_kinds = 5;

/// "read", "update", "insert", "scan" or "rmw".
const char* to_string(op_kind kind);

enum class key_choice : uint8_t { uniform, zipfian, latest };

const char* to_string(key_choice choice);
/// Nothing for any other word.
std::optional<key_choice> parse_key_choice(std::string_view word);

/// Shares of the kinds, which add up to 100, and the keys they go to.
struct workload {
  std::string name;
  std::array<uint32_t, op_kinds> percent{};
  key_choice keys = key_choice::uniform;

  bool has(op_kind kind) const {
    return percent[static_cast<size_t>(kind)] > 0;
  }
};

/// A to F are the core workloads of YCSB (B. F. Cooper, A. Silberstein, E. Tam,
/// R. Ramakrishnan, R. Sears, "Benchmarking Cloud Serving Systems with YCSB",
/// SoCC 2010), W only writes, to uniform keys. Nothing for any other word.
std::optional<workload> parse_workload(std::string_view word);

struct operation {
  op_kind kind = op_kind::read;
  uint64_t key = 0;
  /// Scans only: how many keys, 1 to 100, uniform as in YCSB.
  uint32_t length = 0;
};

inline constexpr uint32_t max_scan_length = 100;

/// An endless series of operations, the same for the same seed and the same
/// growth of `keys`. Not thread-safe; `keys` outlives it. Zipfian choices are
/// among the keys that were there when the source was made.
class operation_source {
public:
  operation_source(const workload& what, key_space& keys, uint64_t seed);
  operation next();

private:
  uint64_t choose_key();

  workload workload_;
  key_space& keys_;
  uint64_t loaded_;
  random_source random_;
  scrambled_zipfian zipfian_;
  std::optional<latest> latest_;
};

} // namespace covey::bench
