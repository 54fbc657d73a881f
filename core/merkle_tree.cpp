#include "core/merkle_tree.hpp"

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/hash.hpp"

#include <array>
#include <numeric>

namespace covey::core {

namespace {

/// A tree is made anew when its leaves have twice as many keys as aimed at, and
/// folded when they have a quarter: between lies room to come and go.
constexpr uint64_t too_many = 2 * merkle_tree::keys_per_leaf;
constexpr uint64_t too_few = merkle_tree::keys_per_leaf / 4;

// DO NOT CHANGE: leaves are compared across nodes (messages/trees.hpp has the
// number of this function).
uint64_t entry_hash(uint64_t key_hash, uint64_t version) {
  std::array<char, 16> bytes;
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(key_hash >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(version >> (56 - 8 * i));
  }
  return hash64({bytes.data(), bytes.size()});
}

size_t size_at(uint8_t depth) {
  return size_t{1} << depth;
}

} // namespace

uint64_t tree_key_hash(std::string_view keyspace_and_key) {
  return hash64(keyspace_and_key);
}

uint32_t leaf_of(uint64_t key_hash, uint8_t depth) {
  return depth == 0 ? 0 : static_cast<uint32_t>(key_hash >> (64 - depth));
}

uint8_t merkle_tree::depth_for(uint64_t keys) {
  uint8_t result = 0;
  while (result < max_depth && keys > keys_per_leaf << result)
    ++result;
  return result;
}

merkle_tree::merkle_tree(uint8_t depth) : depth_(depth) {
  COVEY_CHECK(depth <= max_depth);
  if (depth > 0)
    leaves_.resize(size_at(depth));
}

void merkle_tree::shift(uint64_t key_hash, uint64_t by) {
  sum_ += by;
  if (depth_ > 0)
    leaves_[leaf_of(key_hash, depth_)] += by;
}

void merkle_tree::add(uint64_t key_hash, uint64_t version) {
  ++keys_;
  shift(key_hash, entry_hash(key_hash, version));
}

void merkle_tree::replace(uint64_t key_hash, uint64_t old, uint64_t version) {
  shift(key_hash, entry_hash(key_hash, version) - entry_hash(key_hash, old));
}

void merkle_tree::remove(uint64_t key_hash, uint64_t version) {
  COVEY_CHECK(keys_ > 0);
  --keys_;
  shift(key_hash, -entry_hash(key_hash, version));
}

std::vector<uint64_t> merkle_tree::sums(uint8_t depth) const {
  COVEY_CHECK(depth <= depth_);
  if (depth == 0)
    return {sum_};
  std::vector<uint64_t> result(size_at(depth));
  for (size_t i = 0; i < leaves_.size(); ++i)
    result[i >> (depth_ - depth)] += leaves_[i];
  return result;
}

void merkle_tree::fold(uint8_t depth) {
  if (depth == depth_)
    return;
  auto folded = depth > 0 ? sums(depth) : std::vector<uint64_t>{};
  leaves_.swap(folded);
  depth_ = depth;
}

bool merkle_tree::outgrown() const {
  return depth_ < max_depth && keys_ > too_many << depth_;
}

bool merkle_tree::shrink() {
  if (depth_ == 0 || keys_ >= too_few << depth_)
    return false;
  fold(depth_for(keys_));
  return true;
}

size_t merkle_tree::memory_bytes() const {
  return sizeof(*this) + leaves_.capacity() * sizeof(leaves_[0]);
}

void merkle_tree::encode(std::string& out) const {
  byte_writer writer{out};
  writer.u8(depth_);
  writer.varint(keys_);
  for (auto x : sums(depth_))
    writer.u64(x);
}

std::optional<merkle_tree> merkle_tree::decode(std::string_view bytes) {
  byte_reader in{bytes};
  auto depth = in.u8();
  auto keys = in.varint();
  if (!in.ok() || depth > max_depth || in.remaining() != 8 * size_at(depth))
    return std::nullopt;
  merkle_tree result{depth};
  result.keys_ = keys;
  for (auto& leaf : result.leaves_)
    leaf = in.u64();
  result.sum_ = depth == 0 ? in.u64()
                           : std::accumulate(result.leaves_.begin(),
                                             result.leaves_.end(), uint64_t{0});
  return result;
}

} // namespace covey::core
