#include "tests/chaos/second_counts.hpp"

#include "messages/errors.hpp"

#include <algorithm>
#include <utility>

namespace covey::chaos {

namespace {

constexpr uint64_t second_us = 1'000'000;

} // namespace

void second_counts::sent(uint64_t at_us) {
  std::lock_guard<std::mutex> guard{mutex_};
  ++open_[at_us / second_us].waiting;
}

void second_counts::answered(uint64_t sent_us, uint64_t now_us,
                             const client::result& r) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& s = open_[sent_us / second_us];
  --s.waiting;
  s.latencies_us.push_back(now_us - sent_us);
  if (r.ok())
    ++s.count.ok;
  else
    ++s.count.failed[to_string(r.code)];
}

std::optional<second_count> second_counts::take(uint64_t now_us) {
  std::lock_guard<std::mutex> guard{mutex_};
  if ((next_ + 1) * second_us > now_us)
    return std::nullopt;
  auto& s = open_[next_];
  if (s.waiting > 0)
    return std::nullopt;
  s.count.second = next_;
  if (auto& all = s.latencies_us; !all.empty()) {
    std::sort(all.begin(), all.end());
    s.count.p99_us = all[all.size() * 99 / 100];
    s.count.max_us = all.back();
  }
  auto result = std::move(s.count);
  open_.erase(next_++);
  return result;
}

} // namespace covey::chaos
