// Decodes arbitrary bytes as a token, as they are and as a body under a right
// checksum; what decodes must survive a round trip.

#include "core/bytes.hpp"
#include "core/context_token.hpp"
#include "core/hash.hpp"

#include <cstdint>
#include <cstdlib>

using covey::core::byte_writer;
using covey::core::decode_token;
using covey::core::encode_token;
using covey::core::hash64;
using covey::core::token_binding;

namespace {

const token_binding here{1, 2, "k"};

void check(std::string_view bytes) {
  auto t = decode_token(bytes, here);
  if (!t)
    return;
  auto again = decode_token(encode_token(*t, here), here);
  if (!again || again->seen != t->seen || again->stamp != t->stamp)
    abort();
}

/// A token of this body that passes the checksum (docs/format/context.md).
std::string sealed(std::string_view body) {
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

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  check(bytes);
  check(sealed(bytes));
  return 0;
}
