// Lets every Protobuf message of package covey.wire travel as a CAF message.

#pragma once

#include <caf/binary_deserializer.hpp>
#include <caf/error.hpp>
#include <caf/sec.hpp>
#include <caf/serializer.hpp>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <climits>
#include <string>
#include <type_traits>

namespace covey::wire {

template <class T>
using if_message
  = std::enable_if_t<std::is_base_of_v<google::protobuf::Message, T>>;

/// Writes `msg` as one length-prefixed byte string. CAF finds this function by
/// argument-dependent lookup, hence the namespace of the generated types.
template <class T, class = if_message<T>>
caf::error inspect(caf::serializer& sink, T& msg) {
  std::string bytes;
  msg.SerializeToString(&bytes);
  auto n = bytes.size();
  if (auto err = sink.begin_sequence(n))
    return err;
  if (n > 0)
    if (auto err = sink.apply_raw(n, bytes.data()))
      return err;
  return sink.end_sequence();
}

/// The length is checked against what is there before anything is allocated.
template <class T, class = if_message<T>>
caf::error inspect(caf::deserializer& source, T& msg) {
  size_t n = 0;
  if (auto err = source.begin_sequence(n))
    return err;
  auto* in = dynamic_cast<caf::binary_deserializer*>(&source);
  if (in == nullptr || n > in->remaining())
    return caf::sec::end_of_stream;
  // Protobuf has no messages of 2 GB and more.
  if (n > INT_MAX)
    return caf::sec::invalid_argument;
  if (!msg.ParseFromArray(in->remainder().data(), static_cast<int>(n)))
    return caf::sec::invalid_argument;
  in->skip(n);
  return caf::none;
}

/// Used by CAF for failure messages of the test DSL.
template <class T, class = if_message<T>>
std::string to_string(const T& msg) {
  return msg.GetTypeName() + '{' + msg.ShortDebugString() + '}';
}

template <class T, class = if_message<T>>
bool operator==(const T& lhs, const T& rhs) {
  return google::protobuf::util::MessageDifferencer::Equals(lhs, rhs);
}

} // namespace covey::wire
