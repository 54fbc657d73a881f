// What became of the requests of each second.

#pragma once

#include "client/client.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace covey::chaos {

/// The requests that were sent within one second.
struct second_count {
  uint64_t second = 0;
  uint64_t ok = 0;
  /// Of puts, refused or of unknown outcome, and gets, by the error's name.
  std::map<std::string, uint64_t> failed;
  uint64_t p99_us = 0;
  uint64_t max_us = 0;
};

/// Thread-safe. Seconds are counted from the load's start.
class second_counts {
public:
  void sent(uint64_t at_us);
  void answered(uint64_t sent_us, uint64_t now_us, const client::result& r);
  /// The next second that is over and whose requests are all answered.
  std::optional<second_count> take(uint64_t now_us);

private:
  struct open_second {
    uint64_t waiting = 0;
    second_count count;
    std::vector<uint64_t> latencies_us;
  };

  std::mutex mutex_;
  uint64_t next_ = 0;
  std::map<uint64_t, open_second> open_;
};

} // namespace covey::chaos
