#include "messages/burst.hpp"

#include "core/bytes.hpp"

namespace covey {

void append_frame(std::string& burst, frame_kind kind,
                  const google::protobuf::MessageLite& message) {
  core::byte_writer out{burst};
  out.u8(static_cast<uint8_t>(kind));
  auto size = message.ByteSizeLong();
  out.varint(size);
  auto at = burst.size();
  burst.resize(at + size);
  message.SerializeWithCachedSizesToArray(
    reinterpret_cast<uint8_t*>(burst.data() + at));
}

void append_frame(std::string& burst, frame_kind kind,
                  std::string_view message) {
  core::byte_writer out{burst};
  out.u8(static_cast<uint8_t>(kind));
  out.bytes(message);
}

bool burst_reader::next(frame_kind& kind, std::string_view& message) {
  if (rest_.empty() || !ok_)
    return false;
  core::byte_reader in{rest_};
  kind = static_cast<frame_kind>(in.u8());
  message = in.bytes();
  ok_ = in.ok();
  if (ok_)
    rest_.remove_prefix(rest_.size() - in.remaining());
  return ok_;
}

} // namespace covey
