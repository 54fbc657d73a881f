#define CAF_SUITE messages.burst

#include "messages/burst.hpp"
#include "messages/inspect.hpp"
#include "messages/peer.pb.h"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace covey;

namespace {

wire::Ping ping(uint64_t clock_us) {
  wire::Ping result;
  result.set_clock_us(clock_us);
  return result;
}

wire::GetRequest get(const std::string& key) {
  wire::GetRequest result;
  result.set_id(7);
  result.set_key(key);
  return result;
}

std::string two_frames() {
  std::string burst;
  append_frame(burst, frame_kind::ping, ping(5));
  append_frame(burst, frame_kind::get_request, get("k"));
  return burst;
}

/// Frames that a burst yields before it ends or breaks.
size_t frames_of(std::string_view bytes, bool& ok) {
  burst_reader frames{bytes};
  frame_kind kind;
  std::string_view message;
  size_t n = 0;
  while (frames.next(kind, message))
    ++n;
  ok = frames.ok();
  return n;
}

} // namespace

CAF_TEST(frames come back in order as they were appended) {
  auto burst = two_frames();
  burst_reader frames{burst};
  frame_kind kind;
  std::string_view message;
  CAF_REQUIRE(frames.next(kind, message));
  CAF_CHECK(kind == frame_kind::ping);
  wire::Ping first;
  CAF_CHECK(parse(message, first));
  CAF_CHECK(first == ping(5));
  CAF_REQUIRE(frames.next(kind, message));
  CAF_CHECK(kind == frame_kind::get_request);
  wire::GetRequest second;
  CAF_CHECK(parse(message, second));
  CAF_CHECK(second == get("k"));
  CAF_CHECK(!frames.next(kind, message));
  CAF_CHECK(frames.ok());
}

CAF_TEST(an empty burst has no frames and is sound) {
  auto ok = false;
  CAF_CHECK_EQUAL(frames_of("", ok), 0u);
  CAF_CHECK(ok);
}

CAF_TEST(a message without fields is a frame all the same) {
  std::string burst;
  append_frame(burst, frame_kind::ping, wire::Ping{});
  CAF_CHECK_EQUAL(burst, std::string("\x01\x00", 2));
  auto ok = false;
  CAF_CHECK_EQUAL(frames_of(burst, ok), 1u);
  CAF_CHECK(ok);
}

CAF_TEST(a large message has a length of several bytes) {
  auto large = get(std::string(300'000, 'k'));
  std::string burst;
  append_frame(burst, frame_kind::get_request, large);
  append_frame(burst, frame_kind::ping, ping(1));
  auto ok = false;
  CAF_CHECK_EQUAL(frames_of(burst, ok), 2u);
  CAF_CHECK(ok);
}

CAF_TEST(the bytes of a frame are frozen) {
  std::string burst;
  append_frame(burst, frame_kind::ping, ping(5));
  CAF_CHECK_EQUAL(burst, std::string("\x01\x09\x09\x05\0\0\0\0\0\0\0", 11));
  CAF_CHECK_EQUAL(static_cast<int>(frame_kind::known), 7);
  CAF_CHECK_EQUAL(static_cast<int>(frame_kind::put_request), 16);
  CAF_CHECK_EQUAL(static_cast<int>(frame_kind::scan_reply), 21);
}

CAF_TEST(a truncated burst yields the frames before the cut and is not sound) {
  auto burst = two_frames();
  const size_t first = 11;
  for (size_t n = 0; n <= burst.size(); ++n) {
    auto ok = false;
    auto whole = n == 0 || n == first || n == burst.size();
    auto expected = n == burst.size() ? 2u : n >= first ? 1u : 0u;
    CAF_CHECK_EQUAL(frames_of(std::string_view{burst}.substr(0, n), ok),
                    expected);
    CAF_CHECK_EQUAL(ok, whole);
  }
}

CAF_TEST(a reader that has failed stays failed) {
  burst_reader frames{"\x01\x7f"};
  frame_kind kind;
  std::string_view message;
  CAF_CHECK(!frames.next(kind, message));
  CAF_CHECK(!frames.ok());
  CAF_CHECK(!frames.next(kind, message));
  CAF_CHECK(!frames.ok());
}

CAF_TEST(a length beyond the burst is refused) {
  auto ok = true;
  CAF_CHECK_EQUAL(frames_of("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ok),
                  0u);
  CAF_CHECK(!ok);
}

CAF_TEST(frames of unknown kinds can be skipped) {
  std::string burst;
  append_frame(burst, static_cast<frame_kind>(0), ping(1));
  append_frame(burst, static_cast<frame_kind>(200), get("of the future"));
  append_frame(burst, frame_kind::ping, ping(5));
  burst_reader frames{burst};
  frame_kind kind;
  std::string_view message;
  wire::Ping last;
  while (frames.next(kind, message))
    if (kind == frame_kind::ping)
      CAF_CHECK(parse(message, last));
  CAF_CHECK(frames.ok());
  CAF_CHECK(last == ping(5));
}

CAF_TEST(garbage never yields bytes beyond the burst) {
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    std::mt19937_64 random{seed};
    std::string bytes(random() % 64, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random() % 4 == 0 ? random() : random() % 8);
    burst_reader frames{bytes};
    frame_kind kind;
    std::string_view message;
    while (frames.next(kind, message))
      if (message.data() < bytes.data()
          || message.data() + message.size() > bytes.data() + bytes.size())
        CAF_FAIL("seed " << seed << " yields bytes outside of the burst");
  }
  CAF_CHECK(true);
}

CAF_TEST(a message is shorter than two gigabytes) {
  // Refused by its length alone: there is nothing behind it.
  wire::Ping message;
  CAF_CHECK(!parse({"", size_t{1} << 31}, message));
  CAF_CHECK(!parse({"", size_t{1} << 32}, message));
}
