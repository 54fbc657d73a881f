// Identities of members and their text form.

#define CAF_SUITE core.uuid

#include "core/uuid.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace covey::core;

namespace {

constexpr auto sample = "00112233-4455-6677-8899-aabbccddeeff";

} // namespace

CAF_TEST(the text form has five groups of lower case digits) {
  uuid x{0x0011223344556677, 0x8899aabbccddeeff};
  CAF_CHECK_EQUAL(to_string(x), sample);
  CAF_CHECK(parse_uuid(sample) == x);
  CAF_CHECK_EQUAL(to_string(uuid{}), "00000000-0000-0000-0000-000000000000");
}

CAF_TEST(upper case digits are read as well) {
  CAF_CHECK(parse_uuid("00112233-4455-6677-8899-AABBCCDDEEFF")
            == parse_uuid(sample));
}

CAF_TEST(every id survives its text form) {
  constexpr uint64_t seed = 7;
  std::mt19937_64 random{seed};
  for (int i = 0; i < 1000; ++i) {
    uuid x{random(), random()};
    if (parse_uuid(to_string(x)) != x)
      CAF_FAIL("seed " << seed << ": " << to_string(x));
  }
}

CAF_TEST(malformed text is no id) {
  std::string text{sample};
  CAF_CHECK(!parse_uuid(""));
  CAF_CHECK(!parse_uuid(text + "0"));
  CAF_CHECK(!parse_uuid(text.substr(1)));
  CAF_CHECK(!parse_uuid("{" + text + "}"));
  for (size_t i = 0; i < text.size(); ++i)
    for (auto c : {'g', 'G', '/', ':', '@', '`', ' ', '\0', '\xff'}) {
      auto damaged = text;
      damaged[i] = c;
      CAF_CHECK(!parse_uuid(damaged));
    }
  // A dash where a digit belongs and the reverse.
  text[8] = '0';
  CAF_CHECK(!parse_uuid(text));
  text = sample;
  text[7] = '-';
  CAF_CHECK(!parse_uuid(text));
}

CAF_TEST(only the zero id is false) {
  CAF_CHECK(!uuid{});
  CAF_CHECK(static_cast<bool>(uuid{0, 1}));
  CAF_CHECK(static_cast<bool>(uuid{1, 0}));
}

CAF_TEST(ids are ordered by their high half first) {
  CAF_CHECK((uuid{1, 9} < uuid{2, 0}));
  CAF_CHECK((uuid{1, 1} < uuid{1, 2}));
  CAF_CHECK(!(uuid{1, 1} < uuid{1, 1}));
  CAF_CHECK((uuid{1, 1} != uuid{1, 2}));
}

CAF_TEST(the id of an initial member is frozen) {
  CAF_CHECK_EQUAL(to_string(initial_member_id("covey", "n1")),
                  "429c074c-dfab-8cd6-aac1-08773e8218a7");
}

CAF_TEST(the id of an initial member depends on both names and where they end) {
  auto x = initial_member_id("covey", "n1");
  CAF_CHECK(x == initial_member_id("covey", "n1"));
  CAF_CHECK(x != initial_member_id("covey", "n2"));
  CAF_CHECK(x != initial_member_id("coveyn", "1"));
  CAF_CHECK(x != initial_member_id("n1", "covey"));
}

CAF_TEST(the id of an initial member is a version 8 id and never zero) {
  for (int i = 0; i < 100; ++i) {
    auto text = to_string(initial_member_id("", std::to_string(i)));
    CAF_CHECK_EQUAL(text[14], '8');
    CAF_CHECK_NOT_EQUAL(std::string("89ab").find(text[19]), std::string::npos);
  }
}
