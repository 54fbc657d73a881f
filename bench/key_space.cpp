#include "bench/key_space.hpp"

namespace covey::bench {

std::string key_of(uint64_t number) {
  auto digits = std::to_string(number);
  std::string result = "user";
  if (digits.size() < 12)
    result.append(12 - digits.size(), '0');
  return result += digits;
}

uint64_t key_space::begin_insert() {
  std::lock_guard<std::mutex> guard{mutex_};
  return next_++;
}

void key_space::end_insert(uint64_t number) {
  std::lock_guard<std::mutex> guard{mutex_};
  ended_.insert(number);
  while (!ended_.empty() && *ended_.begin() == size_) {
    ended_.erase(ended_.begin());
    ++size_;
  }
}

uint64_t key_space::size() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return size_;
}

} // namespace covey::bench
