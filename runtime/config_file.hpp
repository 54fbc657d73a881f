// The syntax of configuration files: CAF's INI grammar, keeping what CAF's own
// reader throws away (lines, duplicates, unknown names, wrong types).

#pragma once

#include "runtime/config_value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace covey::runtime {

/// One `key = value`; `section` is empty outside of sections.
struct file_entry {
  std::string section;
  std::string key;
  knob_value value;
  int line = 0;
};

struct file_section {
  std::string name;
  int line = 0;
};

struct file_content {
  std::vector<file_entry> entries;
  /// Every section opened, also those without entries.
  std::vector<file_section> sections;
  /// Why reading stopped, or empty.
  std::string error;
};

/// Parses the text of a configuration file.
file_content parse_config_text(std::string_view text);

/// Reads and parses the file at `path`, of at most one megabyte.
file_content read_config_file(const std::string& path);

/// Parses one value in the file's syntax; a foreign value if malformed.
knob_value parse_config_value(std::string_view text);

} // namespace covey::runtime
