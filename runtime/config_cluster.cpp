#include "runtime/config_cluster.hpp"

#include "core/name.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <optional>
#include <utility>

namespace covey::runtime {

namespace {

/// A whole decimal number from `min` to `max`.
std::optional<uint32_t> parse_number(std::string_view text, uint32_t min,
                                     uint32_t max) {
  uint32_t result = 0;
  auto end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data(), end, result);
  if (code != std::errc{} || stop != end || result < min || result > max)
    return std::nullopt;
  return result;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// Cuts the next word off the front of `text`.
std::string_view next_word(std::string_view& text) {
  auto begin = text.find_first_not_of(' ');
  text.remove_prefix(std::min(begin, text.size()));
  auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

/// Reads "n1=127.0.0.1:7101".
bool parse_name_and_address(std::string_view word, core::member& result) {
  auto equals = word.find('=');
  if (equals == std::string_view::npos)
    return false;
  auto address = word.substr(equals + 1);
  auto colon = address.rfind(':');
  if (colon == std::string_view::npos)
    return false;
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return false;
  auto port = parse_number(address.substr(colon + 1), 1, 65535);
  if (!core::is_name(word.substr(0, equals)) || !is_host(host) || !port)
    return false;
  result.name = word.substr(0, equals);
  result.host = host;
  result.port = static_cast<uint16_t>(*port);
  return true;
}

/// Reads one of the words after the address.
bool parse_property(std::string_view word, core::member& result) {
  auto equals = std::min(word.find('='), word.size());
  auto key = word.substr(0, equals);
  auto value = word.substr(std::min(equals + 1, word.size()));
  if (key == "weight") {
    auto weight = parse_number(value, 1, 64);
    result.weight = weight.value_or(0);
    return weight.has_value();
  }
  if (!core::is_name(value) || (key != "rack" && key != "dc"))
    return false;
  (key == "rack" ? result.rack : result.data_centre) = value;
  return true;
}

} // namespace

std::string member_text(const core::member& x) {
  return x.name + "=" + bracketed(x.host) + ":" + std::to_string(x.port)
         + " rack=" + x.rack + " dc=" + x.data_centre
         + " weight=" + std::to_string(x.weight);
}

std::string parse_member(std::string_view text, core::member& result) {
  node_section defaults;
  result = {};
  result.rack = defaults.rack;
  result.data_centre = defaults.data_centre;
  auto rest = text;
  if (!parse_name_and_address(next_word(rest), result))
    return "does not start with NAME=HOST:PORT, as in n1=127.0.0.1:7101";
  std::vector<std::string_view> seen;
  for (auto word = next_word(rest); !word.empty(); word = next_word(rest)) {
    auto key = word.substr(0, word.find('='));
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      return "says " + std::string{key} + " twice";
    seen.push_back(key);
    if (!parse_property(word, result))
      return "has \"" + std::string{word}
             + "\" after the address, which is none of rack=NAME, dc=NAME and "
               "weight=1 to 64";
  }
  return {};
}

bool is_host(std::string_view x) {
  return !x.empty() && x.size() <= 255
         && x.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789.:-_%")
              == std::string_view::npos;
}

bool is_loopback(const std::string& address) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  if (inet_pton(AF_INET6, address.c_str(), &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK(&v6);
  return address == "localhost";
}

} // namespace covey::runtime
