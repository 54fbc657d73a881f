// Decodes arbitrary bytes as a record; what decodes must survive a round trip
// and a merge with itself.

#include "core/record.hpp"

#include <cstdint>
#include <cstdlib>

using covey::core::conflict_policy;
using covey::core::decode_record;
using covey::core::record;

namespace {

std::string bytes_of(const record& r) {
  std::string result;
  encode(r, result);
  return result;
}

void require(bool x) {
  if (!x)
    abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  auto r = decode_record(bytes);
  if (!r)
    return 0;
  auto first = bytes_of(*r);
  auto again = decode_record(first);
  require(again.has_value() && same_version(*r, *again));
  require(version_hash(*r) == version_hash(*again));
  require(bytes_of(*again) == first);
  for (auto policy : {conflict_policy::siblings, conflict_policy::lww}) {
    auto once = merge(*r, *again, policy);
    auto twice = merge(once, once, policy);
    require(bytes_of(once) == bytes_of(twice));
  }
  return 0;
}
