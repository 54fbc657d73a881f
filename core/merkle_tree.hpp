// The Merkle tree of one slot: what two replicas compare first.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey::core {

/// Hash of what names a record within its slot: the id of its keyspace, 4 bytes
/// big endian, then the key. Frozen: leaves are compared across nodes.
uint64_t tree_key_hash(std::string_view keyspace_and_key);

/// Index of a key's leaf among 2^`depth`: the leading bits of its hash.
uint32_t leaf_of(uint64_t key_hash, uint8_t depth);

/// A tree of two levels, all its leaves and their sum; every level between is
/// summed up when it is asked for. A leaf is the wrapping sum of the hashes of
/// (key, version) of its records, so that records come and go in any order.
/// Versions are given as core::version_hash. Empty, it takes no memory but its
/// own; a replica has a tree for each slot.
/// Source of comparing replicas so: DeCandia et al., "Dynamo", 2007; of sums
/// for hashes of sets: Clarke et al., "Incremental Multiset Hash Functions",
/// 2003 (against chance, not against an adversary who picks the hashes).
class merkle_tree {
public:
  /// Aimed at, per leaf.
  static constexpr uint64_t keys_per_leaf = 64;
  static constexpr uint8_t max_depth = 16;

  /// The depth for so many keys.
  static uint8_t depth_for(uint64_t keys);

  /// `depth` is at most `max_depth`.
  explicit merkle_tree(uint8_t depth = 0);

  /// A record that was not there.
  void add(uint64_t key_hash, uint64_t version);
  /// A record that was there, in version `old`.
  void replace(uint64_t key_hash, uint64_t old, uint64_t version);
  /// A record that was there, in this version, is gone.
  void remove(uint64_t key_hash, uint64_t version);

  uint8_t depth() const {
    return depth_;
  }
  uint64_t keys() const {
    return keys_;
  }
  /// Sum of all leaves.
  uint64_t sum() const {
    return sum_;
  }
  /// The leaves summed up to 2^`depth`, which is at most `depth()`.
  std::vector<uint64_t> sums(uint8_t depth) const;

  /// Sums up leaves until the tree is so deep. The inverse needs the records.
  void fold(uint8_t depth);
  /// True if there are so many keys a leaf that the tree should be made anew,
  /// deeper, from the records.
  bool outgrown() const;
  /// Folds if there are so few keys a leaf that it pays; true if it did.
  bool shrink();

  size_t memory_bytes() const;

  /// Bytes of the tree (docs/format/trees.md). Appends to `out`.
  void encode(std::string& out) const;
  /// Nothing for malformed bytes.
  static std::optional<merkle_tree> decode(std::string_view bytes);

  friend bool operator==(const merkle_tree& x, const merkle_tree& y) {
    return x.depth_ == y.depth_ && x.keys_ == y.keys_ && x.sum_ == y.sum_
           && x.leaves_ == y.leaves_;
  }

private:
  void shift(uint64_t key_hash, uint64_t by);

  uint64_t keys_ = 0;
  uint64_t sum_ = 0;
  /// Empty at depth 0: `sum_` is the only leaf.
  std::vector<uint64_t> leaves_;
  uint8_t depth_ = 0;
};

} // namespace covey::core
