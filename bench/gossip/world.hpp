// Many members that gossip on virtual time, over a network that loses messages.

#pragma once

#include "core/membership.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace covey::bench {

struct world_options {
  size_t members = 100;
  /// Share of messages that are lost, in percent.
  double loss = 0;
  /// A message takes from 1 ms up to this.
  uint64_t longest_ms = 20;
  uint64_t seed = 1;
  core::membership_config membership;
};

/// What was sent, in frames and in their bytes on the wire.
struct traffic {
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t largest = 0;
};

class world {
public:
  using index = core::member_index;

  explicit world(const world_options& options);

  /// Virtual time goes on; members tick every 50 ms, each at its own phase.
  void run_for(uint64_t ms);
  /// Milliseconds until `done`, looked at every 50 ms; `limit_ms` if never.
  uint64_t run_until(const std::function<bool()>& done, uint64_t limit_ms);
  void kill(index m);

  bool runs(index m) const {
    return members_[m] != nullptr;
  }
  size_t size() const {
    return members_.size();
  }
  const core::membership& at(index m) const {
    return *members_[m];
  }
  /// Members that run and see `m` in this state.
  size_t seeing(index m, core::health state) const;
  size_t running() const;
  const traffic& sent() const {
    return sent_;
  }
  core::membership_counters counters() const;

private:
  /// A tick of a member, or the arrival of a frame.
  using event = std::function<void()>;

  uint64_t wall_us() const {
    return 1'700'000'000'000'000 + now_ms_ * 1000;
  }
  void tick(index m);
  void at_ms(uint64_t ms, event what);
  /// True if it arrives; counts it.
  bool send(const std::string& frame);
  uint64_t delay();
  void deliver(index from, index to, const core::gossip_message& what);

  world_options options_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<core::membership>> members_;
  std::vector<std::vector<index>> others_;
  std::multimap<uint64_t, event> events_;
  uint64_t now_ms_ = 1'000'000;
  traffic sent_;
};

} // namespace covey::bench
