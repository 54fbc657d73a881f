// What must lie in a data directory before WiredTiger may open it.

#pragma once

#include "storage/wiredtiger_engine.hpp"

#include <optional>
#include <string>

namespace covey::storage {

enum class store_state : uint8_t {
  /// Nothing was acknowledged here yet: tables are created as needed.
  created,
  /// Data may have been acknowledged: every table must be there.
  used,
};

/// Checks the directory, or makes it ready for creation. WiredTiger itself
/// makes an empty database of one whose files are missing, so this must come
/// first. Nothing, and `error`, if the directory must not be opened.
std::optional<store_state> prepare_store(const wiredtiger_options& options,
                                         std::string& error);

} // namespace covey::storage
