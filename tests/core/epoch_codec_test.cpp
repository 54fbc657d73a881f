// Epochs as bytes.

#define CAF_SUITE core.epoch_codec

#include "core/epoch_codec.hpp"
#include "tests/core/epochs.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;
using covey::core::test::make_epoch;
using covey::core::test::make_member;

namespace {

/// Everything that an epoch can hold.
epoch full_epoch() {
  auto x = make_epoch();
  x.id = {2, 9};
  x.members[1].state = member_state::leaving;
  x.members[0].weight = 3;
  x.members.push_back(make_member("n2"));
  x.members.back().id = {5, 5};
  x.members.back().state = member_state::joining;
  x.members.push_back(make_member("old"));
  x.members.back().state = member_state::removed;
  x.keyspaces[0].policy = conflict_policy::lww;
  x.keyspaces[0].default_read = {consistency_level::number, 2};
  x.keyspaces[0].default_ttl_s = 60;
  x.keyspaces[1].strict_puts = true;
  x.keyspaces[1].hash_tags = true;
  x.changes = {{change_kind::replace, {5, 5}, x.members[1].id, 0, {2, 8}},
               {change_kind::weight, x.members[0].id, {}, 4, {2, 9}}};
  return x;
}

std::string hex(std::string_view bytes) {
  std::string result;
  for (unsigned char c : bytes) {
    result += "0123456789abcdef"[c >> 4];
    result += "0123456789abcdef"[c & 15];
  }
  return result;
}

bool refused(const epoch& x) {
  return !decode_epoch(encode(x));
}

} // namespace

CAF_TEST(an epoch survives its bytes) {
  for (const auto& x : {make_epoch(), full_epoch()}) {
    auto y = decode_epoch(encode(x));
    CAF_REQUIRE(y.has_value());
    CAF_CHECK_EQUAL(epoch_hash(*y), epoch_hash(x));
    CAF_CHECK(y->members.size() == x.members.size());
    for (size_t i = 0; i < x.members.size(); ++i)
      CAF_CHECK(y->members[i].state == x.members[i].state);
    CAF_CHECK(y->changes.size() == x.changes.size());
    CAF_CHECK(encode(*y) == encode(x));
  }
}

CAF_TEST(the bytes of an epoch are those of the format page) {
  epoch x;
  x.id = {1, 2};
  x.cluster = "c";
  x.members.resize(1);
  x.members[0].id = {1, 2};
  x.members[0].name = "n1";
  x.members[0].host = "h";
  x.members[0].port = 7101;
  x.keyspaces.resize(1);
  x.keyspaces[0].name = "k";
  x.keyspaces[0].replication.total = 1;
  x.keyspaces[0].default_ttl_s = 60;
  CAF_CHECK_EQUAL(hex(encode(x)), "01"
                                  "0000000000000001"
                                  "0000000000000002"
                                  "0163"
                                  "01"
                                  "0000000000000001"
                                  "0000000000000002"
                                  "026e31"
                                  "0168"
                                  "1bbd"
                                  "00"
                                  "00"
                                  "00000001"
                                  "00"
                                  "01"
                                  "016b"
                                  "00000001"
                                  "00"
                                  "00"
                                  "0400000000"
                                  "0400000000"
                                  "000000000000003c"
                                  "00"
                                  "00");
  CAF_CHECK(decode_epoch(encode(x)).has_value());
}

CAF_TEST(bytes that are cut off or longer are refused) {
  auto bytes = encode(full_epoch());
  for (size_t n = 0; n < bytes.size(); ++n)
    if (decode_epoch(bytes.substr(0, n)))
      CAF_ERROR("accepted the first " << n << " bytes");
  CAF_CHECK(!decode_epoch(bytes + '\0'));
  CAF_CHECK(!decode_epoch(std::string(max_epoch_bytes + 1, '\1')));
}

CAF_TEST(epochs that no node would go by are refused) {
  CAF_CHECK(!refused(full_epoch()));
  auto x = full_epoch();
  x.members[3].state = static_cast<member_state>(4);
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.members[3].host = "a b";
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.members[3].host = std::string(256, 'a');
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.keyspaces[0].policy = static_cast<conflict_policy>(2);
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.keyspaces[0].default_ttl_s = max_default_ttl_s + 1;
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.cluster = "";
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.changes[0].kind = static_cast<change_kind>(6);
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.changes[1].other = {1, 1};
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.changes[1].weight = 65;
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.changes.pop_back();
  x.changes.pop_back();
  CAF_CHECK(refused(x));
  x = full_epoch();
  x.members[4].state = member_state::up;
  CAF_CHECK(refused(x));
}

CAF_TEST(numbers have one spelling) {
  auto bytes = encode(make_epoch());
  // The length of the cluster's name, in two bytes.
  auto at = size_t{1 + 16};
  CAF_REQUIRE_EQUAL(bytes[at], 4);
  auto other = bytes.substr(0, at) + "\x84" + std::string(1, '\0')
               + bytes.substr(at + 1);
  CAF_CHECK(!decode_epoch(other));
}
