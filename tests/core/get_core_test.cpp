// What a get waits for: scenarios, and random homes in random order.

#define CAF_SUITE core.get_core

#include "core/get_core.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <deque>
#include <random>

using namespace covey::core;

namespace {

constexpr auto siblings = conflict_policy::siblings;

/// A record that holds one value per dot, none having seen another.
std::string record_of(const std::vector<dot>& dots) {
  record r;
  for (auto d : dots) {
    write w;
    w.fresh.id = d;
    w.fresh.stamp = d.counter;
    w.fresh.value = "some value";
    apply(r, w, siblings);
  }
  std::string result;
  encode(r, result);
  return result;
}

const std::string x1 = record_of({{1, 1}});
const std::string y1 = record_of({{2, 1}});

get_core get_of(consistency_level level, size_t n = 3,
                std::vector<uint8_t> order = {}) {
  auto need = requirement_of({level, 0}, std::vector<std::string>(n, "a"), "a");
  CAF_REQUIRE(need);
  if (order.empty())
    for (uint8_t i = 0; i < n; ++i)
      order.push_back(i);
  return get_core{*need, order, siblings};
}

bool nothing(const get_core::action& what) {
  return what.read == 0 && what.digest == 0 && what.repair == 0 && !what.answer
         && !what.fail;
}

home_set asked(const get_core::action& what) {
  return what.read | what.digest;
}

uint64_t digest_of(const std::string& bytes) {
  return version_hash(*decode_record(bytes));
}

} // namespace

CAF_TEST(as few homes as the level needs are read in the order given) {
  CAF_CHECK_EQUAL(asked(get_of(consistency_level::one).start()), 0b001u);
  CAF_CHECK_EQUAL(asked(get_of(consistency_level::quorum).start()), 0b011u);
  CAF_CHECK_EQUAL(
    asked(get_of(consistency_level::quorum, 3, {2, 0, 1}).start()), 0b101u);
  CAF_CHECK_EQUAL(asked(get_of(consistency_level::all).start()), 0b111u);
}

CAF_TEST(the best home is read in full and the others for their digests) {
  auto what = get_of(consistency_level::all, 3, {2, 0, 1}).start();
  CAF_CHECK_EQUAL(what.read, 0b100u);
  CAF_CHECK_EQUAL(what.digest, 0b011u);
}

CAF_TEST(equal digests are answered and nothing more is read) {
  for (auto record_first : {true, false}) {
    auto get = get_of(consistency_level::quorum);
    get.start();
    if (record_first)
      CAF_CHECK(nothing(get.record_from(0, x1)));
    CAF_CHECK_EQUAL(nothing(get.digest_from(1, digest_of(x1))), !record_first);
    if (!record_first)
      CAF_CHECK(get.record_from(0, x1).answer);
    CAF_CHECK(get.settled());
    CAF_CHECK_EQUAL(get.answers(), 0b011u);
  }
}

CAF_TEST(a digest that differs has its record read then merged and repaired) {
  for (auto record_first : {true, false}) {
    auto get = get_of(consistency_level::quorum);
    get.start();
    get_core::action what;
    if (record_first)
      get.record_from(0, x1);
    what = get.digest_from(1, digest_of(y1));
    if (!record_first)
      what = get.record_from(0, x1);
    CAF_CHECK_EQUAL(what.read, 0b010u);
    CAF_CHECK(!what.answer);
    what = get.record_from(1, y1);
    CAF_CHECK_EQUAL(what.repair, 0b011u);
    CAF_CHECK(nothing(get.repaired(0)));
    CAF_CHECK(get.repaired(1).answer);
    CAF_CHECK_EQUAL(get.merged().siblings.size(), 2u);
  }
}

CAF_TEST(digests that differ from the record may equal each other) {
  auto get = get_of(consistency_level::all);
  get.start();
  get.digest_from(1, digest_of(y1));
  get.digest_from(2, digest_of(y1));
  CAF_CHECK_EQUAL(get.record_from(0, x1).read, 0b110u);
  auto what = get.record_from(2, y1);
  CAF_CHECK_EQUAL(what.repair, 0b111u);
}

CAF_TEST(the digest of nothing needs no reading) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.digest_from(1, version_hash({}));
  auto what = get.record_from(0, x1);
  CAF_CHECK_EQUAL(what.read, 0u);
  CAF_CHECK_EQUAL(what.repair, 0b010u);
}

CAF_TEST(when the record is not to be had another home is read in full) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.digest_from(1, digest_of(x1));
  auto what = get.failed(0);
  CAF_CHECK_EQUAL(what.read, 0b100u);
  CAF_CHECK_EQUAL(what.digest, 0u);
  // And with none left, one that was asked for its digest only.
  what = get.failed(2);
  CAF_CHECK(what.fail);
  auto all_asked = get_of(consistency_level::quorum);
  all_asked.start();
  all_asked.slow();
  CAF_CHECK(nothing(all_asked.failed(2)));
  what = all_asked.failed(0);
  CAF_CHECK(what.fail);
}

CAF_TEST(a home asked for its digest is read in full when no other is left) {
  auto get = get_of(consistency_level::quorum, 3);
  get.start();
  get.digest_from(1, digest_of(x1));
  // Slow with the record here: the third is asked for its digest.
  get.record_from(0, y1);
  CAF_CHECK_EQUAL(get.slow().digest, 0b100u);
  CAF_CHECK(nothing(get.failed(1)));
  auto what = get.digest_from(2, digest_of(x1));
  CAF_CHECK_EQUAL(what.read, 0b100u);
  CAF_CHECK_EQUAL(get.record_from(2, x1).repair, 0b101u);
}

CAF_TEST(a differing record that cannot be read is replaced by another home) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.digest_from(1, digest_of(y1));
  get.record_from(0, x1);
  auto what = get.failed(1);
  CAF_CHECK_EQUAL(what.digest, 0b100u);
  CAF_CHECK(get.digest_from(2, digest_of(x1)).answer);
}

CAF_TEST(a digest of a home asked for its record is a failure) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  CAF_CHECK_EQUAL(get.digest_from(0, digest_of(x1)).read, 0b100u);
}

CAF_TEST(too few homes to ask fail at once and read nothing) {
  auto get = get_of(consistency_level::quorum, 3, {1});
  auto what = get.start();
  CAF_CHECK(what.fail);
  CAF_CHECK_EQUAL(what.read, 0u);
  CAF_CHECK(get.settled());
}

CAF_TEST(equal records are answered and nothing is written) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  CAF_CHECK(nothing(get.record_from(0, x1)));
  auto what = get.record_from(1, x1);
  CAF_CHECK(what.answer);
  CAF_CHECK_EQUAL(what.repair, 0u);
  CAF_CHECK(get.settled());
  CAF_CHECK_EQUAL(get.merged().siblings.size(), 1u);
}

CAF_TEST(homes without the key agree that it does not exist) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.record_from(0, "");
  auto what = get.record_from(1, "");
  CAF_CHECK(what.answer);
  CAF_CHECK_EQUAL(what.repair, 0u);
  CAF_CHECK(get.merged().empty());
}

CAF_TEST(a quorum answers only after the merged record is on enough homes) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.record_from(0, x1);
  auto what = get.record_from(1, y1);
  CAF_CHECK(!what.answer);
  CAF_CHECK_EQUAL(what.repair, 0b011u);
  CAF_CHECK_EQUAL(get.merged_bytes(), record_of({{1, 1}, {2, 1}}));
  CAF_CHECK(nothing(get.repaired(1)));
  CAF_CHECK(get.repaired(0).answer);
  CAF_CHECK_EQUAL(get.merged().siblings.size(), 2u);
  CAF_CHECK(get.settled());
}

CAF_TEST(only the homes that lack something are repaired) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.record_from(0, x1);
  CAF_CHECK_EQUAL(get.record_from(1, "").repair, 0b010u);
  CAF_CHECK(get.repaired(1).answer);
}

CAF_TEST(below a quorum the answer does not wait for the repair) {
  auto get = get_of(consistency_level::one, 3);
  get.start();
  CAF_CHECK(get.record_from(0, x1).answer);
  // TWO of five does not overlap itself.
  auto two = get_of(consistency_level::two, 5);
  two.start();
  two.record_from(0, x1);
  auto what = two.record_from(1, y1);
  CAF_CHECK(what.answer);
  CAF_CHECK_EQUAL(what.repair, 0b011u);
  CAF_CHECK(!two.settled());
  CAF_CHECK(nothing(two.repaired(0)));
  CAF_CHECK(nothing(two.repair_failed(1)));
  CAF_CHECK(two.settled());
}

CAF_TEST(a failed home is replaced by the next one) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  CAF_CHECK_EQUAL(asked(get.failed(0)), 0b100u);
  get.record_from(1, x1);
  CAF_CHECK(get.record_from(2, x1).answer);
}

CAF_TEST(with too few homes left a get fails once) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.failed(0);
  auto what = get.failed(1);
  CAF_CHECK(what.fail);
  CAF_CHECK(!what.answer);
  CAF_CHECK(nothing(get.failed(2)));
  CAF_CHECK(nothing(get.record_from(2, x1)));
}

CAF_TEST(a record that cannot be decoded is a failure and not an absent key) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  CAF_CHECK_EQUAL(get.record_from(0, "garbage").read, 0b100u);
  CAF_CHECK_EQUAL(get.answers(), 0u);
}

CAF_TEST(a slow home makes it ask one more and the first records count) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  CAF_CHECK_EQUAL(get.slow().read, 0b100u);
  CAF_CHECK(nothing(get.slow()));
  get.record_from(2, x1);
  CAF_CHECK(get.record_from(0, x1).answer);
  CAF_CHECK(nothing(get.record_from(1, y1)));
}

CAF_TEST(a repair that fails goes to a home that was not read) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.record_from(0, x1);
  CAF_CHECK_EQUAL(get.record_from(1, "").repair, 0b010u);
  CAF_CHECK_EQUAL(get.repair_failed(1).repair, 0b100u);
  CAF_CHECK(get.repaired(2).answer);
}

CAF_TEST(a get whose repairs cannot meet the level fails) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.record_from(0, x1);
  get.record_from(1, "");
  get.repair_failed(1);
  CAF_CHECK(get.repair_failed(2).fail);
  CAF_CHECK(get.settled());
}

CAF_TEST(answers of homes that were not asked or asked before are ignored) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  CAF_CHECK(nothing(get.record_from(2, x1)));
  CAF_CHECK(nothing(get.failed(2)));
  CAF_CHECK(nothing(get.repaired(0)));
  get.record_from(0, x1);
  CAF_CHECK(nothing(get.record_from(0, x1)));
  CAF_CHECK(nothing(get.failed(0)));
}

CAF_TEST(a get closed from outside says no more) {
  auto get = get_of(consistency_level::quorum);
  get.start();
  get.record_from(0, x1);
  get.close();
  CAF_CHECK(nothing(get.record_from(1, x1)));
  CAF_CHECK(nothing(get.slow()));
  CAF_CHECK(get.settled());
}

CAF_TEST(the values of the merged record stay valid) {
  auto get = get_of(consistency_level::all, 5);
  get.start();
  for (uint8_t i = 0; i < 4; ++i) {
    record r;
    write w;
    w.fresh.id = {i + 1u, 1};
    w.fresh.value = "v";
    apply(r, w, siblings);
    std::string bytes;
    encode(r, bytes);
    get.record_from(i, bytes);
  }
  get.record_from(4, "");
  CAF_REQUIRE_EQUAL(get.merged().siblings.size(), 4u);
  for (const auto& s : get.merged().siblings)
    CAF_CHECK_EQUAL(s.value, "v");
}
