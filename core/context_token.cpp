#include "core/context_token.hpp"

#include "core/bytes.hpp"
#include "core/hash.hpp"

namespace covey::core {

namespace {

constexpr uint8_t format = 1;
constexpr size_t header_size = 9;

uint64_t checksum(std::string_view body, const token_binding& binding) {
  std::string keyspace;
  byte_writer{keyspace}.u32(binding.keyspace);
  auto in_keyspace = hash64(keyspace, binding.cluster_key);
  return hash64(body, hash64(binding.key, in_keyspace));
}

} // namespace

std::string encode_token(const token& t, const token_binding& binding) {
  if (t.seen.empty() && t.stamp == 0)
    return {};
  std::string body;
  body.reserve(64);
  byte_writer body_out{body};
  body_out.varint(t.stamp);
  encode(t.seen, body_out);
  std::string result;
  result.reserve(header_size + body.size());
  byte_writer out{result};
  out.u8(format);
  out.u64(checksum(body, binding));
  out.raw(body);
  return result;
}

std::optional<token> decode_token(std::string_view bytes,
                                  const token_binding& binding) {
  if (bytes.empty())
    return token{};
  if (bytes.size() < header_size)
    return std::nullopt;
  byte_reader in{bytes};
  if (in.u8() != format)
    return std::nullopt;
  if (in.u64() != checksum(bytes.substr(header_size), binding))
    return std::nullopt;
  token result;
  result.stamp = in.varint();
  auto seen = decode_context(in);
  if (!seen || !in.done())
    return std::nullopt;
  result.seen = std::move(*seen);
  return result;
}

} // namespace covey::core
