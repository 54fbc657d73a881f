// What the storage shard tells an exchange: on disk, in pages, and whole.

#define CAF_SUITE actors.storage_shard_versions

#include "actors/shard_versions.hpp"
#include "tests/actors/trees_fixture.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <set>

using namespace covey;

namespace {

constexpr uint16_t slot = 5;

struct fixture : test::trees_fixture {
  void fill(size_t keys, size_t value_bytes = 1) {
    std::vector<replica_op> ops;
    for (size_t i = 0; i < keys; ++i) {
      ops.push_back(operation(replica_verb::put, "key " + std::to_string(i),
                              std::string(value_bytes, 'v')));
      ops.back().slot = slot;
      ops.back().request = {1, i + 1};
    }
    ask(std::move(ops));
    flush_everything();
  }
  versions_query query(uint8_t depth = 0,
                       std::vector<uint32_t> wanted = {0}) const {
    versions_query result;
    result.group = group();
    result.slot = slot;
    result.depth = depth;
    result.leaves = std::move(wanted);
    return result;
  }
  /// All pages, each of which must be ok.
  std::vector<key_version> all(versions_query q, size_t* pages = nullptr) {
    std::vector<key_version> result;
    size_t n = 0;
    do {
      auto page = versions(q);
      CAF_REQUIRE(page.ok);
      result.insert(result.end(), page.keys.begin(), page.keys.end());
      q.after = page.next;
      CAF_REQUIRE(++n < 1000);
    } while (!q.after.empty());
    if (pages != nullptr)
      *pages = n;
    return result;
  }
  static uint64_t hash_of(const std::string& key) {
    auto whole
      = storage::record_key(0, slot, core::keyspace_id("default"), key);
    return core::tree_key_hash(storage::named_part(whole));
  }
  /// Answers come into `got`, whenever they come.
  template <class Page, class Query>
  void ask_later(const Query& q, std::vector<Page>& got) {
    auto behave
      = [&got, q](caf::event_based_actor* me, const tree_source_actor& from) {
          me->request(from, caf::infinite, q).then([&got](const Page& page) {
            got.push_back(page);
          });
        };
    sys.spawn(behave, tree_source_actor{shard});
    sched.run();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_shard_versions_tests, fixture)

CAF_TEST(answers wait for the flush of what was committed before) {
  std::vector<roots_page> roots_got;
  std::vector<leaves_page> leaves_got;
  std::vector<versions_page> versions_got;
  auto ask_all = [&] {
    ask_later(roots_query{group(), slot, slot}, roots_got);
    ask_later(leaves_query{group(), slot, 0}, leaves_got);
    ask_later(query(), versions_got);
  };
  ask_all();
  CAF_CHECK_EQUAL(roots_got.size(), 1u);
  CAF_CHECK_EQUAL(leaves_got.size(), 1u);
  CAF_CHECK_EQUAL(versions_got.size(), 1u);
  auto op = operation(replica_verb::put, "k", "v");
  op.slot = slot;
  ask({op});
  ask_all();
  CAF_CHECK_EQUAL(roots_got.size(), 1u);
  CAF_CHECK_EQUAL(leaves_got.size(), 1u);
  CAF_CHECK_EQUAL(versions_got.size(), 1u);
  flush_everything();
  CAF_REQUIRE_EQUAL(roots_got.size(), 2u);
  CAF_REQUIRE_EQUAL(leaves_got.size(), 2u);
  CAF_REQUIRE_EQUAL(versions_got.size(), 2u);
  CAF_CHECK_EQUAL(roots_got[1].roots.at(0).keys, 1u);
  CAF_CHECK_NOT_EQUAL(leaves_got[1].sums.at(0), 0u);
  CAF_CHECK_EQUAL(versions_got[1].keys.size(), 1u);
}

CAF_TEST(an answer does not wait for what comes after the question) {
  std::vector<roots_page> got;
  auto op = operation(replica_verb::put, "k", "v");
  op.slot = slot;
  ask({op});
  ask_later(roots_query{group(), slot, slot}, got);
  auto first = flusher.wishes.size();
  ask({op});
  CAF_REQUIRE(flusher.wishes.size() > first);
  flush(flusher, first - 1);
  CAF_REQUIRE_EQUAL(got.size(), 1u);
  CAF_CHECK_EQUAL(got[0].roots.at(0).keys, 1u);
}

CAF_TEST(the versions of a leaf add up to its sum) {
  fill(300);
  tick();
  auto depth = root(slot).depth;
  CAF_REQUIRE(depth > 1);
  auto sums = leaves(slot, depth).sums;
  for (uint32_t leaf : {0u, 1u, (1u << depth) - 1}) {
    core::merkle_tree tree;
    for (const auto& x : all(query(depth, {leaf}))) {
      CAF_CHECK_EQUAL(core::leaf_of(x.key_hash, depth), leaf);
      CAF_CHECK(x.key.empty());
      CAF_CHECK(x.version.empty());
      tree.add(x.key_hash, x.version_hash);
    }
    CAF_CHECK_EQUAL(tree.sum(), sums.at(leaf));
  }
  CAF_CHECK_EQUAL(all(query(1, {0, 1})).size(), 300u);
  CAF_CHECK(all(query(1, {})).empty());
}

CAF_TEST(keys asked for by their hashes come with names and versions) {
  fill(20, 1000);
  auto q = query(0, {});
  q.keys = {hash_of("key 3"), hash_of("key 7"), hash_of("no key")};
  std::sort(q.keys.begin(), q.keys.end());
  auto found = all(q);
  CAF_REQUIRE_EQUAL(found.size(), 2u);
  CAF_CHECK_EQUAL(found[0].key, "key 3");
  CAF_CHECK_EQUAL(found[1].key, "key 7");
  for (const auto& x : found) {
    CAF_CHECK_EQUAL(x.keyspace, core::keyspace_id("default"));
    CAF_CHECK_EQUAL(x.key_hash, hash_of(x.key));
    CAF_CHECK(x.version.size() < 64);
    auto r = core::decode_record(x.version);
    CAF_REQUIRE(r && r->siblings.size() == 1);
    CAF_CHECK(r->siblings[0].value.empty());
    CAF_CHECK_EQUAL(core::version_hash(*r), x.version_hash);
  }
}

CAF_TEST(pages are bounded in rows and complete) {
  constexpr auto keys = max_version_rows + 10;
  fill(keys);
  size_t pages = 0;
  std::set<uint64_t> seen;
  for (const auto& x : all(query(), &pages))
    CAF_CHECK(seen.insert(x.key_hash).second);
  CAF_CHECK_EQUAL(seen.size(), keys);
  CAF_CHECK_EQUAL(pages, 2u);
}

CAF_TEST(pages are bounded in bytes and complete) {
  constexpr size_t size = 100'000;
  fill(40, size);
  size_t pages = 0;
  CAF_CHECK_EQUAL(all(query(), &pages).size(), 40u);
  CAF_CHECK(pages >= 40 * size / max_version_read_bytes);
}

CAF_TEST(pages that are read while keys come and go miss none that stay) {
  fill(max_version_rows + 10);
  auto q = query();
  auto page = versions(q);
  CAF_REQUIRE(!page.next.empty());
  auto op = operation(replica_verb::put, "a new one in front", "v");
  op.slot = slot;
  ask({op});
  q.after = page.next;
  auto rest = versions(q);
  CAF_CHECK_EQUAL(page.keys.size() + rest.keys.size(), max_version_rows + 10);
}

CAF_TEST(a record that cannot be decoded is not passed over) {
  fill(3);
  CAF_REQUIRE(drain());
  crash();
  auto key
    = storage::record_key(group(), slot, core::keyspace_id("default"), "key 1");
  disk->durable[0].at(key) = "no record";
  start();
  CAF_CHECK(!versions(query()).ok);
  // Nobody asks for it.
  auto q = query();
  q.keys = {hash_of("key 2")};
  CAF_CHECK(versions(q).ok);
  q.keys = {hash_of("key 1")};
  CAF_CHECK(!versions(q).ok);
}

CAF_TEST(questions that make no sense are not answered ok) {
  fill(3);
  auto q = query(core::merkle_tree::max_depth + 1);
  CAF_CHECK(!versions(q).ok);
  q = query();
  q.slot = core::slot_count;
  CAF_CHECK(!versions(q).ok);
  CAF_CHECK(!leaves(core::slot_count, 0).ready);
  CAF_CHECK(roots(core::slot_count, 0xffff).empty());
}

CAF_TEST(a drained shard calls nothing ready) {
  fill(3);
  CAF_REQUIRE(drain());
  CAF_CHECK(!versions(query()).ok);
  CAF_CHECK(!leaves(slot, 0).ready);
  CAF_CHECK(roots(slot, slot).empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
