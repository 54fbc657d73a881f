// What the reads under way will bring, as far as recent answers tell.

#pragma once

#include <cstdint>

namespace covey::core {

/// The average size of an answer to a get: each moves it by a sixteenth.
class answer_average {
public:
  void observed(uint64_t bytes) {
    // In sixteenths, so that small sizes are not rounded away.
    sixteenths_ += bytes - sixteenths_ / 16;
  }
  uint64_t bytes() const {
    return sixteenths_ / 16;
  }

private:
  uint64_t sixteenths_ = 0;
};

/// Reads of one client, or of all.
class reads_under_way {
public:
  /// `page_bytes`: what a scan asks for; zero for a get.
  void opened(uint64_t page_bytes) {
    gets_ += page_bytes == 0 ? 1 : 0;
    pages_ += page_bytes;
  }
  void closed(uint64_t page_bytes) {
    gets_ -= page_bytes == 0 ? 1 : 0;
    pages_ -= page_bytes;
  }
  bool any() const {
    return gets_ + pages_ > 0;
  }
  /// Bytes that their answers will have, and one more of the same size.
  uint64_t expected(const answer_average& average, uint64_t page_bytes) const {
    auto gets = gets_ + (page_bytes == 0 ? 1 : 0);
    return gets * average.bytes() + pages_ + page_bytes;
  }

private:
  uint64_t gets_ = 0;
  uint64_t pages_ = 0;
};

} // namespace covey::core
