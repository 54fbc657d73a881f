// The one table of knobs: it drives parsing, checks, --help and --dump-config.

#pragma once

#include "runtime/config.hpp"
#include "runtime/config_value.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace covey::runtime {

/// A configuration that is being put together.
struct config_draft {
  node_config config;
  std::string cluster = "covey";
  text_list members;
  /// Without a replication yet where the configuration gives none.
  std::map<std::string, core::keyspace> keyspaces;
  /// Full names of the knobs that the file or the command line sets.
  std::set<std::string> given;
};

enum class knob_type : uint8_t {
  number,
  flag,
  text,
  list,
  /// One of the knob's choices.
  choice,
  /// Text, or a number standing for that text.
  number_or_text,
};

/// One thing that can be configured.
struct knob {
  /// "keyspaces.NAME" stands for the section of any keyspace.
  std::string section;
  std::string key;
  knob_type type = knob_type::text;
  /// In the plural, or empty.
  std::string unit;
  /// Inclusive; for numbers only.
  int64_t min = 0;
  int64_t max = 0;
  text_list choices;
  /// A sentence.
  std::string help;
  /// Said instead of the value where there is no plain default.
  std::string default_note;
  bool required = false;
  /// Takes a value of the right type, range and choice. Returns what is wrong
  /// with it otherwise, or an empty string. `instance` names the keyspace.
  std::function<std::string(config_draft&, const std::string& instance,
                            const knob_value&)>
    store;
  /// The value in a draft; of a fresh draft, the default.
  std::function<knob_value(const config_draft&, const std::string& instance)>
    load;
};

inline constexpr std::string_view keyspace_prefix = "keyspaces.";
inline constexpr const char* keyspace_section = "keyspaces.NAME";

/// True for "keyspaces." and something after it.
bool is_keyspace_section(std::string_view name);

/// Every knob, grouped by section in the order of the documentation.
const std::vector<knob>& schema();

/// The knob of `key` in `section` as a file names it, or null.
const knob* find_knob(std::string_view section, std::string_view key);

/// The default as the documentation prints it.
std::string default_text(const knob& x);

/// What values are right: "16 to 1048576 (megabytes)", "none, snappy or zlib".
std::string range_text(const knob& x);

/// Checks type, range and choice of `value` and stores it. Returns what is
/// wrong with it as "storage.cache-mb = 5 is out of range: ...", or nothing.
std::string assign(config_draft& draft, const std::string& section,
                   const knob& x, const knob_value& value);

} // namespace covey::runtime
