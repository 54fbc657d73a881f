// Base64 (RFC 4648, section 4), for bytes in text.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace covey::client {

/// With padding, without line breaks.
std::string base64_encode(std::string_view bytes);

/// Nothing unless `text` is exactly what `base64_encode` could have written.
std::optional<std::string> base64_decode(std::string_view text);

} // namespace covey::client
