// The storage shard's digests: hashes in the place of large records.

#define CAF_SUITE actors.storage_shard_digests

#include "tests/actors/shard_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::shard_fixture {
  /// A read that may be answered by a digest above `above` bytes.
  replica_op digest_read(const std::string& key, uint32_t above) {
    auto op = operation(replica_verb::read, key);
    op.digest_number = core::version_hash_number;
    op.digest_above = above;
    return op;
  }
  const replica_answer& answer_to(const replica_op& op) {
    ask({op});
    CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
    CAF_CHECK_EQUAL(asker.answers[0].id, op.id);
    return asker.answers[0];
  }
  std::string record_of(const std::string& key) {
    return answer_to(operation(replica_verb::read, key)).bytes;
  }
  uint64_t hash_of(const std::string& key) {
    auto bytes = record_of(key);
    auto r = core::decode_record(bytes);
    CAF_REQUIRE(r);
    return core::version_hash(*r);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_shard_digests_tests, fixture)

CAF_TEST(a record that is larger than asked is answered by its hash) {
  put("k", std::string(100, 'v'));
  auto hash = hash_of("k");
  auto size = static_cast<uint32_t>(record_of("k").size());
  const auto& digest = answer_to(digest_read("k", size - 1));
  CAF_CHECK(digest.kind == answer_kind::digest);
  CAF_CHECK_EQUAL(digest.digest, hash);
  CAF_CHECK(digest.bytes.empty());
  CAF_CHECK_EQUAL(node->answers->held(), 0u);
  const auto& record = answer_to(digest_read("k", size));
  CAF_CHECK(record.kind == answer_kind::record);
  CAF_CHECK_EQUAL(record.bytes.size(), size);
}

CAF_TEST(another version has another digest) {
  put("k", "v1");
  auto first = answer_to(digest_read("k", 1)).digest;
  CAF_CHECK_EQUAL(answer_to(digest_read("k", 1)).digest, first);
  put("k", "v2");
  CAF_CHECK_NOT_EQUAL(answer_to(digest_read("k", 1)).digest, first);
}

CAF_TEST(who does not name our hash gets the record) {
  put("k", std::string(100, 'v'));
  for (uint32_t number : {0u, core::version_hash_number + 1}) {
    auto op = digest_read("k", 1);
    op.digest_number = number;
    const auto& a = answer_to(op);
    CAF_CHECK(a.kind == answer_kind::record);
    CAF_CHECK(!a.bytes.empty());
  }
}

CAF_TEST(what is not there has no digest) {
  const auto& a = answer_to(digest_read("k", 0));
  CAF_CHECK(a.kind == answer_kind::record);
  CAF_CHECK(a.bytes.empty());
}

CAF_TEST(a digest of what is on disk waits for the flush) {
  put("k", std::string(100, 'v'));
  auto op = digest_read("k", 1);
  op.flushed = true;
  ask({op});
  CAF_CHECK(asker.answers.empty());
  flush_all();
  CAF_REQUIRE(!asker.answers.empty());
  CAF_CHECK(asker.answers.back().kind == answer_kind::digest);
  CAF_CHECK_EQUAL(asker.answers.back().id, op.id);
}

CAF_TEST(a digest that waits beyond its deadline tells nothing) {
  put("k", std::string(100, 'v'));
  auto op = digest_read("k", 1);
  op.flushed = true;
  ask({op});
  now_us = op.deadline_us + 1;
  flush_all();
  CAF_REQUIRE(!asker.answers.empty());
  const auto& last = asker.answers.back();
  CAF_CHECK_EQUAL(last.id, op.id);
  CAF_CHECK(last.kind == answer_kind::failed);
  CAF_CHECK(last.code == errc::deadline_expired);
  CAF_CHECK_EQUAL(last.digest, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
