// Names of members, keyspaces, racks and data centres.

#pragma once

#include <algorithm>
#include <string_view>

namespace covey::core {

inline constexpr size_t max_name_size = 64;

/// True for 1 to `max_name_size` bytes of [A-Za-z0-9._-], in any locale.
inline bool is_name(std::string_view x) {
  return !x.empty() && x.size() <= max_name_size
         && std::all_of(x.begin(), x.end(), [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                     || (c >= 'a' && c <= 'z') || c == '.' || c == '_'
                     || c == '-';
            });
}

} // namespace covey::core
