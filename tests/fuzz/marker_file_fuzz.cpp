// Marks that were decoded are encoded to the same bytes, whatever came in.

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/hash.hpp"
#include "storage/marker_file.hpp"

#include <cstddef>
#include <cstdint>

using namespace covey;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  bytes.resize(4096);
  if (auto copy = storage::decode_markers(bytes))
    COVEY_CHECK(storage::encode_markers(*copy) == bytes);
  storage::decode_markers(std::string_view{bytes}.substr(0, size % 4097));
  // Random bytes have no sound checksum: give them one, where one belongs.
  uint32_t shards = size > 43 ? data[43] : 0;
  auto summed = std::string{"coveymk1"} + bytes.substr(8, 32);
  core::byte_writer out{summed};
  out.u32(shards);
  summed += bytes.substr(44, shards * 8);
  out.u64(core::hash64(summed));
  summed.resize(4096);
  auto copy = storage::decode_markers(summed);
  COVEY_CHECK(copy && copy->content.flushed.size() == shards);
  COVEY_CHECK(storage::encode_markers(*copy) == summed);
  return 0;
}
