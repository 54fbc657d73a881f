#include "bench/loop.hpp"

#include <algorithm>
#include <sys/prctl.h>
#include <utility>

namespace covey::bench {

namespace {

/// How long the sender sleeps when as many requests as may be are under way.
constexpr auto retry_interval = std::chrono::microseconds{200};
/// And how often it looks whether it is to end.
constexpr auto longest_sleep = std::chrono::milliseconds{10};

} // namespace

void open_loop::begin() {
  first_ = bench_clock::now();
  sender_ = std::thread{[this] {
    send_all();
  }};
}

void open_loop::send_all() {
  // Sleep as exactly as the system can: the default slack is 50 us.
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  while (!ending_) {
    auto now = bench_clock::now();
    send_due(now);
    auto next = first_ + plan_.start_of(sent_);
    if (next <= now)
      next = now + retry_interval;
    std::this_thread::sleep_until(std::min(next, now + longest_sleep));
  }
}

void open_loop::send_due(bench_clock::time_point now) {
  auto due = plan_.due(now - first_);
  auto most = sent_ + max_in_flight_;
  while (sent_ < std::min(due, most) && under_way_ < max_in_flight_) {
    auto intended = first_ + plan_.start_of(sent_);
    auto& x = *lanes_[sent_ % lanes_.size()];
    ++under_way_;
    x.start(intended, [this](bool) {
      --under_way_;
    });
    ++sent_;
    auto late = static_cast<uint64_t>((bench_clock::now() - intended).count());
    std::lock_guard<std::mutex> guard{mutex_};
    own_.late.record(late);
  }
}

void open_loop::end() {
  ending_ = true;
  auto now = bench_clock::now();
  sender_.join();
  // What came due while the sender slept is late, not left out.
  send_due(now);
  loop::end();
  std::lock_guard<std::mutex> guard{mutex_};
  for (auto due = plan_.due(now - first_); sent_ < due; ++sent_) {
    auto waited = now - first_ - plan_.start_of(sent_);
    own_.failed.record(static_cast<uint64_t>(waited.count()));
    ++own_.not_sent;
  }
}

measurements open_loop::take() {
  auto result = loop::take();
  std::lock_guard<std::mutex> guard{mutex_};
  result.add(own_);
  own_ = {};
  return result;
}

} // namespace covey::bench
