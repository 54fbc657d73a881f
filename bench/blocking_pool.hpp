// A few threads for calls that block.

#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace covey::bench {

/// Runs jobs in their order on its own threads; the queue is as long as the
/// caller lets it be. The destructor waits for the jobs it was given.
class blocking_pool {
public:
  explicit blocking_pool(size_t threads);
  ~blocking_pool();
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;

  /// Needs at least one thread.
  void run(std::function<void()> job);

private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

} // namespace covey::bench
