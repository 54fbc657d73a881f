#include "core/shard_state.hpp"

#include "core/bytes.hpp"

namespace covey::core {

std::string encode(const shard_state& x) {
  std::string result;
  byte_writer out{result};
  out.u8(1);
  out.u64(x.inc);
  out.u64(x.counter);
  out.u8(x.clean ? 1 : 0);
  return result;
}

std::optional<shard_state> decode_shard_state(std::string_view bytes) {
  byte_reader in{bytes};
  auto format = in.u8();
  shard_state result;
  result.inc = in.u64();
  result.counter = in.u64();
  auto clean = in.u8();
  if (format != 1 || !in.done() || clean > 1 || result.inc == 0)
    return std::nullopt;
  result.clean = clean == 1;
  return result;
}

} // namespace covey::core
