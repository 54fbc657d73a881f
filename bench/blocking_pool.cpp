#include "bench/blocking_pool.hpp"

#include <utility>

namespace covey::bench {

blocking_pool::blocking_pool(size_t threads) {
  for (size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] {
      work();
    });
}

blocking_pool::~blocking_pool() {
  {
    std::lock_guard<std::mutex> guard{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
  for (auto& x : threads_)
    x.join();
}

void blocking_pool::run(std::function<void()> job) {
  {
    std::lock_guard<std::mutex> guard{mutex_};
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void blocking_pool::work() {
  for (;;) {
    std::unique_lock<std::mutex> guard{mutex_};
    changed_.wait(guard, [this] {
      return ending_ || !jobs_.empty();
    });
    if (jobs_.empty())
      return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    guard.unlock();
    job();
  }
}

} // namespace covey::bench
