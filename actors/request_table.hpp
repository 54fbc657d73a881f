// Requests in flight, found again by a ticket.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace covey {

/// Where an answer belongs: the request, and the home it was asked of.
struct ticket {
  uint32_t index = 0;
  uint32_t generation = 0;
  uint8_t place = 0;
  /// Distinguishes a read from the repair that follows it, and the like.
  uint8_t purpose = 0;
  /// Which of the request's plans it belongs to: places mean others in each.
  uint8_t plan = 0;

  static constexpr uint8_t max_purpose = 7;
  static constexpr uint8_t max_plan = 31;

  /// 24 bits of index, 24 of generation, 8 of place, 5 of plan, 3 of purpose.
  uint64_t pack() const {
    return uint64_t{index} << 40 | uint64_t{generation & 0xffffff} << 16
           | uint64_t{place} << 8 | uint64_t{plan} << 3 | purpose;
  }
  static ticket unpack(uint64_t x) {
    return {static_cast<uint32_t>(x >> 40),
            static_cast<uint32_t>(x >> 16 & 0xffffff),
            static_cast<uint8_t>(x >> 8), static_cast<uint8_t>(x & max_purpose),
            static_cast<uint8_t>(x >> 3 & max_plan)};
  }
};

/// Owns requests; addresses stay while others come and go. A ticket of a
/// request that is gone finds nothing, also when its place was taken again.
template <class Request>
class request_table {
public:
  static constexpr uint32_t capacity = 1 << 24;

  /// Null when full.
  Request* add(ticket& out) {
    uint32_t index;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else if (rows_.size() < capacity) {
      index = static_cast<uint32_t>(rows_.size());
      rows_.emplace_back();
    } else {
      return nullptr;
    }
    auto& row = rows_[index];
    row.request = std::make_unique<Request>();
    out = {index, row.generation, 0, 0, 0};
    ++size_;
    return row.request.get();
  }

  Request* find(const ticket& t) {
    if (t.index >= rows_.size() || rows_[t.index].generation != t.generation)
      return nullptr;
    return rows_[t.index].request.get();
  }

  void remove(const ticket& t) {
    if (find(t) == nullptr)
      return;
    auto& row = rows_[t.index];
    row.request.reset();
    row.generation = (row.generation + 1) & 0xffffff;
    free_.push_back(t.index);
    --size_;
  }

  /// Calls `f(ticket, request)` for each; `f` may remove the one it is given.
  template <class F>
  void each(F f) {
    for (uint32_t i = 0; i < rows_.size(); ++i)
      if (rows_[i].request)
        f(ticket{i, rows_[i].generation, 0, 0, 0}, *rows_[i].request);
  }

  size_t size() const {
    return size_;
  }

private:
  struct entry {
    std::unique_ptr<Request> request;
    uint32_t generation = 1;
  };

  std::vector<entry> rows_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
};

} // namespace covey
