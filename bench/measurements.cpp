#include "bench/measurements.hpp"

namespace covey::bench {

void measurements::add(const measurements& other) {
  for (size_t i = 0; i < op_kinds; ++i)
    latency[i].add(other.latency[i]);
  failed.add(other.failed);
  late.add(other.late);
  for (const auto& [code, count] : other.errors)
    errors[code] += count;
  not_sent += other.not_sent;
  not_found += other.not_found;
  siblings += other.siblings;
}

histogram measurements::all() const {
  histogram result;
  for (const auto& x : latency)
    result.add(x);
  return result;
}

uint64_t measurements::succeeded() const {
  uint64_t result = 0;
  for (const auto& x : latency)
    result += x.count();
  return result;
}

std::map<std::string, uint64_t> measurements::named_errors() const {
  std::map<std::string, uint64_t> result;
  for (const auto& [code, count] : errors)
    result[to_string(code)] = count;
  if (not_sent > 0)
    result["not_sent"] = not_sent;
  return result;
}

} // namespace covey::bench
