#include "core/hint.hpp"

#include "core/bytes.hpp"

namespace covey::core {

namespace {

constexpr uint8_t flag_stored = 1;

} // namespace

std::string encode(const hint& x) {
  std::string result;
  result.reserve(18 + x.record.size());
  byte_writer out{result};
  out.u8(1);
  out.u8(x.stored ? flag_stored : 0);
  out.u64(x.version);
  out.u64(x.since_ms);
  out.raw(x.record);
  return result;
}

std::optional<hint> decode_hint(std::string_view bytes) {
  byte_reader in{bytes};
  auto format = in.u8();
  auto flags = in.u8();
  hint result;
  result.version = in.u64();
  result.since_ms = in.u64();
  result.stored = flags == flag_stored;
  result.record = in.raw(in.remaining());
  if (!in.ok() || format != 1 || flags > flag_stored
      || (!result.stored && result.record.empty()))
    return std::nullopt;
  return result;
}

} // namespace covey::core
