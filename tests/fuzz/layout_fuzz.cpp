// A record key that was parsed is built again from its parts, and lies within
// its slot.

#include "core/check.hpp"
#include "storage/layout.hpp"

#include <cstddef>
#include <cstdint>

using namespace covey;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  storage::record_position x;
  bool parsed = storage::parse_record_key(bytes, x);
  COVEY_CHECK(parsed == (size >= 10));
  if (!parsed)
    return 0;
  COVEY_CHECK(storage::record_key(x.group, x.slot, x.keyspace, x.key) == bytes);
  COVEY_CHECK(storage::slot_begin(x.group, x.slot) <= bytes);
  if (x.slot < 16384)
    COVEY_CHECK(bytes < storage::slot_begin(x.group, x.slot + 1u));
  return 0;
}
