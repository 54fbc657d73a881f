// What came too early: of an epoch that this node does not know yet.

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace covey {

/// Keeps operations and who asked, in their order, up to a number and a size.
/// `Op` has a deadline, a key, and bytes as `size_of` tells.
template <class From, class Op>
class waiting_room {
public:
  static constexpr size_t max_waiting = 4'096;
  static constexpr size_t max_bytes = 16 << 20;

  struct entry {
    From from;
    Op op;
    size_t bytes;
  };

  /// False, and nothing taken, if there is no room.
  bool admit(const From& from, Op& op, size_t bytes, uint64_t now_us) {
    if (waiting_.size() >= max_waiting || bytes_ + bytes > max_bytes)
      drop_expired(now_us);
    if (waiting_.size() >= max_waiting || bytes_ + bytes > max_bytes)
      return false;
    bytes_ += bytes;
    waiting_.push_back({from, std::move(op), bytes});
    return true;
  }
  /// All that waits; the room is empty then.
  std::vector<entry> leave() {
    bytes_ = 0;
    return std::exchange(waiting_, {});
  }
  size_t size() const {
    return waiting_.size();
  }

private:
  /// Whoever asked has given up.
  void drop_expired(uint64_t now_us) {
    std::vector<entry> rest;
    bytes_ = 0;
    for (auto& x : waiting_)
      if (x.op.deadline_us >= now_us) {
        bytes_ += x.bytes;
        rest.push_back(std::move(x));
      }
    waiting_ = std::move(rest);
  }

  std::vector<entry> waiting_;
  size_t bytes_ = 0;
};

} // namespace covey
