// Merkle trees against sums over a map, their memory and their bytes.

#define CAF_SUITE core.merkle_tree

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "core/merkle_tree.hpp"
#include "core/record.hpp"

#include <caf/test/unit_test.hpp>

#include <map>
#include <random>
#include <string>

using namespace covey::core;

namespace {

/// The slow obvious model: all keys with their versions.
using model = std::map<uint64_t, uint64_t>;

std::vector<uint64_t> sums_of(const model& rows, uint8_t depth) {
  std::vector<uint64_t> result(size_t{1} << depth);
  for (const auto& [key_hash, version] : rows) {
    std::string bytes;
    byte_writer out{bytes};
    out.u64(key_hash);
    out.u64(version);
    size_t index = 0;
    for (int bit = 0; bit < depth; ++bit)
      index = index * 2 + (key_hash >> (63 - bit) & 1);
    result[index] += hash64(bytes);
  }
  return result;
}

void check(const merkle_tree& tree, const model& rows) {
  CAF_REQUIRE_EQUAL(tree.keys(), rows.size());
  auto sum = sums_of(rows, 0)[0];
  CAF_REQUIRE_EQUAL(tree.sum(), sum);
  for (uint8_t depth = 0; depth <= tree.depth(); ++depth)
    CAF_REQUIRE(tree.sums(depth) == sums_of(rows, depth));
}

std::string encoded(const merkle_tree& x) {
  std::string result;
  x.encode(result);
  return result;
}

merkle_tree filled(uint64_t keys, uint8_t depth) {
  std::mt19937_64 random{keys};
  merkle_tree result{depth};
  for (uint64_t i = 0; i < keys; ++i)
    result.add(random(), random());
  return result;
}

} // namespace

CAF_TEST(whatever comes and goes the leaves are sums over what is there) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CAF_MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    merkle_tree tree{static_cast<uint8_t>(random() % 8)};
    model rows;
    for (auto i = 0; i < 400; ++i) {
      // Few keys, so that they are met again; all over the leaves.
      auto key_hash = hash64(std::to_string(random() % 100));
      auto version = random();
      auto known = rows.find(key_hash);
      if (known == rows.end()) {
        tree.add(key_hash, version);
        rows.emplace(key_hash, version);
      } else if (random() % 3 == 0) {
        tree.remove(key_hash, known->second);
        rows.erase(known);
      } else {
        tree.replace(key_hash, known->second, version);
        known->second = version;
      }
      if (random() % 50 == 0)
        tree.fold(static_cast<uint8_t>(random() % (tree.depth() + 1)));
      if (i % 20 == 0)
        check(tree, rows);
      auto copy = merkle_tree::decode(encoded(tree));
      CAF_REQUIRE(copy && *copy == tree);
    }
    for (const auto& [key_hash, version] : rows)
      tree.remove(key_hash, version);
    check(tree, {});
  }
}

CAF_TEST(the order of writes leaves no trace) {
  merkle_tree x{3};
  merkle_tree y{3};
  x.add(1, 10);
  x.add(2, 20);
  x.replace(1, 10, 11);
  y.add(2, 19);
  y.add(1, 11);
  y.replace(2, 19, 20);
  CAF_CHECK(x == y);
}

CAF_TEST(equal versions of two keys are told apart) {
  merkle_tree x;
  merkle_tree y;
  x.add(1, 10);
  x.add(2, 20);
  y.add(1, 20);
  y.add(2, 10);
  CAF_CHECK_NOT_EQUAL(x.sum(), y.sum());
}

CAF_TEST(of twelve keys in four leaves one that differs shows in its own) {
  merkle_tree x{2};
  merkle_tree y{2};
  for (uint64_t i = 0; i < 12; ++i) {
    auto key_hash = i % 4 << 62 | i;
    x.add(key_hash, 1);
    y.add(key_hash, i == 6 ? 2 : 1);
  }
  auto ours = x.sums(2);
  auto theirs = y.sums(2);
  for (size_t i = 0; i < 4; ++i)
    CAF_CHECK_EQUAL(ours[i] == theirs[i], i != 2);
}

CAF_TEST(trees of unequal depths compare at the shallower) {
  auto deep = filled(1000, 6);
  auto flat = filled(1000, 2);
  CAF_CHECK(deep.sums(2) == flat.sums(2));
  deep.fold(2);
  CAF_CHECK(deep == flat);
}

CAF_TEST(the depth follows the number of keys) {
  CAF_CHECK_EQUAL(int{merkle_tree::depth_for(0)}, 0);
  CAF_CHECK_EQUAL(int{merkle_tree::depth_for(64)}, 0);
  CAF_CHECK_EQUAL(int{merkle_tree::depth_for(65)}, 1);
  CAF_CHECK_EQUAL(int{merkle_tree::depth_for(1'000'000)}, 14);
  CAF_CHECK_EQUAL(int{merkle_tree::depth_for(UINT64_MAX)}, 16);
  CAF_CHECK(!filled(128, 0).outgrown());
  CAF_CHECK(filled(129, 0).outgrown());
  CAF_CHECK(!filled(129, merkle_tree::depth_for(129)).outgrown());
  // At the deepest nothing is left to do.
  CAF_CHECK(!filled(1, merkle_tree::max_depth).outgrown());
}

CAF_TEST(a tree of few keys is folded and not outgrown by it) {
  auto enough = filled(64, 2);
  CAF_CHECK(!enough.shrink());
  auto few = filled(63, 2);
  auto sum = few.sum();
  CAF_CHECK(few.shrink());
  CAF_CHECK_EQUAL(int{few.depth()}, 0);
  CAF_CHECK_EQUAL(few.sum(), sum);
  CAF_CHECK(!few.outgrown());
  CAF_CHECK(!few.shrink());
}

CAF_TEST(bytes that are no tree are refused) {
  auto bytes = encoded(filled(100, 1));
  CAF_CHECK(merkle_tree::decode(bytes));
  for (size_t n = 0; n < bytes.size(); ++n)
    CAF_CHECK(!merkle_tree::decode(bytes.substr(0, n)));
  CAF_CHECK(!merkle_tree::decode(bytes + "x"));
  bytes[0] = 17;
  CAF_CHECK(!merkle_tree::decode(bytes));
  CAF_CHECK(!merkle_tree::decode("\x40"));
}

// DO NOT CHANGE the expected values: nodes compare what they stand for.
CAF_TEST(the frozen hashes are what they were) {
  CAF_CHECK_EQUAL(tree_key_hash({"\0\0\0\x09k", 5}), 14680117244102125249u);
  merkle_tree tree;
  tree.add(1, 2);
  CAF_CHECK_EQUAL(tree.sum(), 14160562377131761837u);
  record r;
  r.seen.advance({7, 3});
  r.seen.add({7, 5});
  sibling s;
  s.id = {7, 5};
  r.siblings.push_back(s);
  CAF_CHECK_EQUAL(version_hash(r), 3755169513390182598u);
}

CAF_TEST(large versions are hashed as small ones are) {
  // Each way of laying the bytes out has records of its own; what is hashed is
  // the same sequence of numbers.
  for (uint64_t n : {1, 14, 15, 16, 100}) {
    record r;
    std::string bytes;
    byte_writer out{bytes};
    out.u64(n);
    for (uint64_t i = 1; i <= n; ++i) {
      r.seen.advance({i, 9});
      out.u64(i);
      out.u64(9);
    }
    out.u64(0);
    out.u64(n);
    for (uint64_t i = 1; i <= n; ++i) {
      sibling s;
      s.id = {i, 9};
      r.siblings.push_back(s);
      out.u64(i);
      out.u64(9);
    }
    CAF_CHECK_EQUAL(version_hash(r), hash64(bytes));
  }
}

CAF_TEST(a million keys take little memory however they are spread) {
  constexpr size_t slots = 16384;
  constexpr size_t limit = 8u << 20;
  // Evenly: 61 keys a slot.
  CAF_CHECK(slots * filled(61, 0).memory_bytes() < limit / 4);
  // All in one slot.
  auto one = filled(1'000'000, merkle_tree::depth_for(1'000'000));
  CAF_CHECK(one.memory_bytes() < limit / 4);
  // In slots that are just made anew, whose leaves are emptiest.
  auto keys = uint64_t{129};
  auto full = filled(keys, merkle_tree::depth_for(keys)).memory_bytes();
  CAF_CHECK(1'000'000 / keys * full < limit / 4);
}
