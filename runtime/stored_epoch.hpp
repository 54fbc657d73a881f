// The epoch that a node starts with.

#pragma once

#include "messages/local.hpp"
#include "runtime/config.hpp"
#include "storage/engine.hpp"

#include <string>

namespace covey::runtime {

/// The newest decided epoch on disk, which counts, or that of the configuration
/// if nothing was ever decided. A node must not serve under an older one than
/// it went by: others may rely on its refusing that. Null, and `error` one
/// line, if the row is damaged or this node is no member any more.
epoch_ptr stored_epoch(storage::engine& engine, const node_config& config,
                       std::string& error);

} // namespace covey::runtime
