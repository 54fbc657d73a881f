#include "bench/shard/contest_epoch.hpp"

#include "core/slot.hpp"
#include "storage/layout.hpp"

namespace covey::bench {

std::shared_ptr<const core::epoch> make_contest_epoch() {
  auto result = std::make_shared<core::epoch>();
  result->id = {1, 1};
  result->cluster = "bench";
  core::member me;
  me.id = {1, 1};
  me.name = "n1";
  me.host = "127.0.0.1";
  me.port = 7101;
  result->members.push_back(me);
  core::keyspace ks;
  ks.name = contest_keyspace;
  ks.replication.total = 1;
  ks.policy = core::conflict_policy::lww;
  result->keyspaces.push_back(ks);
  return result;
}

std::string stored_key(const std::string& key) {
  static const auto group
    = core::group_id(make_contest_epoch()->keyspaces.front().replication);
  return storage::record_key(group, core::slot_of(key, false),
                             core::keyspace_id(contest_keyspace), key);
}

} // namespace covey::bench
