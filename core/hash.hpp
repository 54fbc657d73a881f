// The one hash function of the project: XXH3, 64 bits.

#pragma once

#include <cstdint>
#include <string_view>

namespace covey::core {

/// XXH3_64bits of `bytes` under `seed` (https://github.com/Cyan4973/xxHash).
/// Frozen: ring positions, keyspace ids, contexts and filters depend on it.
uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

} // namespace covey::core
