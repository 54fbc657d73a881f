#include "bench/schedule.hpp"

namespace covey::bench {

std::chrono::nanoseconds schedule::start_of(uint64_t i) const {
  return std::chrono::nanoseconds{
    static_cast<int64_t>(static_cast<double>(i) / rate_ * 1e9)};
}

uint64_t schedule::due(std::chrono::nanoseconds since_first) const {
  if (since_first.count() < 0)
    return 0;
  auto estimate = static_cast<double>(since_first.count()) * rate_ / 1e9;
  auto result = static_cast<uint64_t>(estimate);
  // The estimate is rounded, and so is start_of: settle who is right.
  while (result > 0 && start_of(result - 1) > since_first)
    --result;
  while (start_of(result) <= since_first)
    ++result;
  return result;
}

} // namespace covey::bench
