#include "client/address.hpp"

#include <charconv>

namespace covey::client {

std::string to_string(const node_address& x) {
  auto port = std::to_string(x.port);
  if (x.host.find(':') != std::string::npos)
    return '[' + x.host + "]:" + port;
  return x.host + ':' + port;
}

std::optional<node_address> parse_node_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  auto port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string_view::npos)
    return std::nullopt;
  if (host.empty() || host.find_first_of(" \t") != std::string_view::npos)
    return std::nullopt;
  node_address result;
  auto last = port.data() + port.size();
  auto [end, failure] = std::from_chars(port.data(), last, result.port);
  if (failure != std::errc{} || end != last || result.port == 0)
    return std::nullopt;
  result.host = std::string{host};
  return result;
}

} // namespace covey::client
