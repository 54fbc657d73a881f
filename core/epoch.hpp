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

/// Index of a member in its epoch's list, which is sorted by name.
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

/// A node as the epoch knows it.
struct member {
  uuid id;
  std::string name;
  std::string host;
  uint16_t port = 0;
  std::string rack;
  std::string data_centre;
  uint32_t weight = 1;
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
  /// Sorted by name.
  std::vector<member> members;
  /// Sorted by name.
  std::vector<keyspace> keyspaces;

  const keyspace* find_keyspace(std::string_view name) const;
  const keyspace* find_keyspace(uint32_t id) const;
  std::optional<member_index> find_member(std::string_view name) const;
};

/// Hash of everything in the epoch: equal on nodes that agree.
uint64_t epoch_hash(const epoch& x);

/// One line for each thing that makes `x` unusable, naming it: no members, two
/// members of one name or one address, a weight outside 1 to 64, no keyspaces,
/// two keyspaces or groups whose ids collide, a data centre without members, a
/// replication above the number of members (of a data centre). Empty if sound.
std::vector<std::string> validate(const epoch& x);

} // namespace covey::core
