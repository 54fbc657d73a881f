// Watching peers by direct round trips: whom a node suspects, and whether its
// suspicion may count.

#pragma once

#include "core/epoch.hpp"
#include "core/gossip.hpp"
#include "core/phi_detector.hpp"

#include <optional>
#include <vector>

namespace covey::core {

struct watch_config {
  uint64_t probe_ms = 500;
  /// Silence beyond the usual after which requests go around a peer, and after
  /// which it is accused.
  uint64_t suspect_pause_ms = 1'000;
  uint64_t accuse_pause_ms = 3'500;
  double threshold = 8;
  phi_model model = phi_model::normal;
  /// A node that did not run for longer than this believes nothing of what it
  /// did not hear.
  uint64_t pause_ms = 2'000;
};

/// The peers that one node watches, each with a detector. Times are of a
/// monotonic clock.
class watch {
public:
  watch(const watch_config& config, std::vector<member_index> watched,
        uint64_t now_ms);

  /// Watches these from now on; of those watched before, what was learnt stays.
  void watch_only(std::vector<member_index> watched, uint64_t now_ms);

  /// Notes that the node runs. True if it did not run for too long: all that it
  /// believed is forgiven, and it reaches nobody until it has heard anew.
  bool awake(uint64_t now_ms);

  struct due {
    member_index to;
    probe what;
  };
  /// Probes to send now.
  std::vector<due> probes(uint64_t now_ms);
  /// An answer that was asked for, and comes for the first time; else false.
  bool answered(member_index from, const probe_answer& answer, uint64_t now_ms);
  /// A session with the peer has begun: it is probed at once.
  void connected(member_index m);
  /// A new process: what was learnt of the old one's silence is void.
  void new_run(member_index m, uint64_t now_ms);
  /// Whether the peer's machine says that nobody listens at its port. Of peers
  /// that are not watched, too.
  void refused(member_index m, bool is_refused);

  const std::vector<member_index>& watched() const {
    return watched_;
  }
  /// Requests should go around it.
  bool suspects(member_index m, uint64_t now_ms) const;
  /// Silent for so long that it should be accused, or refusing connections.
  bool convicts(member_index m, uint64_t now_ms) const;
  /// More than half of those watched and the node itself answer.
  bool reaches_most(uint64_t now_ms) const;
  /// Since the last answer, or since it was last forgiven.
  uint64_t silence_ms(member_index m, uint64_t now_ms) const;
  /// Heartbeat in its last answer.
  uint64_t heartbeat(member_index m) const;

private:
  struct peer {
    phi_detector detector;
    uint64_t asked = 0;
    uint64_t last_asked_ms = 0;
    uint64_t answered = 0;
    uint64_t heartbeat = 0;
    bool probe_now = true;
    /// Has answered since the node was last away.
    bool fresh = false;
  };
  const peer* find(member_index m) const;
  peer* find(member_index m) {
    return const_cast<peer*>(static_cast<const watch*>(this)->find(m));
  }
  phi_config detector_config() const;
  bool is_refused(member_index m) const {
    return m < refused_.size() && refused_[m];
  }

  watch_config config_;
  /// Ascending.
  std::vector<member_index> watched_;
  std::vector<peer> peers_;
  std::vector<bool> refused_;
  uint64_t last_awake_ms_;
};

} // namespace covey::core
