// Addresses of nodes as people write them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace covey::client {

struct node_address {
  std::string host;
  uint16_t port = 0;
};

inline bool operator==(const node_address& x, const node_address& y) {
  return x.host == y.host && x.port == y.port;
}

/// "host:port", with brackets around an IPv6 address.
std::string to_string(const node_address& x);

/// Parses "HOST:PORT" or "[IPV6]:PORT"; nothing if malformed or port 0.
std::optional<node_address> parse_node_address(std::string_view text);

} // namespace covey::client
