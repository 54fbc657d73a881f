// Epochs as bytes: on disk and between nodes.

#pragma once

#include "core/epoch.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace covey::core {

/// An epoch of more bytes is refused, here and when it is decoded.
inline constexpr size_t max_epoch_bytes = 1 << 20;

/// Bytes, format 1 (docs/format/epoch.md): one way to write each epoch.
std::string encode(const epoch& x);

/// Nothing if the bytes are malformed, or of an epoch that `validate` refuses.
std::optional<epoch> decode_epoch(std::string_view bytes);

} // namespace covey::core
