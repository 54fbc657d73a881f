// What a node knows of each member from gossip, and what it tells of it.

#pragma once

#include "core/epoch.hpp"
#include "core/gossip.hpp"

#include <map>
#include <optional>
#include <vector>

namespace covey::core {

/// Merges rows and compares digests. The members are given: gossip about others
/// is ignored, so that it cannot create any. Times are of a monotonic clock.
class member_table {
public:
  /// `start` is where the digests of offers begin, if there are too many
  /// members for one message.
  member_table(const std::vector<uuid>& members, member_index self,
               size_t start = 0);

  /// Members after those known so far.
  void grow(const std::vector<uuid>& members);

  /// The newest evidence that a member lived.
  struct life {
    uint64_t run = 0;
    uint64_t heartbeat = 0;
    /// When it was learnt.
    uint64_t learnt_ms = 0;
  };

  enum class outcome : uint8_t {
    /// Of no member, of a run in the far future, or of ourselves.
    refused,
    /// Nothing new.
    old,
    newer,
    /// Newer, and of a later process than known before.
    new_run,
  };

  outcome merge(const member_row& in, uint64_t now_ms, uint64_t now_s);
  /// Evidence without a row: an answered probe, a hello. True for a new run.
  bool lived(member_index m, uint64_t run, uint64_t heartbeat, uint64_t now_ms);

  /// Changes our own row; the caller has made a new version of it.
  void set_own(const member_row& row, bool news);

  size_t size() const {
    return rows_.size();
  }
  member_index self() const {
    return self_;
  }
  const member_row& row(member_index m) const {
    return rows_[m];
  }
  const life& life_of(member_index m) const {
    return lives_[m];
  }
  /// When the newest version of its row came.
  uint64_t renewed_ms(member_index m) const {
    return renewed_ms_[m];
  }
  std::optional<member_index> find(const uuid& id) const;

  /// What to send to a peer of one's own accord: our row, rows with news, and
  /// digests of as many members as fit; each call goes on where the last one
  /// ended.
  gossip_message offer();
  /// What the sender of this should be told, and be asked for.
  gossip_message answer(const gossip_message& in) const;

private:
  std::map<uuid, member_index> index_;
  std::vector<member_row> rows_;
  std::vector<life> lives_;
  std::vector<uint64_t> renewed_ms_;
  /// Offers that shall still carry the row, because of a new run, or because
  /// its accusations changed or whether it is catching up.
  std::vector<uint8_t> news_;
  member_index self_;
  size_t next_;
  uint8_t repeats_;
};

} // namespace covey::core
