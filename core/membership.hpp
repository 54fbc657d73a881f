// Membership and failure detection of one node: gossip, accusations, views.

#pragma once

#include "core/liveness.hpp"
#include "core/member_table.hpp"
#include "core/watch.hpp"
#include "core/watchers.hpp"

#include <random>
#include <vector>

namespace covey::core {

struct membership_config {
  uint64_t heartbeat_ms = 1'000;
  /// Peers that a node gossips with in a round, one round a heartbeat.
  uint32_t fanout = 3;
  watch_config watching;
  /// Accusations that their accuser does not renew count no longer after this.
  uint64_t accusation_ms = 120'000;
  /// A member whose oldest unflushed commit is older is not written to.
  uint64_t stalled_ms = 5'000;
};

/// What a node says of itself beside that it lives.
struct own_state {
  uint64_t unflushed_ms = 0;
  uint32_t load = 0;
  bool catching_up = false;
};

/// What has happened so far, for people.
struct membership_counters {
  /// Members that this node has come to see as suspect, and as down.
  uint64_t suspects = 0;
  uint64_t downs = 0;
  /// Accusations that this node has made, and has refuted of itself.
  uint64_t accusations = 0;
  uint64_t refutations = 0;
  /// Times that this node did not run for too long.
  uint64_t pauses = 0;
  /// Rows of nobody we know, or of runs far ahead.
  uint64_t refused_rows = 0;
};

/// One node's part in the gossip, as a value: it is told of time and of what
/// arrived, and says what to send. `now_ms` is of a monotonic clock, `wall_us`
/// the time of day.
///
/// A member is down when two of its watchers accuse the same run (in a cluster
/// of two: the other one), and stays so while an accusation holds. It is no
/// longer held when the member shows a later heartbeat or run, when its accuser
/// hears it again, or when it is not renewed. Source of votes that expire:
/// the membership protocol of Orleans.
class membership {
public:
  membership(const membership_config& config, const std::vector<uuid>& members,
             member_index self, uint64_t run, uint64_t seed, uint64_t now_ms);

  /// A later epoch: `members` begin with those known so far, `removed` says by
  /// index who is none any more. Gossip alone adds nobody.
  void grow(const std::vector<uuid>& members, const std::vector<bool>& removed,
            uint64_t now_ms);

  struct letter {
    member_index to;
    gossip_message what;
  };
  struct output {
    std::vector<letter> letters;
    std::vector<watch::due> probes;
  };
  /// Call often, as time passes; `reachable`: whom letters can be sent to.
  output tick(uint64_t now_ms, const own_state& own,
              const std::vector<member_index>& reachable);
  /// The answer to a message; nothing is to be sent if it is empty.
  gossip_message receive(const gossip_message& in, uint64_t now_ms,
                         uint64_t wall_us);
  probe_answer answer(const probe& in) const;
  void answered(member_index from, const probe_answer& in, uint64_t now_ms,
                uint64_t wall_us);
  /// A session with this run of a peer has begun.
  void connected(member_index m, uint64_t run, uint64_t now_ms);
  /// Whether its machine refuses connections to its port.
  void refused(member_index m, bool is_refused);

  /// Brings the view up to date; true if it is another than before.
  bool refresh(uint64_t now_ms, uint64_t wall_us);
  const liveness_view& view() const {
    return view_;
  }
  const member_table& table() const {
    return table_;
  }
  const membership_counters& counters() const {
    return counters_;
  }
  const watch& watching() const {
    return watch_;
  }

private:
  /// Notes that the node runs; whatever comes first after a pause tells.
  void wake(uint64_t now_ms);
  uint64_t own_heartbeat(uint64_t now_ms) const;
  void learn(member_index m, uint64_t run, uint64_t heartbeat, uint64_t now_ms);
  void update_own(uint64_t now_ms, const own_state& own);
  std::vector<accusation> accusations(uint64_t now_ms);
  bool may_accuse(uint64_t now_ms) const;
  bool holds(member_index accuser, const accusation& x, uint64_t now_ms) const;
  void defend(const member_row& row);
  member_liveness judge(member_index m, std::vector<member_index> accusers,
                        uint64_t now_ms) const;
  std::vector<member_index> pick(std::vector<member_index> from);

  membership_config config_;
  std::mt19937_64 random_;
  member_table table_;
  watch_circle circle_;
  watch watch_;
  /// Our accusation was refuted: the next one waits.
  std::vector<bool> refuted_;
  liveness_view view_;
  membership_counters counters_;
  uint64_t start_ms_;
  /// Heartbeats beyond those that time has brought.
  uint64_t extra_ = 0;
  uint64_t last_round_ms_;
  /// Something that should not wait for the next round.
  bool urgent_ = true;
};

} // namespace covey::core
