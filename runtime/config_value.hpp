// Values as a configuration file or a command line states them.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace covey::runtime {

/// A value that no knob accepts.
struct foreign_value {
  /// What it is, with its article: "a duration".
  std::string kind;
};

using text_list = std::vector<std::string>;

using knob_value
  = std::variant<int64_t, bool, std::string, text_list, foreign_value>;

/// The value in the file's syntax.
std::string to_string(const knob_value& x);

/// What the value is, with its article: "a whole number".
std::string kind_of(const knob_value& x);

/// The one of `names` that is most like `x`, or empty if none is like it.
std::string nearest(std::string_view x, const std::vector<std::string>& names);

} // namespace covey::runtime
