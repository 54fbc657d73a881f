// Extra work, as a share of the ordinary.

#pragma once

#include <algorithm>
#include <cstdint>

namespace covey::core {

/// Lets one piece of extra work pass for `every` ordinary ones, and up to
/// `burst` at once.
class share_limit {
public:
  share_limit(uint32_t every, uint32_t burst)
    : every_(every), most_(every * burst), credit_(most_) {}

  void ordinary() {
    credit_ = std::min(credit_ + 1, most_);
  }
  /// True if one more may be done now.
  bool take() {
    if (credit_ < every_)
      return false;
    credit_ -= every_;
    return true;
  }

private:
  uint32_t every_;
  uint32_t most_;
  uint32_t credit_;
};

} // namespace covey::core
