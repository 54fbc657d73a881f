// Records as lines of JSON: what import reads, and export and get write.

#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace covey::client {

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

/// Sets `object[name]` to the text, or `object[name + "64"]` to the base64 if
/// the bytes are not UTF-8.
void set_bytes(nlohmann::ordered_json& object, const std::string& name,
               std::string_view bytes);

/// One line without its end: {"key":...,"value":...}.
std::string record_line(std::string_view key, std::string_view value);

struct record_fields {
  std::string key;
  std::string value;
};

/// Reads a line that has `key` or `key64`, and `value` or `value64`; other
/// fields are skipped. Nothing if it cannot, with the reason in `why`.
std::optional<record_fields> parse_record(std::string_view line,
                                          std::string& why);

} // namespace covey::client
