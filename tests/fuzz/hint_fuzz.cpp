// Decodes arbitrary bytes as a hint; there is one way to write each.

#include "core/hint.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  auto x = covey::core::decode_hint(bytes);
  if (x
      && (covey::core::encode(*x) != bytes
          || (x->record.empty() && !x->stored)))
    abort();
  return 0;
}
