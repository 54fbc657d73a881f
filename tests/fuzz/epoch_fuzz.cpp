// Decodes arbitrary bytes as an epoch and as an acceptor's state: what decodes
// is sound, and there is one way to write it.

#include "core/epoch_codec.hpp"
#include "core/paxos.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  auto x = covey::core::decode_epoch(bytes);
  if (x
      && (covey::core::encode(*x) != bytes
          || !covey::core::validate(*x).empty()))
    abort();
  auto y = covey::core::decode_acceptor_state(bytes);
  if (y && (covey::core::encode(*y) != bytes || y->promised < y->accepted))
    abort();
  return 0;
}
