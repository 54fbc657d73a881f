// Homes in the order in which they are to be asked.

#pragma once

#include "core/check.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace covey::core {

/// Places in a preference list, best first. At most `capacity`; takes no memory
/// of its own, since every request has one.
class home_order {
public:
  static constexpr size_t capacity = 16;

  home_order() = default;
  home_order(std::initializer_list<uint8_t> places) {
    for (auto place : places)
      push_back(place);
  }
  home_order(const std::vector<uint8_t>& places) {
    for (auto place : places)
      push_back(place);
  }

  void push_back(uint8_t place) {
    COVEY_CHECK(size_ < capacity);
    places_[size_++] = place;
  }
  const uint8_t* begin() const {
    return places_.data();
  }
  const uint8_t* end() const {
    return places_.data() + size_;
  }
  uint8_t* begin() {
    return places_.data();
  }
  uint8_t* end() {
    return places_.data() + size_;
  }
  uint8_t operator[](size_t i) const {
    return places_[i];
  }
  size_t size() const {
    return size_;
  }

private:
  std::array<uint8_t, capacity> places_{};
  size_t size_ = 0;
};

} // namespace covey::core
