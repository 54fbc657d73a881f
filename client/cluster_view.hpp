// What a client knows of the cluster: which nodes are home of which key.

#pragma once

#include "core/epoch.hpp"
#include "core/ring.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace covey::client {

/// One epoch, as a node has told it. Immutable.
class cluster_view {
public:
  /// `e` as `core::validate` accepts it.
  explicit cluster_view(core::epoch e);

  const core::epoch& epoch() const {
    return epoch_;
  }
  /// Members that are homes of the key's slot, in the order of the preference
  /// list, but those of `data_centre` first. Empty if the keyspace is unknown.
  std::vector<core::member_index> homes(std::string_view keyspace,
                                        std::string_view key,
                                        std::string_view data_centre) const;
  /// Likewise, of a slot.
  std::vector<core::member_index> homes(std::string_view keyspace,
                                        uint16_t slot,
                                        std::string_view data_centre) const;

private:
  std::vector<core::member_index> homes(const core::keyspace& ks, uint16_t slot,
                                        std::string_view data_centre) const;

  core::epoch epoch_;
  /// By replication group.
  std::map<uint32_t, core::ring> rings_;
};

} // namespace covey::client
