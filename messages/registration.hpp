// Makes CAF know our message types and errors.

#pragma once

#include <caf/actor_system_config.hpp>

namespace covey {

/// Configuration with every type that travels, and our error category. Derive
/// from it. Registering types costs seconds per translation unit, hence the
/// constructor is out of line.
struct system_config : caf::actor_system_config {
  system_config();
};

} // namespace covey
