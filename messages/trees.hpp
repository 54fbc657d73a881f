// What anti-entropy asks the shards of its own node: trees, versions, records'
// names. Plain values, never on the wire.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace covey {

/// The number of the function that leaves are made with; nodes compare trees
/// of one number only.
inline constexpr uint32_t tree_number = 1;

/// The trees of the slots from `first` to `last` of a group, as far as they
/// belong to the shard.
struct roots_query {
  uint32_t group = 0;
  uint16_t first = 0;
  uint16_t last = 0;
};

struct tree_root {
  uint16_t slot = 0;
  /// The tree has 2^depth leaves.
  uint8_t depth = 0;
  /// False while the slot is read anew after an unclean stop: its sums say
  /// nothing yet.
  bool ready = false;
  /// Wrapping sum of all leaves; zero for an empty slot.
  uint64_t sum = 0;
  uint64_t keys = 0;
};

/// In the order of slots. Like all answers below it tells only of what is on
/// disk: it waits for the flush of everything committed before the question.
struct roots_page {
  std::vector<tree_root> roots;
};

/// The leaves of one slot, summed up to a tree of 2^depth leaves, which must
/// not be deeper than the slot's tree is.
struct leaves_query {
  uint32_t group = 0;
  uint16_t slot = 0;
  uint8_t depth = 0;
};

struct leaves_page {
  /// False if the tree is not ready or not as deep.
  bool ready = false;
  std::vector<uint64_t> sums;
};

/// Which keys of some leaves there are, and in which version.
struct versions_query {
  uint32_t group = 0;
  uint16_t slot = 0;
  uint8_t depth = 0;
  /// Sorted indexes of leaves at this depth.
  std::vector<uint32_t> leaves;
  /// Sorted hashes of keys: only these, with names and versions. Empty: all
  /// keys of the leaves, by their hashes alone.
  std::vector<uint64_t> keys;
  /// `next` of the page before.
  std::string after;
};

struct key_version {
  /// Of keyspace and key: its leading bits are the index of its leaf.
  uint64_t key_hash = 0;
  /// core::version_hash of the record.
  uint64_t version_hash = 0;
  // If `keys` asked for them: the key, and its record without the values.
  uint32_t keyspace = 0;
  std::string key;
  std::string version;
};

struct versions_page {
  bool ok = false;
  std::vector<key_version> keys;
  /// Where the next page goes on; empty if there is none.
  std::string next;
};

} // namespace covey
