// Bursts: everything that is ready for one receiver, in one byte string.

#pragma once

#include <google/protobuf/message_lite.h>

#include <climits>
#include <cstdint>
#include <string>
#include <string_view>

namespace covey {

/// What a frame of a burst holds. DO NOT REORDER: the numbers travel.
enum class frame_kind : uint8_t {
  ping = 1,
  pong = 2,
  replica_request = 3,
  replica_answer = 4,
  forward = 5,
  forwarded = 6,
  known = 7,
  gossip = 8,
  probe = 9,
  probe_answer = 10,
  hints_owed = 11,
  put_request = 16,
  put_reply = 17,
  get_request = 18,
  get_reply = 19,
  scan_request = 20,
  scan_reply = 21,
  taken = 22,
  exchange_ask = 32,
  exchange_answer = 33,
  exchange_end = 34,
  paxos = 40,
  epoch_word = 41,
};

/// Appends a frame: kind (1 byte), length (varint), the message.
void append_frame(std::string& burst, frame_kind kind,
                  const google::protobuf::MessageLite& message);

/// The same for a message that is serialized already.
void append_frame(std::string& burst, frame_kind kind,
                  std::string_view message);

/// Takes the frames of a burst one by one; a reader skips kinds that it does
/// not know. Views point into the burst.
class burst_reader {
public:
  explicit burst_reader(std::string_view burst) : rest_(burst) {}

  /// False at the end, and for a malformed frame: `ok` tells which.
  bool next(frame_kind& kind, std::string_view& message);
  bool ok() const {
    return ok_;
  }

private:
  std::string_view rest_;
  bool ok_ = true;
};

/// Parses `bytes` into a message that is reused, so that its memory is too.
/// Protobuf has no messages of 2 GB and more.
inline bool parse(std::string_view bytes,
                  google::protobuf::MessageLite& message) {
  return bytes.size() <= INT_MAX
         && message.ParseFromArray(bytes.data(),
                                   static_cast<int>(bytes.size()));
}

} // namespace covey
