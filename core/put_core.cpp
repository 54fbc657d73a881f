#include "core/put_core.hpp"

namespace covey::core {

put_core::verdict put_core::durable(uint8_t home) {
  acked_ |= home_set{1} << home;
  // A home that was given up and answers late has it all the same.
  failed_ &= ~acked_;
  return judge();
}

put_core::verdict put_core::failed(uint8_t home) {
  failed_ |= (home_set{1} << home) & ~acked_;
  return judge();
}

put_core::verdict put_core::judge() {
  if (answered_)
    return verdict::wait;
  if (need_.met(acked_)) {
    answered_ = true;
    return verdict::succeed;
  }
  if (!need_.possible(failed_)) {
    answered_ = true;
    return verdict::fail;
  }
  return verdict::wait;
}

} // namespace covey::core
