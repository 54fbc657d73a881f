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

/// One put of a unique value, or a delete.
struct put_event {
  std::string key;
  std::string value;
  bool tombstone = false;
  /// Puts whose values the client had seen when it made the context.
  std::set<size_t> replaces;
  /// Sent more than once, under one request id. A repetition that arrives when
  /// the key's memory of requests has moved on may leave a false sibling.
  bool repeated = false;
  uint64_t invoked_us = 0;
  uint64_t answered_us = 0;
  outcome result = outcome::unknown;
  /// Homes alone met the level; else reads need not see it until its hints are
  /// handed over.
  bool by_homes = false;
};

struct get_event {
  std::string key;
  std::vector<std::string> values;
  uint64_t invoked_us = 0;
  uint64_t answered_us = 0;
};

/// A history of puts and gets at QUORUM, and its checker.
class history {
public:
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
  /// The put that wrote `value`; puts().size() if none did.
  size_t find(const std::string& value) const;
  /// From now on homes have what fallbacks kept for them.
  void handed_over(uint64_t now_us) {
    handed_over_us_ = now_us;
  }
  size_t gets() const {
    return gets_.size();
  }
  const std::vector<get_event>& all_gets() const {
    return gets_;
  }

  /// One line for each thing that must not be:
  /// - a get does not account for a put acknowledged before it began, or for a
  ///   value that an earlier get returned (accounted for: the value is there,
  ///   or that of a write which replaced it, or so on; a delete leaves none);
  /// - a get returns a value twice, a value never written or refused;
  /// - a get returns a value beside one that replaced it, directly or by way of
  ///   others, or after a write that replaced it was acknowledged (unless it
  ///   was sent more than once, as nodes that forward do too: `once` says that
  ///   only puts marked as repeated were).
  std::vector<std::string> check(bool once = true) const;

private:
  bool accounted(size_t put, const std::set<size_t>& seen,
                 const get_event& get) const;
  /// The puts that `put` replaces, directly or by way of others.
  std::set<size_t> replaced_before(size_t put) const;

  uint64_t handed_over_us_ = UINT64_MAX;
  std::vector<put_event> puts_;
  std::vector<get_event> gets_;
  std::map<std::string, size_t> by_value_;
  /// For each put, those that replace it directly.
  std::map<size_t, std::vector<size_t>> replaced_by_;
};

} // namespace covey::simulation
