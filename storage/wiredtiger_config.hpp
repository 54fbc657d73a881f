// Configuration strings and table names for WiredTiger
// (docs/adr/0002-wiredtiger-settings.md).

#pragma once

#include "storage/wiredtiger_engine.hpp"

#include <string>

namespace covey::storage {

/// The words of the configuration files: "btree", "none" and so on.
const char* to_string(table_type x);
const char* to_string(compression x);

/// "data.3" or "system".
std::string table_name(table_id table);
/// "table:data.3".
std::string table_uri(table_id table);

/// For wiredtiger_open. The same string must be given at every open.
std::string connection_config(const wiredtiger_options& options);
/// For WT_SESSION::create.
std::string table_config(const wiredtiger_options& options, table_id table);

} // namespace covey::storage
