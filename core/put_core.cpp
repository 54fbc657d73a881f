#include "core/put_core.hpp"

#include "core/check.hpp"

namespace covey::core {

namespace {

home_set bit(uint8_t home) {
  return home_set{1} << home;
}

} // namespace

put_core::put_core(requirement need, bool strict, uint8_t homes)
  : need_(std::move(need)), strict_(strict), all_(bit(homes) - 1) {
  COVEY_CHECK(homes <= max_homes);
  stand_in_.fill(nobody);
}

void put_core::durable(uint8_t home) {
  acked_ |= bit(home);
  // A home that was given up and answers late has it all the same.
  failed_ &= ~acked_;
}

void put_core::failed(uint8_t home) {
  failed_ |= bit(home) & ~acked_;
}

void put_core::slow(uint8_t home) {
  slow_ |= bit(home);
}

home_set put_core::unattended() const {
  auto result = (failed_ | slow_) & unsettled();
  for (uint8_t i = 0; i < max_homes; ++i)
    if (stand_in_[i] != nobody)
      result &= ~bit(i);
  return result;
}

void put_core::stand_in(uint8_t home, uint8_t place, bool counts) {
  stand_in_[home] = place;
  counting_ &= ~bit(home);
  if (place == here)
    return;
  COVEY_CHECK(place < max_places && !used(place));
  used_ |= uint64_t{1} << place;
  if (counts)
    counting_ |= bit(home);
}

void put_core::hinted(uint8_t place) {
  for (uint8_t i = 0; i < max_homes; ++i)
    if (stand_in_[i] == place) {
      hinted_ |= bit(i);
      stood_ |= bit(i) & counting_;
    }
}

void put_core::hint_failed(uint8_t place) {
  for (uint8_t i = 0; i < max_homes; ++i)
    if (stand_in_[i] == place && (hinted_ & bit(i)) == 0)
      stand_in_[i] = nobody;
}

void put_core::kept(uint8_t home) {
  hinted_ |= bit(home);
}

void put_core::give_up(uint8_t home) {
  given_up_ |= bit(home);
}

bool put_core::possible() const {
  auto hopeless = failed_;
  for (uint8_t i = 0; i < max_homes && !strict_; ++i)
    if (stand_in_[i] != nobody && stand_in_[i] != here)
      hopeless &= ~(bit(i) & counting_);
  return need_.possible(hopeless);
}

put_core::verdict put_core::judge() {
  if (answered_)
    return verdict::wait;
  answered_ = true;
  if (need_.met(counted()))
    return verdict::succeed;
  if (!possible())
    return verdict::fail;
  answered_ = false;
  return verdict::wait;
}

} // namespace covey::core
