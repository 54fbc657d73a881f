// What many clients did to many keys, and whether it can be explained.

#pragma once

#include "client/client.hpp"
#include "tests/simulation/history.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace covey::chaos {

using simulation::history;
using simulation::outcome;

/// What an answer says of the write: `refused` only if nothing was written.
outcome outcome_of(const client::result& r);

/// One history for each key. Thread-safe; times are those of one clock.
class recorder {
public:
  /// An answer later than this may have been that of a second attempt within
  /// the cluster (coordinator_config::patience_us).
  static constexpr uint64_t prompt_us = 50'000;

  struct totals {
    uint64_t puts = 0;
    uint64_t acknowledged = 0;
    uint64_t refused = 0;
    uint64_t unknown = 0;
    uint64_t gets = 0;
    uint64_t keys = 0;
    /// Puts that were certainly sent once: checked for false siblings too.
    uint64_t once = 0;
  };

  /// Faults are there, or may still have effects. Puts meanwhile, and those
  /// that were not answered promptly, may have been forwarded more than once.
  void disturbed(bool on);

  /// Returns the number of the put, which is of this key.
  size_t begin_put(simulation::put_event put);
  void end_put(const std::string& key, size_t number, const client::result& r,
               uint64_t now_us);
  void add_get(simulation::get_event get);

  /// The puts of `key` that wrote these values.
  std::set<size_t> find(const std::string& key,
                        const std::vector<std::string>& values) const;
  /// Puts and gets of `key` so far.
  size_t events(const std::string& key) const;
  std::vector<std::string> keys() const;

  /// Keys with a put that was acknowledged by fallbacks: only when these have
  /// handed it over a quorum of homes must show it.
  std::vector<std::string> parked_keys() const;
  /// From `now_us` on gets must show what was parked.
  void expect_parked(uint64_t now_us);

  totals count() const;
  /// By key, what must not be; only keys with something.
  std::map<std::string, std::vector<std::string>> check() const;
  std::vector<std::string> check(const std::string& key) const;
  /// Every event of `key` in the order of their beginnings, a line each.
  void write_history(const std::string& key, std::ostream& out) const;

private:
  mutable std::mutex mutex_;
  bool disturbed_ = true;
  std::map<std::string, history> histories_;
  std::map<std::string, std::set<size_t>> parked_;
};

} // namespace covey::chaos
