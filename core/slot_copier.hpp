// Copies the slots that a member gains from those that have them.

#pragma once

#include "core/epoch.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace covey::core {

struct group_slot {
  uint32_t group = 0;
  uint16_t slot = 0;
};

inline bool operator<(const group_slot& x, const group_slot& y) {
  return std::tie(x.group, x.slot) < std::tie(y.group, y.slot);
}
inline bool operator==(const group_slot& x, const group_slot& y) {
  return x.group == y.group && x.slot == y.slot;
}

/// What the receiving member has to do, as a value that is told what happened.
/// A slot is read page by page from each of its sources, keyspace after
/// keyspace; every page is merged and on disk here before the next one is
/// asked for. Then the slot is compared with each source, until they are equal;
/// then it is done, and the caller remembers that beyond a crash. A slot whose
/// copying was interrupted begins anew.
class slot_copier {
public:
  /// Whom to copy a slot from, all of them: its displaced home, or a majority
  /// of the homes of before. Empty: nobody can be asked now.
  using source_finder
    = std::function<std::vector<member_index>(const group_slot&)>;

  /// `keyspaces` by group; at most `window` slots are under way at a time; one
  /// that failed waits for `retry_ms`.
  slot_copier(const std::vector<group_slot>& slots,
              std::map<uint32_t, std::vector<uint32_t>> keyspaces,
              size_t window, uint64_t retry_ms);

  /// A page to read: of the records of a slot and keyspace after a key.
  struct page {
    uint64_t ticket = 0;
    group_slot what;
    uint32_t keyspace = 0;
    member_index from = 0;
    std::string after;
  };
  struct comparison {
    uint64_t ticket = 0;
    group_slot what;
    member_index with = 0;
  };
  struct work {
    std::vector<page> pages;
    std::vector<comparison> comparisons;
  };

  /// What to do now; each item is given once.
  work next(uint64_t now_ms, const source_finder& sources);
  /// The page is on disk here. `after`: its last key; empty if the source has
  /// no more of the slot and keyspace. Answers to what is over are ignored.
  void stored(uint64_t ticket, const std::string& after, uint64_t records,
              uint64_t bytes);
  /// True if the slot is done by it. Slots that differ are copied again.
  bool compared(uint64_t ticket, bool equal, uint64_t now_ms);
  /// The page or comparison did not come about.
  void failed(uint64_t ticket, uint64_t now_ms);
  /// `m` cannot be reached any more: what is read from it begins anew, perhaps
  /// elsewhere.
  void lost(member_index m, uint64_t now_ms);

  struct progress {
    size_t slots = 0;
    size_t done = 0;
    size_t under_way = 0;
    /// Slots that nobody can be asked for at the moment.
    size_t stuck = 0;
    uint64_t records = 0;
    uint64_t bytes = 0;
  };
  progress so_far() const;
  bool finished() const {
    return waiting_.empty() && under_way_.empty();
  }

private:
  struct copy {
    std::vector<member_index> sources;
    /// Of `sources`, and of the keyspaces of the group.
    size_t source = 0;
    size_t keyspace = 0;
    bool comparing = false;
    std::string after;
    /// Of what is asked; zero: the next step is to be asked for.
    uint64_t ticket = 0;
  };
  using copies = std::map<group_slot, copy>;

  void begin(uint64_t now_ms, const source_finder& sources);
  copies::iterator find(uint64_t ticket);
  void put_back(copies::iterator at, uint64_t now_ms);

  std::map<uint32_t, std::vector<uint32_t>> keyspaces_;
  size_t window_;
  uint64_t retry_ms_;
  size_t total_;
  /// Not begun, and when they may.
  std::map<group_slot, uint64_t> waiting_;
  copies under_way_;
  uint64_t last_ticket_ = 0;
  progress sums_;
};

} // namespace covey::core
