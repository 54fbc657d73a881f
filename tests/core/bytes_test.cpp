#define CAF_SUITE core.bytes

#include "core/bytes.hpp"

#include <caf/test/unit_test.hpp>

#include <limits>
#include <random>

using covey::core::byte_reader;
using covey::core::byte_writer;
using namespace std::string_literals;

namespace {

template <class Write>
std::string written(Write write) {
  std::string result;
  byte_writer out{result};
  write(out);
  return result;
}

std::string varint(uint64_t x) {
  return written([x](byte_writer& out) {
    out.varint(x);
  });
}

} // namespace

CAF_TEST(fixed integers are big endian) {
  auto bytes = written([](byte_writer& out) {
    out.u8(1);
    out.u16(0x0203);
    out.u32(0x04050607);
    out.u64(0x08090a0b0c0d0e0f);
  });
  CAF_CHECK_EQUAL(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
                         "\x0d\x0e\x0f");
  byte_reader in{bytes};
  CAF_CHECK_EQUAL(in.u8(), 1u);
  CAF_CHECK_EQUAL(in.u16(), 0x0203u);
  CAF_CHECK_EQUAL(in.u32(), 0x04050607u);
  CAF_CHECK_EQUAL(in.u64(), 0x08090a0b0c0d0e0fu);
  CAF_CHECK(in.done());
}

CAF_TEST(encoded integers sort as numbers do) {
  std::mt19937_64 engine{1};
  for (auto i = 0; i < 1000; ++i) {
    auto x = engine() >> engine() % 64;
    auto y = engine() >> engine() % 64;
    auto bytes_of = [](uint64_t n) {
      return written([n](byte_writer& out) {
        out.u64(n);
      });
    };
    CAF_REQUIRE_EQUAL(x < y, bytes_of(x) < bytes_of(y));
  }
}

CAF_TEST(varints are those of protobuf) {
  CAF_CHECK_EQUAL(varint(0), "\0"s);
  CAF_CHECK_EQUAL(varint(1), "\x01");
  CAF_CHECK_EQUAL(varint(127), "\x7f");
  CAF_CHECK_EQUAL(varint(128), "\x80\x01");
  CAF_CHECK_EQUAL(varint(300), "\xac\x02");
  CAF_CHECK_EQUAL(varint(std::numeric_limits<uint64_t>::max()),
                  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

CAF_TEST(varints of every length come back) {
  for (auto shift = 0; shift < 64; ++shift) {
    for (auto x : {uint64_t{1} << shift, (uint64_t{1} << shift) - 1}) {
      auto bytes = varint(x);
      byte_reader in{bytes};
      CAF_CHECK_EQUAL(in.varint(), x);
      CAF_CHECK(in.done());
    }
  }
}

CAF_TEST(a varint beyond 64 bits is malformed) {
  for (const auto& bytes :
       {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s,
        "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s, "\x80"s, ""s}) {
    byte_reader in{bytes};
    CAF_CHECK_EQUAL(in.varint(), 0u);
    CAF_CHECK(!in.ok());
  }
}

CAF_TEST(byte strings carry zeros and their length) {
  auto bytes = written([](byte_writer& out) {
    out.bytes("a\0b"s);
    out.bytes("");
    out.raw("xy");
  });
  CAF_CHECK_EQUAL(bytes, "\x03"
                         "a\0b\0xy"s);
  byte_reader in{bytes};
  CAF_CHECK_EQUAL(in.bytes(), "a\0b"s);
  CAF_CHECK_EQUAL(in.bytes(), "");
  CAF_CHECK_EQUAL(in.remaining(), 2u);
  CAF_CHECK_EQUAL(in.raw(2), "xy");
  CAF_CHECK(in.done());
}

CAF_TEST(views point into the bytes read) {
  auto bytes = "\x02hi"s;
  byte_reader in{bytes};
  CAF_CHECK_EQUAL(in.bytes().data(), bytes.data() + 1);
}

CAF_TEST(a read past the end yields nothing and fails for good) {
  auto bytes = "\x01\x02\x03"s;
  byte_reader in{bytes};
  CAF_CHECK_EQUAL(in.u32(), 0u);
  CAF_CHECK(!in.ok());
  CAF_CHECK_EQUAL(in.u8(), 0u);
  CAF_CHECK(in.raw(0).empty());
  CAF_CHECK(!in.ok());
  CAF_CHECK(!in.done());
}

CAF_TEST(a length beyond the end fails without reading) {
  auto bytes = varint(std::numeric_limits<uint64_t>::max()) + "abc";
  byte_reader in{bytes};
  CAF_CHECK(in.bytes().empty());
  CAF_CHECK(!in.ok());
}
