#include "client/json_lines.hpp"

#include "client/base64.hpp"

#include <cstdint>

namespace covey::client {

bool is_utf8(std::string_view bytes) {
  size_t i = 0;
  while (i < bytes.size()) {
    auto lead = static_cast<uint8_t>(bytes[i++]);
    if (lead < 0x80)
      continue;
    size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() - i < more)
      return false;
    // The second byte alone rules out overlong forms, surrogates and excess.
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (; more > 0; --more) {
      auto next = static_cast<uint8_t>(bytes[i++]);
      if (next < low || next > high)
        return false;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

void set_bytes(nlohmann::ordered_json& object, const std::string& name,
               std::string_view bytes) {
  if (is_utf8(bytes))
    object[name] = std::string{bytes};
  else
    object[name + "64"] = base64_encode(bytes);
}

std::string record_line(std::string_view key, std::string_view value) {
  nlohmann::ordered_json object;
  set_bytes(object, "key", key);
  set_bytes(object, "value", value);
  return object.dump();
}

namespace {

bool take_bytes(const nlohmann::json& object, const std::string& name,
                std::string& out, std::string& why) {
  auto text = object.find(name);
  auto coded = object.find(name + "64");
  if ((text == object.end()) == (coded == object.end())) {
    why = "needs one of \"" + name + "\" and \"" + name + "64\"";
    return false;
  }
  const auto& field = text != object.end() ? *text : *coded;
  const auto* bytes = field.get_ptr<const std::string*>();
  if (bytes == nullptr) {
    why = '"' + name + "\" is not a string";
    return false;
  }
  if (text != object.end()) {
    out = *bytes;
    return true;
  }
  auto decoded = base64_decode(*bytes);
  if (!decoded) {
    why = '"' + name + "64\" is not base64";
    return false;
  }
  out = std::move(*decoded);
  return true;
}

} // namespace

std::optional<record_fields> parse_record(std::string_view line,
                                          std::string& why) {
  auto object = nlohmann::json::parse(line.begin(), line.end(), nullptr,
                                      /*allow_exceptions=*/false);
  if (!object.is_object()) {
    why = object.is_discarded() ? "not JSON" : "not a JSON object";
    return std::nullopt;
  }
  record_fields result;
  if (!take_bytes(object, "key", result.key, why)
      || !take_bytes(object, "value", result.value, why))
    return std::nullopt;
  if (result.key.empty()) {
    why = "the key is empty";
    return std::nullopt;
  }
  return result;
}

} // namespace covey::client
