// The bytes of hints.

#define CAF_SUITE core.hint

#include "core/hint.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;

namespace {

hint some_hint(std::string_view record = "record", bool stored = false) {
  hint x;
  x.version = 0x0102030405060708;
  x.since_ms = 0x090a0b0c0d0e0f10;
  x.stored = stored;
  x.record = record;
  return x;
}

// As docs/format/hints.md says: format, flags, version, since.
std::string bytes(char format, char flags, const std::string& record) {
  return std::string{format, flags}
         + "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10" + record;
}

} // namespace

CAF_TEST(a hint has exactly the documented bytes) {
  CAF_CHECK_EQUAL(encode(some_hint()), bytes(1, 0, "record"));
  CAF_CHECK_EQUAL(encode(some_hint("", true)), bytes(1, 1, ""));
}

CAF_TEST(a decoded hint is what was encoded) {
  for (auto stored : {false, true})
    for (const auto& record : {std::string{"r"}, std::string(3, '\0'),
                               std::string(10'000, '\xff')}) {
      auto encoded = encode(some_hint(record, stored));
      auto x = decode_hint(encoded);
      CAF_REQUIRE(x);
      CAF_CHECK_EQUAL(x->version, 0x0102030405060708u);
      CAF_CHECK_EQUAL(x->since_ms, 0x090a0b0c0d0e0f10u);
      CAF_CHECK_EQUAL(x->stored, stored);
      CAF_CHECK_EQUAL(x->record, record);
    }
}

CAF_TEST(only a hint for what the store has itself may be without a record) {
  CAF_CHECK(!decode_hint(bytes(1, 0, "")));
  auto x = decode_hint(bytes(1, 1, ""));
  CAF_REQUIRE(x);
  CAF_CHECK(x->stored);
  CAF_CHECK(x->record.empty());
}

CAF_TEST(what is too short is no hint) {
  auto whole = bytes(1, 1, "");
  for (size_t n = 0; n < whole.size(); ++n)
    CAF_CHECK(!decode_hint(whole.substr(0, n)));
}

CAF_TEST(newer formats and unknown flags are refused) {
  CAF_CHECK(decode_hint(bytes(1, 0, "record")));
  CAF_CHECK(!decode_hint(bytes(0, 0, "record")));
  CAF_CHECK(!decode_hint(bytes(2, 0, "record")));
  CAF_CHECK(!decode_hint(bytes(1, 2, "record")));
  CAF_CHECK(!decode_hint(bytes(1, 3, "record")));
}
