// The opaque context that clients carry from a get to the put that follows it.

#pragma once

#include "core/context.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace covey::core {

/// What a token holds.
struct token {
  context seen;
  /// Highest stamp that the client has seen, for `lww` keyspaces.
  uint64_t stamp = 0;
};

/// Binds tokens to a cluster, a keyspace and a key.
struct token_binding {
  /// Derived from the cluster's name, the same on every node.
  uint64_t cluster_key = 0;
  uint32_t keyspace = 0;
  std::string_view key;
};

/// Bytes of a token, format 1 (docs/format/context.md): an empty token encodes
/// to an empty string.
std::string encode_token(const token& t, const token_binding& binding);

/// Nothing if the token is damaged, of a newer format, or was given for another
/// cluster, keyspace or key. An empty string is the empty token.
std::optional<token> decode_token(std::string_view bytes,
                                  const token_binding& binding);

} // namespace covey::core
