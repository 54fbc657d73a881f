#include "client/cluster_view.hpp"

#include <algorithm>

namespace covey::client {

cluster_view::cluster_view(core::epoch e) : epoch_(std::move(e)) {
  for (const auto& ks : epoch_.keyspaces) {
    auto group = core::group_id(ks.replication);
    if (rings_.count(group) == 0)
      rings_.emplace(group, core::ring{epoch_.members, ks.replication});
  }
}

std::vector<core::member_index>
cluster_view::homes(std::string_view keyspace, std::string_view key,
                    std::string_view data_centre) const {
  const auto* ks = epoch_.find_keyspace(keyspace);
  if (ks == nullptr)
    return {};
  return homes(*ks, core::slot_of(key, ks->hash_tags), data_centre);
}

std::vector<core::member_index>
cluster_view::homes(std::string_view keyspace, uint16_t slot,
                    std::string_view data_centre) const {
  const auto* ks = epoch_.find_keyspace(keyspace);
  if (ks == nullptr || slot >= core::slot_count)
    return {};
  return homes(*ks, slot, data_centre);
}

std::vector<core::member_index>
cluster_view::homes(const core::keyspace& ks, uint16_t slot,
                    std::string_view data_centre) const {
  auto list = rings_.at(core::group_id(ks.replication)).at(slot);
  std::vector<core::member_index> result{list.begin(),
                                         list.begin() + list.homes};
  if (!data_centre.empty())
    std::stable_partition(result.begin(), result.end(),
                          [&](core::member_index m) {
                            return epoch_.members[m].data_centre == data_centre;
                          });
  return result;
}

} // namespace covey::client
