// Epochs: who the members are and which keyspaces exist.

#pragma once

#include "core/record.hpp"
#include "core/uuid.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace covey::core {

/// Index of a member in its epoch's list. It never changes: later epochs append
/// members and remove none.
using member_index = uint16_t;

/// Of one cluster, removed ones included.
inline constexpr size_t max_members = 1024;

struct epoch_id {
  uint64_t generation = 0;
  uint64_t number = 0;
};

inline bool operator==(const epoch_id& x, const epoch_id& y) {
  return x.generation == y.generation && x.number == y.number;
}
inline bool operator!=(const epoch_id& x, const epoch_id& y) {
  return !(x == y);
}
inline bool operator<(const epoch_id& x, const epoch_id& y) {
  return std::tie(x.generation, x.number) < std::tie(y.generation, y.number);
}

/// DO NOT REORDER: these numbers travel and are stored.
enum class member_state : uint8_t {
  up = 0,
  /// Decided to become one; holds no slots yet, and has no vote.
  joining = 1,
  /// Still holds its slots and votes, until its change is finished.
  leaving = 2,
  /// For ever: its id never comes back.
  removed = 3,
};

/// A node as the epoch knows it.
struct member {
  uuid id;
  std::string name;
  std::string host;
  uint16_t port = 0;
  std::string rack;
  std::string data_centre;
  uint32_t weight = 1;
  member_state state = member_state::up;
};

/// Whether slots may lie at `x`.
inline bool holds_slots(const member& x) {
  return x.state == member_state::up || x.state == member_state::leaving;
}

/// Whether `x` has a vote on the epoch after.
inline bool votes(const member& x) {
  return holds_slots(x);
}

/// DO NOT REORDER: these numbers travel and are stored.
enum class change_kind : uint8_t {
  /// `member` is joining.
  join = 1,
  /// `member` is leaving, and hands over its slots itself.
  leave = 2,
  /// `member` is leaving, and will not come back: others have its data.
  remove = 3,
  /// `member` is joining in the place of `other`, which is leaving.
  replace = 4,
  /// `member` is to have `weight`.
  weight = 5,
};

/// A change of the members that takes longer than its decision, since slots
/// have to move first.
struct member_change {
  change_kind kind = change_kind::join;
  uuid member;
  /// Only of replace.
  uuid other;
  /// Only of weight.
  uint32_t weight = 0;
  /// The epoch that it came with.
  epoch_id since;
};

/// How many replicas, where. Either `total` over the whole cluster, spread over
/// data centres and racks as far as they go, or a number for each data centre.
struct replication_spec {
  uint32_t total = 0;
  std::map<std::string, uint32_t> per_data_centre;

  uint32_t replicas() const;
};

/// Canonical text: "3", or "dc1:3,dc2:2" sorted by data centre.
std::string to_string(const replication_spec& x);
/// Parses either text form; nothing if malformed, zero, or over 16 replicas.
std::optional<replication_spec> parse_replication(std::string_view text);
/// Id of the replication group of `x`: 32 bits of the hash of its text, frozen.
uint32_t group_id(const replication_spec& x);

/// DO NOT REORDER: these numbers travel and are stored.
enum class consistency_level : uint8_t {
  /// Whatever the keyspace says.
  keyspace_default = 0,
  one = 1,
  two = 2,
  three = 3,
  quorum = 4,
  all = 5,
  local_one = 6,
  local_quorum = 7,
  each_quorum = 8,
  /// The request's own number of replicas.
  number = 9,
};

/// A level as a request states it.
struct consistency {
  consistency_level level = consistency_level::keyspace_default;
  /// Only with `number`; at least 1.
  uint32_t count = 0;
};

/// DO NOT REORDER: these numbers travel and are stored. Which nodes the level
/// of a put counts; reads count homes.
enum class quorum_kind : uint8_t {
  /// Whatever the keyspace says.
  keyspace_default = 0,
  /// Homes, and fallbacks that keep the write for a home that cannot take it.
  sloppy = 1,
  /// Homes only.
  strict = 2,
};

/// "QUORUM", or the number.
std::string to_string(const consistency& x);
/// Parses a level's name in any case, or a number from 1 to 16.
std::optional<consistency> parse_consistency(std::string_view text);

/// A hundred years.
inline constexpr uint64_t max_default_ttl_s = 3'153'600'000;

struct keyspace {
  std::string name;
  replication_spec replication;
  conflict_policy policy = conflict_policy::siblings;
  consistency default_read{consistency_level::quorum, 0};
  consistency default_write{consistency_level::quorum, 0};
  /// Puts that state neither count homes only.
  bool strict_puts = false;
  /// Zero means that values do not expire by themselves.
  uint64_t default_ttl_s = 0;
  bool hash_tags = false;
};

/// Id of the keyspace called `name`: 32 bits of the hash of it, frozen.
uint32_t keyspace_id(std::string_view name);

/// Immutable once built; shared by every actor of a node.
struct epoch {
  epoch_id id;
  std::string cluster;
  /// Those of epoch 1 sorted by name, then all that came later in the order of
  /// their coming. Names and addresses are unique among those that are neither
  /// removed nor being replaced.
  std::vector<member> members;
  /// Sorted by name.
  std::vector<keyspace> keyspaces;
  /// Unfinished: the first is under way, the others wait for it.
  std::vector<member_change> changes;

  const keyspace* find_keyspace(std::string_view name) const;
  const keyspace* find_keyspace(uint32_t id) const;
  /// The member called `name` now, never a removed one; during a replacement
  /// under one name the new one.
  std::optional<member_index> find_member(std::string_view name) const;
  /// Also a removed one.
  std::optional<member_index> find_member(const uuid& id) const;
};

/// Hash of everything in the epoch: equal on nodes that agree. States and
/// changes count only once there are some.
uint64_t epoch_hash(const epoch& x);

/// Whether a node that knows `from` may go on with `to`: a later epoch of the
/// same cluster in which every member kept its index and removed ones stayed
/// so.
bool continues(const epoch& from, const epoch& to);

/// `x` as it will be once all its changes are finished; its id stays.
epoch target_of(const epoch& x);

inline constexpr size_t max_changes = 16;

/// One line for each thing that makes `x` unusable, naming it: no members, two
/// members of one name or one address, a weight outside 1 to 64, no keyspaces,
/// two keyspaces or groups whose ids collide, a data centre without members, a
/// replication above the number of members (of a data centre), changes that do
/// not fit the states of their members. Empty if sound.
std::vector<std::string> validate(const epoch& x);

} // namespace covey::core
