// What an exchange asks about trees, and what it is answered.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace covey::core {

/// DO NOT REORDER: the numbers travel between nodes.
enum class question_kind : uint8_t {
  /// One sum for each range of slots.
  sums = 1,
  /// The root of every slot in the ranges that both nodes are homes of.
  roots = 2,
  /// The leaves of slots, at a depth.
  leaves = 3,
  /// The keys of some leaves, by hashes alone.
  keys = 4,
  /// Some keys, with names and versions.
  versions = 5,
};

// Limits of one question; one of another node that breaks them is malformed.
inline constexpr size_t max_exchange_ranges = 1024;
/// Slots of a `roots` question.
inline constexpr size_t max_exchange_roots = 2048;
inline constexpr size_t max_exchange_parts = 64;
/// Trees are compared at this depth at most.
inline constexpr uint8_t max_exchange_depth = 12;
inline constexpr size_t max_exchange_keys = 64;
/// An answer grows up to about this size; what does not fit is asked again.
inline constexpr size_t exchange_answer_bytes = size_t{48} * 1024;

/// Last slot included.
struct slot_range {
  uint16_t first = 0;
  uint16_t last = 0;
};

/// What is asked about one slot.
struct slot_part {
  uint16_t slot = 0;
  /// The tree is to be taken as one of 2^depth leaves.
  uint8_t depth = 0;
  /// keys, versions: sorted indexes of leaves.
  std::vector<uint32_t> leaves;
  /// versions: sorted hashes of keys.
  std::vector<uint64_t> keys;
  /// keys, versions: where an earlier answer ended; of whoever gave that.
  std::string after;
};

struct exchange_question {
  uint64_t id = 0;
  question_kind kind = question_kind::sums;
  /// sums, roots: sorted, without overlap.
  std::vector<slot_range> ranges;
  /// leaves, keys, versions.
  std::vector<slot_part> parts;
};

struct slot_root {
  /// False while the tree says nothing yet.
  bool ready = false;
  uint8_t depth = 0;
  uint64_t sum = 0;
};

struct exchanged_key {
  uint64_t key_hash = 0;
  uint64_t version_hash = 0;
  // versions only.
  uint32_t keyspace = 0;
  std::string key;
  /// The record without its values, encoded.
  std::string version;
};

struct part_answer {
  /// False if the slot's tree is not ready, or not as deep.
  bool ok = false;
  std::vector<uint64_t> sums;
  /// Sorted by hash.
  std::vector<exchanged_key> keys;
  /// Not empty: there is more, to be asked for with this as `after`.
  std::string next;
};

struct exchange_answer {
  uint64_t id = 0;
  /// sums: one a range, ready if all of its slots are. roots: one a slot.
  std::vector<slot_root> roots;
  /// To the first of the parts that were asked for; to one at least.
  std::vector<part_answer> parts;
};

} // namespace covey::core
