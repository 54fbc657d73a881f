// What the command says, and exits with, when a request failed.

#pragma once

#include "messages/errors.hpp"

#include <string>

namespace covey::client {

/// DO NOT REORDER: scripts depend on the numbers.
namespace exits {
inline constexpr int done = 0;
inline constexpr int not_found = 1;
inline constexpr int usage = 2;
inline constexpr int unavailable = 3;
inline constexpr int siblings = 4;
inline constexpr int rejected = 5;
} // namespace exits

int exit_code(errc code);

/// What to do about it: an imperative sentence without a full stop.
std::string advice(errc code);

struct failure {
  errc code = errc::none;
  /// From the node or the session; may be empty.
  std::string text;
  bool is_write = false;
  bool maybe_written = false;
};

/// "covey: put: unavailable: TEXT; nothing was written. ADVICE." without a line
/// end, whatever is in the text.
std::string error_line(const std::string& command, const failure& f);

/// Prints the line to stderr and returns the exit code.
int report(const std::string& command, const failure& f);

} // namespace covey::client
