#define CAF_SUITE client.json_lines

#include "client/json_lines.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace covey::client;

namespace {

std::string why_not(std::string_view line) {
  std::string why;
  return parse_record(line, why) ? "accepted" : why;
}

} // namespace

CAF_TEST(valid UTF8 is told from other bytes) {
  using namespace std::string_view_literals;
  for (auto text :
       {""sv, "a"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv,
        "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
        "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv})
    CAF_CHECK(is_utf8(text));
  for (auto bytes :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x7f"sv,
        "\xc2\xc0"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xed\xbf\xbf"sv,
        "\xe2\x82"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv,
        "\xf5\x80\x80\x80"sv, "\xff"sv, "a\xe2\x82"sv})
    CAF_CHECK(!is_utf8(bytes));
}

CAF_TEST(text stays text and other bytes become base64) {
  CAF_CHECK_EQUAL(record_line("k", "caf\xc3\xa9 \"q\"\n"),
                  "{\"key\":\"k\",\"value\":\"caf\xc3\xa9 \\\"q\\\"\\n\"}");
  CAF_CHECK_EQUAL(record_line("\xff", std::string_view{"\0\xff", 2}),
                  R"({"key64":"/w==","value64":"AP8="})");
}

CAF_TEST(random bytes survive the way there and back) {
  std::mt19937_64 rng{4711};
  for (int i = 0; i < 2000; ++i) {
    std::string key(1 + rng() % 20, ' ');
    std::string value(rng() % 40, ' ');
    // Half of them from a narrow range, so that text comes up often.
    auto range = i % 2 == 0 ? 256u : 128u;
    for (auto& c : key)
      c = static_cast<char>(rng() % range);
    for (auto& c : value)
      c = static_cast<char>(rng() % range);
    auto line = record_line(key, value);
    CAF_CHECK(line.find('\n') == std::string::npos);
    std::string why;
    auto fields = parse_record(line, why);
    CAF_REQUIRE(fields);
    CAF_CHECK(fields->key == key);
    CAF_CHECK(fields->value == value);
  }
}

CAF_TEST(a bad line is refused with the reason) {
  CAF_CHECK_EQUAL(why_not("{"), "not JSON");
  CAF_CHECK_EQUAL(why_not("{} x"), "not JSON");
  CAF_CHECK_EQUAL(why_not("[]"), "not a JSON object");
  CAF_CHECK_EQUAL(why_not(R"({"value":"v"})"),
                  R"(needs one of "key" and "key64")");
  CAF_CHECK_EQUAL(why_not(R"({"key":"k","key64":"aw==","value":"v"})"),
                  R"(needs one of "key" and "key64")");
  CAF_CHECK_EQUAL(why_not(R"({"key":"k"})"),
                  R"(needs one of "value" and "value64")");
  CAF_CHECK_EQUAL(why_not(R"({"key":1,"value":"v"})"),
                  R"("key" is not a string)");
  CAF_CHECK_EQUAL(why_not(R"({"key":"k","value64":"v"})"),
                  R"("value64" is not base64)");
  CAF_CHECK_EQUAL(why_not(R"({"key":"","value":"v"})"), "the key is empty");
  CAF_CHECK_EQUAL(why_not("{\"key\":\"\xff\",\"value\":\"v\"}"), "not JSON");
}

CAF_TEST(fields that import does not know are skipped) {
  CAF_CHECK_EQUAL(why_not(R"({"key":"k","value":"","context":"Y3R4","n":[1]})"),
                  "accepted");
}
