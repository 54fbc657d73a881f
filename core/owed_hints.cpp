#include "core/owed_hints.hpp"

#include <algorithm>

namespace covey::core {

void owed_hints::connected(member_index m, bool keeps) {
  rows_[m] = {};
  rows_[m].owed = keeps;
}

void owed_hints::disconnected(member_index m) {
  rows_[m] = {};
}

std::optional<bool> owed_hints::word_for(member_index m, bool keeps,
                                         uint64_t now_ms) {
  auto& x = rows_[m];
  if (!x.owed || (keeps && x.said_ms && now_ms < *x.said_ms + repeat_ms_))
    return std::nullopt;
  x.owed = keeps;
  x.said_ms = now_ms;
  return keeps;
}

void owed_hints::told(member_index m, bool keeps, uint64_t now_ms) {
  rows_[m].heard_ms = keeps ? std::optional{now_ms} : std::nullopt;
}

bool owed_hints::catching_up(uint64_t now_ms) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const row& x) {
    return x.heard_ms && now_ms <= *x.heard_ms + 3 * repeat_ms_;
  });
}

} // namespace covey::core
