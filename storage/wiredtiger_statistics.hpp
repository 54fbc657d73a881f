// The numbers of WiredTiger worth watching.

#pragma once

#include "storage/engine.hpp"

#include <wiredtiger.h>

namespace covey::storage {

/// Reads them through `session`; those it cannot read are left out.
statistics read_wiredtiger_statistics(WT_SESSION* session);

} // namespace covey::storage
