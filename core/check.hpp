// Checks that stay on in every build: a failed one is a bug of ours.

#pragma once

#include <cstdio>
#include <cstdlib>

namespace covey::core {

[[noreturn]] inline void check_failed(const char* expression, const char* file,
                                      int line) {
  std::fprintf(stderr, "covey: bug: %s does not hold at %s:%d\n", expression,
               file, line);
  std::abort();
}

} // namespace covey::core

/// Ends the process when `expression` is false. Never for input from outside.
#define COVEY_CHECK(expression)                                                \
  ((expression)                                                                \
     ? void(0)                                                                 \
     : ::covey::core::check_failed(#expression, __FILE__, __LINE__))
