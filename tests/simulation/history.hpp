// What clients did and saw, and whether it can be explained.

#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace covey::simulation {

enum class outcome : uint8_t {
  /// Invoked, and not answered yet, or answered "maybe".
  unknown,
  acknowledged,
  /// Answered that nothing was written.
  refused,
};

/// One put of a unique value, or a delete. Times are of the simulation.
struct put_event {
  /// With its keyspace in front.
  std::string key;
  std::string value;
  bool tombstone = false;
  /// Of a keyspace where the last write wins.
  bool lww = false;
  /// Zero: does not expire.
  uint64_t ttl_us = 0;
  /// Puts whose values the client had seen when it made the context.
  std::set<size_t> replaces;
  /// May have been executed more than once, under one request id: a repetition
  /// that arrives when the key's memory of requests has moved on may leave a
  /// false sibling, or another stamp.
  bool repeated = false;
  uint64_t invoked_us = 0;
  uint64_t answered_us = 0;
  /// Asked homes alone to take it.
  bool strict = false;
  /// Homes alone met the level; else reads need not see it until its hints are
  /// handed over.
  bool by_homes = true;
  /// After it nobody may execute it any more.
  uint64_t deadline_us = 0;
  outcome result = outcome::unknown;
  /// Place of its level in the layout's accesses.
  size_t access = 0;
  /// What the answer says of its stamp.
  uint64_t stamp = 0;
};

struct get_event {
  std::string key;
  std::vector<std::string> values;
  uint64_t invoked_us = 0;
  uint64_t answered_us = 0;
  bool lww = false;
  size_t access = 0;
  /// Highest stamp in the context; unknown to scans.
  uint64_t stamp = 0;
  /// One key's part of a scan: what it saw need not be on disk.
  bool scanned = false;
};

struct history_rules {
  /// For each pair of accesses, whether what met the one meets the other.
  std::vector<std::vector<bool>> overlaps;
  /// Clocks differ by no more.
  uint64_t clock_spread_us = 0;
};

/// A history of puts and gets, and its checker.
class history {
public:
  explicit history(history_rules rules) : rules_(std::move(rules)) {}
  /// Of accesses that all overlap.
  history() : history(history_rules{{{true}}, 0}) {}

  /// Returns the number of the put.
  size_t add(put_event put);
  put_event& put(size_t i) {
    return puts_[i];
  }
  void add(get_event get) {
    gets_.push_back(std::move(get));
  }
  const std::vector<put_event>& puts() const {
    return puts_;
  }
  /// Homes have what others kept for them of puts answered until now. Times
  /// rise.
  void handed_over(uint64_t now_us) {
    handed_over_us_.push_back(now_us);
  }
  /// The put that wrote `value`; puts().size() if none did.
  size_t find(const std::string& value) const;
  size_t gets() const {
    return gets_.size();
  }
  const std::vector<get_event>& all_gets() const {
    return gets_;
  }

  /// One line for each thing that must not be. A get whose level overlaps:
  /// - does not account for a put acknowledged before it began, or for a value
  ///   that an earlier get returned (accounted for: the value is there, or that
  ///   of a write which replaced it, or so on; a delete, or a value that may
  ///   have expired, leaves none); where the last write wins, it knows a lower
  ///   stamp than such a put or get, or returns another value than the newest.
  /// A strict put that only fallbacks acknowledged.
  /// Any get:
  /// - returns a value twice, a value never written, one long expired, or a
  ///   value beside one that replaced it, directly or by way of others, or
  ///   after a write that replaced it was acknowledged, unless it was repeated;
  ///   several where the last write wins.
  std::vector<std::string> check() const;

private:
  struct findings;
  struct demands;
  using values = std::set<size_t>;

  values look_at(const get_event& get, findings& out) const;
  void check_siblings(const std::vector<size_t>& order,
                      const std::vector<values>& seen, size_t access,
                      findings& out) const;
  void check_stamps(const std::vector<size_t>& order,
                    const std::vector<values>& seen, size_t access,
                    findings& out) const;
  /// The puts that `put` replaces, directly or by way of others.
  values replaced_before(size_t put) const;
  /// A write because of which `get` must not see `put` any more: due, and
  /// replacing it directly or by way of others. puts().size() if none is.
  size_t replacement_due(size_t put, const get_event& get) const;
  bool accounted(size_t put, const values& seen, const get_event& get) const;
  bool leaves_nothing(const put_event& put, uint64_t by_us) const;
  /// Where the last write wins, puts of `key` by their stamps, of which each
  /// has one for certain.
  std::multimap<uint64_t, size_t> by_stamp(const std::string& key) const;
  /// From when on reads must see an acknowledged put.
  uint64_t due_us(const put_event& put) const;

  history_rules rules_;
  std::vector<uint64_t> handed_over_us_;
  std::vector<put_event> puts_;
  std::vector<get_event> gets_;
  std::map<std::string, size_t> by_value_;
  /// For each put, those that replace it directly.
  std::map<size_t, std::vector<size_t>> replaced_by_;
};

} // namespace covey::simulation
