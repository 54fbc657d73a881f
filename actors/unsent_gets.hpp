// Gets whose reads are gathered and have not been sent, for others to join.

#pragma once

#include "actors/request_table.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace covey {

/// By hash of what is read and how. A later get of another hash may take the
/// place of an earlier one: then nobody joins that any more.
class unsent_gets {
public:
  void add(uint64_t hash, const ticket& t) {
    rows_[hash % rows_.size()] = {batch_, hash, t};
  }
  /// The last get of this hash that was added since the last `sent`;
  /// `also_sent` finds those before it too.
  std::optional<ticket> find(uint64_t hash, bool also_sent = false) const {
    const auto& row = rows_[hash % rows_.size()];
    if (row.hash != hash || row.batch == 0
        || (row.batch != batch_ && !also_sent))
      return std::nullopt;
    return row.get;
  }
  /// All that was gathered has left.
  void sent() {
    ++batch_;
  }

private:
  struct entry {
    uint64_t batch = 0;
    uint64_t hash = 0;
    ticket get;
  };

  std::array<entry, 256> rows_;
  uint64_t batch_ = 1;
};

} // namespace covey
