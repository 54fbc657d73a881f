// What goes wrong in a simulated cluster, and when.

#pragma once

#include "tests/simulation/sim_cluster.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace covey::simulation {

/// Each seed draws a climate: some of the kinds of faults, how often they
/// strike, how soon they are mended, and how the network treats packets.
/// Few kinds at a time reach deeper than all at once.
class faults {
public:
  enum class kind : uint8_t {
    crash,
    power_failure,
    /// All power fails at the moment of an acknowledgement.
    power_after_ack,
    cut,
    slow_link,
    freeze,
    commit_errors,
    read_errors,
    full_disk,
    stalled_disk,
    actor_crash,
    clean_stop,
    clock_jump,
  };

  /// `clement`: nothing ever happens.
  faults(sim_net& net, sim_cluster& cluster, bool clement);

  bool strikes(kind x) const;
  /// Until the next strike.
  std::chrono::milliseconds pause();
  void strike();
  /// A client was answered: its put is on disk, or these values are.
  void answered();
  /// True if all power is to fail now.
  bool power_is_failing() const {
    return power_is_failing_;
  }
  void fail_power();
  /// Mends everything but freezes and stalls, which end by themselves; what has
  /// ended is started again.
  void recover();
  /// Mends everything, and packets fare well from now on.
  void calm();
  uint32_t crashes() const {
    return crashes_;
  }

private:
  void inflict(kind what, host n);
  void cut_off(host n);
  void crash(host n);
  std::chrono::milliseconds draw_ms(uint32_t least, uint32_t most);

  sim_net& net_;
  sim_cluster& cluster_;
  std::vector<kind> kinds_;
  uint32_t pause_ms_ = 300;
  uint32_t recovery_percent_ = 30;
  bool power_is_failing_ = false;
  uint32_t crashes_ = 0;
};

} // namespace covey::simulation
