// Arbitrary bytes either are refused or decode to a filter that works.

#include "core/bloom_filter.hpp"
#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/hash.hpp"

using namespace covey::core;

namespace {

void try_decode(std::string_view bytes) {
  auto x = bloom_filter::decode(bytes);
  if (!x)
    return;
  // A layer takes no more than the bytes that hold it.
  COVEY_CHECK(x->memory_bytes() <= bytes.size() * 2 + 4096);
  auto y = bloom_filter::decode(x->encode());
  COVEY_CHECK(y && y->encode() == x->encode());
  auto known = x->maybe_contains("key");
  auto size = x->size();
  x->add("key");
  COVEY_CHECK(x->maybe_contains("key"));
  COVEY_CHECK(x->size() == size + (known ? 0 : 1));
}

/// Decodes `body` under a right checksum, which almost nothing gets by chance.
void try_body(std::string body) {
  byte_writer out{body};
  out.u64(hash64(body));
  try_decode(body);
}

/// A sound filter of a size that `in` says, with the bytes that `in` says
/// overwritten.
std::string damaged_body(byte_reader in) {
  bloom_filter x{1024 + size_t{in.u8()}};
  auto keys = in.u8() * 8;
  for (auto i = 0; i < keys; ++i)
    x.add(std::to_string(i));
  auto result = x.encode();
  result.resize(result.size() - 8);
  while (in.remaining() >= 3) {
    auto place = in.u16() % result.size();
    result[place] = static_cast<char>(in.u8());
  }
  return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  try_decode(bytes);
  try_body(std::string{bytes});
  try_body("CVBF\x01" + std::string{bytes});
  try_body(damaged_body(byte_reader{bytes}));
  return 0;
}
