// What a put waits for: a value that is told events and says what to do.

#pragma once

#include "core/consistency.hpp"

#include <array>
#include <cstdint>

namespace covey::core {

/// The replication of one put, by the node that coordinates it. A home that
/// does not take the write, or not in time, gets a stand-in: a fallback that
/// keeps a hint for it, or the coordinating node itself (`here`). The caller's
/// part:
/// 1. before the put is given to the local shard, report the homes that cannot
///    take it as `failed`, give stand-ins to what is `unattended()`, and refuse
///    the put unless it is `possible()`;
/// 2. report each home once it is durable or failed, and `slow` when its
///    patience is over; then give stand-ins to what is `unattended()`;
/// 3. report each stand-in as hinted or failed (`kept` when it is `here`);
/// 4. ask `judge()` after that, and answer the client when told to, once;
/// 5. forget the request when `settled()`: every home has the write, or a hint
///    for it is on a disk, or it was given up.
/// Places are those of the preference list: homes first, then fallbacks.
class put_core {
public:
  enum class verdict : uint8_t {
    /// Nothing new to say to the client.
    wait,
    /// The level is met: every node counted has it on disk.
    succeed,
    /// The level can no longer be met. What was written stays (traps.md 16).
    fail,
  };
  /// A stand-in that never counts: the coordinating node keeps the hint.
  static constexpr uint8_t here = 0xff;
  static constexpr uint8_t max_homes = 16;
  /// Places in a preference list.
  static constexpr uint8_t max_places = 32;

  /// Sloppy puts count stand-ins, `strict` ones do not.
  put_core(requirement need, bool strict, uint8_t homes);

  void durable(uint8_t home);
  void failed(uint8_t home);
  void slow(uint8_t home);
  /// Homes that need a stand-in and have none under way.
  home_set unattended() const;
  /// `place` is asked to keep a hint for `home`; a fallback stands in for one
  /// home at most. `counts`: it may be counted for that home at this level.
  void stand_in(uint8_t home, uint8_t place, bool counts);
  /// The hint is on disk at the fallback `place`, or will not be.
  void hinted(uint8_t place);
  void hint_failed(uint8_t place);
  /// The hint is on disk here.
  void kept(uint8_t home);
  /// Nobody keeps a hint for `home`: repair has to find what it misses.
  void give_up(uint8_t home);
  verdict judge();

  /// True unless the level is out of reach.
  bool possible() const;
  bool used(uint8_t place) const {
    return (used_ >> place & 1) != 0;
  }
  uint8_t stand_in_of(uint8_t home) const {
    return stand_in_[home];
  }
  /// True if homes alone have met the level.
  bool met_by_homes() const {
    return need_.met(acked_);
  }
  bool answered() const {
    return answered_;
  }
  /// Marks the client as answered for a reason from outside (deadline).
  void close() {
    answered_ = true;
  }
  bool settled() const {
    return unsettled() == 0;
  }
  /// Homes that neither have it nor have a hint on a disk, nor were given up.
  home_set unsettled() const {
    return all_ & ~(acked_ | hinted_ | given_up_);
  }
  home_set all() const {
    return all_;
  }
  home_set acked() const {
    return acked_;
  }
  home_set failures() const {
    return failed_;
  }
  /// Homes counted: those that have it, and in a sloppy put those for which
  /// another node has it.
  home_set counted() const {
    return strict_ ? acked_ : acked_ | stood_;
  }
  const requirement& need() const {
    return need_;
  }

private:
  static constexpr uint8_t nobody = 0xfe;

  requirement need_;
  bool strict_;
  home_set all_;
  home_set acked_ = 0;
  home_set failed_ = 0;
  home_set slow_ = 0;
  /// A hint for it is on a disk; of these, the ones that count.
  home_set hinted_ = 0;
  home_set stood_ = 0;
  /// Its stand-in, if any, may be counted.
  home_set counting_ = 0;
  home_set given_up_ = 0;
  /// Fallbacks that were asked.
  uint64_t used_ = 0;
  std::array<uint8_t, max_homes> stand_in_{};
  bool answered_ = false;
};

} // namespace covey::core
