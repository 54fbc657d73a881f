#define CAF_SUITE core.context_token

#include "core/bytes.hpp"
#include "core/context_token.hpp"
#include "core/hash.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using covey::core::byte_writer;
using covey::core::decode_token;
using covey::core::encode_token;
using covey::core::hash64;
using covey::core::token;
using covey::core::token_binding;

namespace {

const token_binding here{0xc0febabe, 7, "apple"};

token example() {
  token result;
  result.seen.advance({0x0102030405060708, 3});
  result.seen.add({0x0102030405060708, 300});
  result.seen.add({9, 1});
  result.stamp = 5;
  return result;
}

std::string hex(const std::string& bytes) {
  std::string result;
  for (auto c : bytes)
    for (auto shift : {4, 0})
      result += "0123456789abcdef"[static_cast<uint8_t>(c) >> shift & 15];
  return result;
}

bool same(const std::optional<token>& x, const token& y) {
  return x && x->seen == y.seen && x->stamp == y.stamp;
}

/// A token of this body whose checksum is as the format page says.
std::string sealed(const std::string& body) {
  std::string keyspace;
  byte_writer{keyspace}.u32(here.keyspace);
  auto seed = hash64(here.key, hash64(keyspace, here.cluster_key));
  std::string result;
  byte_writer out{result};
  out.u8(1);
  out.u64(hash64(body, seed));
  out.raw(body);
  return result;
}

} // namespace

CAF_TEST(an empty token is an empty string everywhere) {
  CAF_CHECK_EQUAL(encode_token({}, here), "");
  CAF_CHECK(same(decode_token("", here), token{}));
}

CAF_TEST(a token comes back where it was given) {
  CAF_CHECK(same(decode_token(encode_token(example(), here), here), example()));
  token stamp_only;
  stamp_only.stamp = 1;
  CAF_CHECK(
    same(decode_token(encode_token(stamp_only, here), here), stamp_only));
}

CAF_TEST(the bytes are those of the format page) {
  auto bytes = hex(encode_token(example(), here));
  CAF_CHECK_EQUAL(bytes.substr(0, 2), "01");
  CAF_CHECK_EQUAL(bytes.substr(18), "05"
                                    "01"
                                    "0102030405060708"
                                    "03"
                                    "02"
                                    "00"
                                    "0000000000000009"
                                    "01"
                                    "01"
                                    "ac02");
  CAF_CHECK_EQUAL(bytes.substr(2, 16), "b75090c9ac92b899");
}

CAF_TEST(a token of another cluster or keyspace or key is refused) {
  auto bytes = encode_token(example(), here);
  CAF_CHECK(!decode_token(bytes, {0xc0febabf, 7, "apple"}));
  CAF_CHECK(!decode_token(bytes, {0xc0febabe, 8, "apple"}));
  CAF_CHECK(!decode_token(bytes, {0xc0febabe, 7, "appl"}));
  CAF_CHECK(!decode_token(bytes, {0xc0febabe, 7, ""}));
}

CAF_TEST(every flipped bit and every cut is noticed) {
  auto bytes = encode_token(example(), here);
  for (size_t i = 0; i < bytes.size(); ++i) {
    // The empty prefix is the empty token.
    CAF_CHECK(i == 0 || !decode_token(bytes.substr(0, i), here));
    for (auto bit = 0; bit < 8; ++bit) {
      auto damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      CAF_CHECK(!decode_token(damaged, here));
    }
  }
  CAF_CHECK(!decode_token(bytes + '\0', here));
}

CAF_TEST(a right checksum does not excuse a malformed body) {
  auto body = encode_token(example(), here).substr(9);
  CAF_CHECK(same(decode_token(sealed(body), here), example()));
  CAF_CHECK(!decode_token(sealed(body + '\0'), here));
  CAF_CHECK(!decode_token(sealed(body.substr(1)), here));
  CAF_CHECK(!decode_token(sealed(""), here));
}

CAF_TEST(random tokens come back) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 engine{seed};
    token x;
    x.stamp = engine() >> engine() % 64;
    for (auto n = engine() % 6; n > 0; --n)
      x.seen.advance({1 + engine() % 4, 1 + (engine() >> engine() % 64)});
    for (auto n = engine() % 6; n > 0; --n)
      x.seen.add({1 + engine() % 6, 1 + (engine() >> engine() % 63)});
    if (!same(decode_token(encode_token(x, here), here), x))
      CAF_FAIL("seed " << seed);
  }
}
