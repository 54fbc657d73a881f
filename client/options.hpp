// What the covey command was asked to do.

#pragma once

#include "client/cluster_options.hpp"
#include "core/slot.hpp"

#include <string>
#include <variant>
#include <vector>

namespace covey::client {

inline constexpr const char* version = "0.1.0";

struct options : cluster_options {
  bool json = false;
  std::string command;
  /// Empty for `ring` without KEY.
  std::string key;
  std::string value;
  bool value_from_stdin = false;
  // import only.
  std::string file;
  size_t in_flight = 512;
  std::string ack_log;
  std::string skip_acked;
  bool overwrite = false;
  // export only.
  std::string prefix;
  // keyspace only.
  wire::KeyspaceRequest change;
  // repair only. Last slot included.
  uint16_t first_slot = 0;
  uint16_t last_slot = core::slot_count - 1;
  // watch only.
  bool watch_once = false;
  bool only_given = false;
  /// 0: until it is interrupted.
  uint32_t for_s = 0;
  uint32_t silence_ms = 1500;
};

/// Parses the command line. An exit code if there is nothing left to do: the
/// help or the version was printed (0), or what is wrong with it (2).
std::variant<options, int> parse_options(int argc, const char* const* argv);

} // namespace covey::client
