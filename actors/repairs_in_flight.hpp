// Repairs on their way: a home is given one repair of a key at a time.

#pragma once

#include "actors/request_table.hpp"

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace covey {

/// By key and home; `t` is the ticket of the get that repairs.
class repairs_in_flight {
public:
  enum class verdict : uint8_t {
    /// Write the record; `end` follows with the answer.
    send,
    /// The same version is on its way: its answer is this one's as well.
    joined,
    /// Not now: another one of this key is under way, or too many are.
    drop,
  };

  explicit repairs_in_flight(size_t max_in_background)
    : max_in_background_(max_in_background) {}

  /// `awaited`: somebody waits for it, so that it is never dropped.
  verdict begin(uint64_t key, const ticket& t, uint64_t version, bool awaited) {
    auto i = rows_.find(place_of(key, t));
    if (i == rows_.end()) {
      if (!awaited && rows_.size() >= max_in_background_)
        return verdict::drop;
      rows_.emplace(place_of(key, t), entry{version, t.pack(), {}});
      return verdict::send;
    }
    if (!awaited)
      return verdict::drop;
    // Another version is news to the home, and its get cannot wait.
    if (i->second.version != version)
      return verdict::send;
    i->second.joined.push_back(t);
    return verdict::joined;
  }
  /// The repair of `t` was answered or given up: those that joined it.
  std::vector<ticket> end(uint64_t key, const ticket& t) {
    auto i = rows_.find(place_of(key, t));
    if (i == rows_.end() || i->second.owner != t.pack())
      return {};
    auto result = std::move(i->second.joined);
    rows_.erase(i);
    return result;
  }
  size_t size() const {
    return rows_.size();
  }

private:
  struct entry {
    uint64_t version;
    uint64_t owner;
    std::vector<ticket> joined;
  };

  static uint64_t place_of(uint64_t key, const ticket& t) {
    return key + t.place * 0x9e3779b97f4a7c15ull;
  }

  size_t max_in_background_;
  std::unordered_map<uint64_t, entry> rows_;
};

} // namespace covey
