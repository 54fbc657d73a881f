// Protobuf messages as CAF messages: any version reads any other.

#define CAF_SUITE messages.inspect

#include "tests/test.hpp"

using namespace covey;

namespace {

using bytes = std::vector<char>;

wire::PutRequest put() {
  wire::PutRequest result;
  result.set_id(7);
  result.set_keyspace("default");
  result.set_key(std::string("k\0y", 3));
  result.set_value(std::string(1000, 'v'));
  result.set_level(4);
  return result;
}

/// What arrives when a newer node has added fields to a message: field 1000, a
/// number, and field 1001, a byte string.
bytes with_unknown_fields(const bytes& original, size_t prefix_size) {
  std::string body(original.begin() + static_cast<ptrdiff_t>(prefix_size),
                   original.end());
  body += "\xc0\x3e\x2a";
  body += "\xca\x3e\x03xyz";
  // Lengths above 127 take two bytes as varints.
  CAF_REQUIRE(body.size() > 127 && body.size() < 16384);
  bytes result{static_cast<char>((body.size() & 0x7f) | 0x80),
               static_cast<char>(body.size() >> 7)};
  result.insert(result.end(), body.begin(), body.end());
  return result;
}

struct fixture : test::fixture {
  template <class T>
  caf::error read(const bytes& from, T& into) {
    caf::binary_deserializer source{sys, from};
    return source(into);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(inspect_tests, fixture)

CAF_TEST(messages survive serialization) {
  CAF_CHECK_EQUAL(roundtrip(put()), put());
  CAF_CHECK_EQUAL(roundtrip(wire::PutRequest{}), wire::PutRequest{});
}

CAF_TEST(several messages follow each other in one buffer) {
  wire::ClientHello hello;
  hello.set_agent("a test");
  wire::PutRequest first;
  wire::ClientHello second;
  deserialize(serialize(put(), hello), first, second);
  CAF_CHECK_EQUAL(first, put());
  CAF_CHECK_EQUAL(second, hello);
}

CAF_TEST(messages travel inside a CAF message) {
  auto copy = roundtrip(caf::make_message(burst_atom::value, put()));
  CAF_REQUIRE((copy.match_elements<burst_atom, wire::PutRequest>()));
  CAF_CHECK_EQUAL(copy.get_as<wire::PutRequest>(1), put());
}

CAF_TEST(every type of the wire is known to the system) {
  for (const auto* name :
       {"covey::wire::ClientHello", "covey::wire::ClientWelcome",
        "covey::wire::PutRequest", "covey::wire::PutReply",
        "covey::wire::GetRequest", "covey::wire::GetReply",
        "covey::wire::ScanRequest", "covey::wire::ScanReply",
        "covey::wire::StatusRequest", "covey::wire::StatusReply",
        "covey::wire::RingRequest", "covey::wire::RingReply",
        "covey::wire::RepairRequest", "covey::wire::RepairReply",
        "covey::wire::PeerHello", "covey::wire::PeerWelcome",
        "covey::wire::Children"})
    if (!sys.types().make_value(name))
      CAF_FAIL(name << " is not registered");
  CAF_CHECK(true);
}

CAF_TEST(an old reader skips the fields that it does not know) {
  auto original = put();
  auto newer = with_unknown_fields(serialize(original), 2);
  wire::PutRequest out;
  CAF_CHECK_EQUAL(read(newer, out), caf::none);
  CAF_CHECK_EQUAL(out.id(), 7u);
  CAF_CHECK_EQUAL(out.key(), original.key());
  CAF_CHECK_EQUAL(out.value(), original.value());
  CAF_CHECK_EQUAL(out.level(), 4u);
}

CAF_TEST(a new reader takes missing fields for empty) {
  wire::PutRequest out = put();
  CAF_CHECK_EQUAL(read(serialize(wire::ClientHello{}), out), caf::none);
  CAF_CHECK_EQUAL(out, wire::PutRequest{});
}

CAF_TEST(a truncated message is refused at every length) {
  auto all = serialize(put());
  for (size_t n = 0; n < all.size(); ++n) {
    wire::PutRequest out;
    if (!read(bytes(all.begin(), all.begin() + static_cast<ptrdiff_t>(n)), out))
      CAF_FAIL(n << " of " << all.size() << " bytes are accepted");
  }
  CAF_CHECK(true);
}

CAF_TEST(a length beyond the buffer is refused before it is allocated) {
  // Lengths of 3.75 GB and of 2^35 - 1, and three bytes behind them.
  for (const auto& length : {std::string("\x80\x80\x80\x80\x0f"),
                             std::string("\xff\xff\xff\xff\x7f")}) {
    bytes hostile(length.begin(), length.end());
    hostile.insert(hostile.end(), {'a', 'b', 'c'});
    wire::PutRequest out = put();
    CAF_CHECK_EQUAL(read(hostile, out), caf::sec::end_of_stream);
    CAF_CHECK_EQUAL(out, put());
  }
}

CAF_TEST(a length beyond what Protobuf takes is refused) {
  // 2^31, the lowest number to an int. The bytes behind it are never looked at.
  bytes hostile{'\x80', '\x80', '\x80', '\x80', '\x08'};
  caf::binary_deserializer source{sys, hostile.data(), size_t{1} << 33};
  wire::PutRequest out = put();
  CAF_CHECK_EQUAL(source(out), caf::sec::invalid_argument);
  CAF_CHECK_EQUAL(out, put());
}

CAF_TEST(bytes that are no message are refused) {
  bytes hostile{3, '\xff', '\xff', '\xff'};
  wire::PutRequest out;
  CAF_CHECK_EQUAL(read(hostile, out), caf::sec::invalid_argument);
}

CAF_TEST(a text for people names the type and shows the fields) {
  wire::ClientHello hello;
  hello.set_protocol(3);
  CAF_CHECK_EQUAL(to_string(hello), "covey.wire.ClientHello{protocol: 3}");
}

CAF_TEST_FIXTURE_SCOPE_END()
