// A storage shard that is asked about its trees, and the trees that its rows
// really make.

#pragma once

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "core/merkle_tree.hpp"
#include "storage/layout.hpp"
#include "tests/actors/shard_fixture.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace covey::test {

struct trees_fixture : shard_fixture {
  uint32_t group() const {
    return core::group_id(keyspace("default").replication);
  }
  /// Everything that was committed is on disk when it returns.
  void flush_everything() {
    auto wishes = std::exchange(flusher.wishes, {});
    config.engine->flush();
    for (const auto& wish : wishes)
      tell(wish.from, flushed_atom::value, wish.sequence);
  }
  template <class Page, class Query>
  Page ask_trees(const Query& query) {
    flush_everything();
    Page result;
    auto reply = self->request(tree_source_actor{shard}, caf::infinite, query);
    sched.run();
    reply.receive(
      [&](Page& page) {
        result = std::move(page);
      },
      [&](const caf::error& err) {
        CAF_FAIL(sys.render(err));
      });
    return result;
  }
  std::vector<tree_root> roots(uint16_t first, uint16_t last) {
    return ask_trees<roots_page>(roots_query{group(), first, last}).roots;
  }
  tree_root root(uint16_t slot) {
    return roots(slot, slot).at(0);
  }
  leaves_page leaves(uint16_t slot, uint8_t depth) {
    return ask_trees<leaves_page>(leaves_query{group(), slot, depth});
  }
  versions_page versions(const versions_query& query) {
    return ask_trees<versions_page>(query);
  }
  void tick(int n = 1) {
    while (n-- > 0)
      tell(shard, tick_atom::value);
  }
  uint64_t unready() const {
    return node->trees.unready;
  }
  void restart(bool cleanly) {
    if (cleanly)
      CAF_REQUIRE(drain());
    crash();
    forget_gauges();
    start();
  }
  /// They are of a process.
  void forget_gauges() {
    node->trees.unready = node->trees.dirty = node->trees.bytes = 0;
  }

  /// The slow obvious way: the tree of each slot, of all rows there are.
  std::map<uint16_t, core::merkle_tree> recomputed() {
    constexpr uint8_t depth = 8;
    std::map<uint16_t, core::merkle_tree> result;
    auto session = config.engine->open_session();
    session->scan(0, {}, {}, [&](std::string_view key, std::string_view value) {
      storage::record_position at;
      CAF_REQUIRE(storage::parse_record_key(key, at));
      if (at.group != group())
        return true;
      auto r = core::decode_record(value);
      CAF_REQUIRE(r);
      std::string name;
      core::byte_writer out{name};
      out.u32(at.keyspace);
      out.raw(at.key);
      result.emplace(at.slot, depth)
        .first->second.add(core::hash64(name), core::version_hash(*r));
      return true;
    });
    return result;
  }
  /// Fails unless every slot from 0 to `last` that says that it is ready has
  /// the tree of its rows. Gives how many do not say so.
  size_t check_trees(uint16_t last) {
    size_t result = 0;
    auto truth = recomputed();
    for (const auto& x : roots(0, last)) {
      if (!x.ready) {
        ++result;
        CAF_CHECK(!leaves(x.slot, 0).ready);
        continue;
      }
      const auto& rows = truth.emplace(x.slot, uint8_t{0}).first->second;
      if (x.sum != rows.sum() || x.keys != rows.keys())
        CAF_FAIL("slot " << x.slot << " has " << rows.keys()
                         << " keys, its tree " << x.keys << " or another sum");
      if (x.keys == 0)
        continue;
      auto page = leaves(x.slot, x.depth);
      CAF_REQUIRE(page.ready);
      CAF_REQUIRE(page.sums == rows.sums(x.depth));
    }
    return result;
  }
};

} // namespace covey::test
