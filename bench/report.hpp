// What covey-bench prints, and exits with.

#pragma once

#include "bench/options.hpp"
#include "bench/phase.hpp"

#include <optional>
#include <string>

namespace covey::bench {

struct report {
  options asked;
  /// Putting all keys; none without --load.
  std::optional<phase_result> fill;
  /// None if there was nothing to measure, or Ctrl-C came before.
  std::optional<phase_result> run;
};

/// For people: lines of text.
std::string to_text(const report& x);
/// For programs: one JSON object on one line.
std::string to_json(const report& x);

/// 0 if everything succeeded; that of the most frequent error; 3 if the run
/// was ended early or requests were not answered.
int exit_code(const report& x);

} // namespace covey::bench
