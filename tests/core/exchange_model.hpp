// A replica as an exchange sees it: a map of records, all sums computed anew.

#pragma once

#include "core/bytes.hpp"
#include "core/exchange.hpp"
#include "core/hash.hpp"
#include "core/slot.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace covey::test {

inline constexpr uint32_t model_keyspace = 7;

/// Records of one keyspace. Few keys a leaf, so that small trees are deep.
struct model_replica {
  explicit model_replica(size_t keys_per_leaf_ = 4)
    : keys_per_leaf(keys_per_leaf_) {}

  core::record at(const std::string& key) const {
    auto i = rows.find(key);
    return i == rows.end() ? core::record{} : *core::decode_record(i->second);
  }
  void put(const std::string& key, core::dot id, bool overwrite = true) {
    auto r = at(key);
    core::write w;
    if (overwrite)
      w.seen = r.seen;
    w.fresh.id = id;
    w.fresh.stamp = id.counter;
    w.fresh.value = key;
    core::apply(r, w, core::conflict_policy::siblings);
    store(key, r);
  }
  void merge(const std::string& key, const core::record& other) {
    store(key, core::merge(at(key), other, core::conflict_policy::siblings));
  }
  void store(const std::string& key, const core::record& r) {
    std::string bytes;
    core::encode(r, bytes);
    rows[key] = std::move(bytes);
  }

  static uint64_t hash_of(const std::string& key) {
    return core::hash64(key, model_keyspace);
  }
  std::map<uint64_t, std::string> keys_of(uint16_t slot) const {
    std::map<uint64_t, std::string> result;
    for (const auto& row : rows)
      if (core::slot_of(row.first, true) == slot)
        result[hash_of(row.first)] = row.first;
    return result;
  }
  uint8_t depth_of(uint16_t slot) const {
    uint8_t depth = 0;
    while (keys_of(slot).size() > keys_per_leaf << depth)
      ++depth;
    return depth;
  }
  uint64_t version_of(const std::string& key) const {
    return core::version_hash(at(key));
  }
  static uint64_t leaf_sum(uint64_t key, uint64_t version) {
    std::string bytes;
    core::byte_writer out{bytes};
    out.u64(key);
    out.u64(version);
    return core::hash64(bytes);
  }

  core::slot_root root(uint16_t slot) const {
    core::slot_root result{unready.count(slot) == 0, depth_of(slot), 0};
    for (const auto& [hash, key] : keys_of(slot))
      result.sum += leaf_sum(hash, version_of(key));
    return result;
  }

  core::part_answer part(core::question_kind kind,
                         const core::slot_part& p) const {
    core::part_answer result;
    if (p.depth > depth_of(p.slot) || unready.count(p.slot) > 0)
      return result;
    result.ok = true;
    if (kind == core::question_kind::leaves)
      result.sums.resize(size_t{1} << p.depth);
    auto skip = p.after.empty() ? 0 : std::stoul(p.after);
    size_t seen = 0;
    for (const auto& [hash, key] : keys_of(p.slot)) {
      auto leaf = p.depth == 0 ? 0 : hash >> (64 - p.depth);
      if (kind == core::question_kind::leaves) {
        result.sums[leaf] += leaf_sum(hash, version_of(key));
        continue;
      }
      auto asked = kind == core::question_kind::keys
                     ? std::count(p.leaves.begin(), p.leaves.end(), leaf)
                     : std::count(p.keys.begin(), p.keys.end(), hash);
      if (asked == 0 || seen++ < skip)
        continue;
      if (result.keys.size() == page_keys) {
        result.next = std::to_string(seen - 1);
        return result;
      }
      core::exchanged_key k{hash, version_of(key), 0, {}, {}};
      if (kind == core::question_kind::versions) {
        auto r = at(key);
        for (auto& s : r.siblings)
          s.value = {};
        k.keyspace = keyspace;
        k.key = key;
        core::encode(r, k.version);
      }
      result.keys.push_back(std::move(k));
    }
    return result;
  }

  core::exchange_answer answer(const core::exchange_question& q,
                               const std::vector<uint16_t>& shared) const {
    core::exchange_answer result;
    result.id = q.id;
    for (const auto& r : q.ranges) {
      core::slot_root sum{true, 0, 0};
      for (auto slot : shared) {
        if (slot < r.first || slot > r.last)
          continue;
        auto x = root(slot);
        sum.ready = sum.ready && x.ready;
        sum.sum += x.sum;
        if (q.kind == core::question_kind::roots)
          result.roots.push_back(x);
      }
      if (q.kind == core::question_kind::sums)
        result.roots.push_back(sum);
    }
    for (const auto& p : q.parts) {
      if (result.parts.size() == max_parts)
        break;
      result.parts.push_back(part(q.kind, p));
      if (!result.parts.back().next.empty())
        break;
    }
    return result;
  }

  std::map<std::string, std::string> rows;
  /// Slots whose trees are not ready.
  std::map<uint16_t, bool> unready;
  size_t keys_per_leaf;
  uint32_t keyspace = model_keyspace;
  size_t page_keys = 3;
  size_t max_parts = 5;
};

} // namespace covey::test
