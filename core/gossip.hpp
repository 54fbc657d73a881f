// What members tell each other about themselves and whom they miss.

#pragma once

#include "core/uuid.hpp"

#include <cstdint>
#include <vector>

namespace covey::core {

/// In one message at most: the table of a large cluster takes several.
inline constexpr size_t max_gossip_rows = 256;
inline constexpr size_t max_gossip_digests = 256;

/// "I do not hear this run of that member." It holds until the member shows a
/// later heartbeat than this one, or a later run.
struct accusation {
  uuid member;
  uint64_t run = 0;
  uint64_t heartbeat = 0;
};

inline bool operator==(const accusation& x, const accusation& y) {
  return x.member == y.member && x.run == y.run && x.heartbeat == y.heartbeat;
}

/// What a member says of itself. Only it makes new versions.
struct member_row {
  uuid id;
  /// Zero: never heard of.
  uint64_t run = 0;
  /// Rises with every change of the row.
  uint64_t version = 0;
  /// Rises once a heartbeat interval.
  uint64_t heartbeat = 0;
  /// Age of its oldest commit that is not on its disk.
  uint64_t unflushed_ms = 0;
  /// Client requests in flight.
  uint32_t load = 0;
  bool catching_up = false;
  /// At most `max_watchers`.
  std::vector<accusation> accuses;
};

/// Which version of a row the sender has.
struct member_digest {
  uuid id;
  uint64_t run = 0;
  uint64_t version = 0;
};

/// Rows for the receiver to merge, and digests for it to compare: it answers
/// with rows where it has newer ones and with digests where it has older ones.
struct gossip_message {
  std::vector<member_row> rows;
  std::vector<member_digest> digests;

  bool empty() const {
    return rows.empty() && digests.empty();
  }
};

/// Answered at once by the peer's own gossiper: a round trip proves that both
/// processes and both directions work.
struct probe {
  uint64_t sequence = 0;
};

struct probe_answer {
  /// Of the probe.
  uint64_t sequence = 0;
  uint64_t run = 0;
  uint64_t heartbeat = 0;
};

/// A run is the time of a process's start in seconds, or a little more; one
/// that lies more than a year ahead is a broken clock or a broken disk.
inline bool is_plausible_run(uint64_t run, uint64_t now_s) {
  return run <= now_s + 366ull * 24 * 3600;
}

} // namespace covey::core
