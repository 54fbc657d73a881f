// Which names a configuration may use, and what to say about others.

#pragma once

#include <string>

namespace covey::runtime {

/// True for the name of a section that exists, or of a keyspace's.
bool is_section(const std::string& name);

/// Lines that say that a name is unknown, with the one that may be meant.
std::string unknown_section(const std::string& name);
std::string unknown_key(const std::string& section, const std::string& key);
/// For the `name` of `--name` without a section.
std::string unknown_flag(const std::string& name);

} // namespace covey::runtime
