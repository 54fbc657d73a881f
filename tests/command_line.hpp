// Command lines as a program's main would get them.

#pragma once

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <utility>
#include <variant>
#include <vector>

namespace covey::test {

/// Parses arguments with `Parse`, a program's parse_options, without what the
/// environment of the test says.
template <class Options,
          std::variant<Options, int> (*Parse)(int, const char* const*)>
struct command_line {
  command_line() {
    for (auto* name :
         {"COVEY_NODES", "COVEY_TLS_CERT", "COVEY_TLS_KEY", "COVEY_TLS_CA"})
      ::unsetenv(name);
  }

  static std::variant<Options, int> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "program");
    return Parse(static_cast<int>(arguments.size()), arguments.data());
  }
  static Options parsed(std::vector<const char*> arguments) {
    auto result = parse(std::move(arguments));
    CAF_REQUIRE(std::holds_alternative<Options>(result));
    return std::get<Options>(result);
  }
  /// The exit code; -1 if there is none.
  static int refused(std::vector<const char*> arguments) {
    auto result = parse(std::move(arguments));
    auto* code = std::get_if<int>(&result);
    return code == nullptr ? -1 : *code;
  }
};

} // namespace covey::test
