#include "bench/loop.hpp"

#include <utility>

namespace covey::bench {

void closed_loop::begin() {
  for (size_t i = 0; i < clients_; ++i)
    go(*lanes_[i % lanes_.size()]);
}

void closed_loop::go(lane& x) {
  auto sent = x.start(bench_clock::now(), [this, &x](bool succeeded) {
    if (succeeded) {
      go(x);
      return;
    }
    std::lock_guard<std::mutex> guard{mutex_};
    parked_.push_back(&x);
  });
  if (!sent)
    exhausted_ = true;
}

void closed_loop::tick() {
  std::vector<lane*> ready;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    ready.swap(parked_);
  }
  for (auto* x : ready)
    go(*x);
}

} // namespace covey::bench
