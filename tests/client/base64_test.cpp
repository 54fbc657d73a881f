#define CAF_SUITE client.base64

#include "client/base64.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::client;

CAF_TEST(the vectors of RFC 4648 hold) {
  const std::pair<const char*, const char*> vectors[]{
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
  };
  for (auto& [bytes, text] : vectors) {
    CAF_CHECK_EQUAL(base64_encode(bytes), text);
    auto decoded = base64_decode(text);
    CAF_REQUIRE(decoded);
    CAF_CHECK_EQUAL(*decoded, bytes);
  }
}

CAF_TEST(every byte survives at every length) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(255 - i);
    auto decoded = base64_decode(base64_encode(bytes));
    CAF_REQUIRE(decoded);
    CAF_CHECK(*decoded == bytes);
  }
}

CAF_TEST(text that no encoder writes is refused) {
  for (auto text : {"Z", "Zg", "Zg=", "Zg===", "Zm9v=", "=",
                    "====", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9",
                    "Zm9v\n", "Zm-v", "Zm_v", "Zm9vZ=g="})
    CAF_CHECK(!base64_decode(text));
  CAF_CHECK(!base64_decode(std::string_view{"Zm9\0", 4}));
}
