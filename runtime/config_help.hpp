// What coveyd prints about its configuration.

#pragma once

#include "runtime/config_schema.hpp"

#include <string>

namespace covey::runtime {

/// The text of --help: usage, then every knob by section with its default,
/// unit and range.
std::string help_text();

/// The text of --dump-config: every value in effect, as a configuration file.
std::string dump_text(const config_draft& draft);

} // namespace covey::runtime
