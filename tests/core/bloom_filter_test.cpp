// The growing Bloom filter: rates, memory and its bytes.

#define CAF_SUITE core.bloom_filter

#include "core/bloom_filter.hpp"
#include "core/bytes.hpp"
#include "core/hash.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;

namespace {

std::string key(size_t i) {
  return "user" + std::to_string(i);
}

void add(bloom_filter& x, size_t first, size_t last) {
  for (auto i = first; i < last; ++i)
    x.add(key(i));
}

bloom_filter filled(size_t keys, size_t expected) {
  bloom_filter result{expected};
  add(result, 0, keys);
  return result;
}

bool contains_all(const bloom_filter& x, size_t keys) {
  for (size_t i = 0; i < keys; ++i)
    if (!x.maybe_contains(key(i)))
      return false;
  return true;
}

/// Share of 200,000 keys never added that the filter takes for present.
double false_positive_rate(const bloom_filter& x) {
  constexpr size_t probes = 200000;
  size_t hits = 0;
  for (size_t i = 0; i < probes; ++i)
    hits += x.maybe_contains("absent" + std::to_string(i)) ? 1 : 0;
  return static_cast<double>(hits) / probes;
}

std::string with_checksum(std::string body) {
  byte_writer out{body};
  out.u64(hash64(body));
  return body;
}

/// The bytes of `x` without the checksum.
std::string body_of(const bloom_filter& x) {
  auto result = x.encode();
  result.resize(result.size() - 8);
  return result;
}

} // namespace

CAF_TEST(an empty filter contains nothing) {
  bloom_filter x;
  CAF_CHECK(!x.maybe_contains(""));
  CAF_CHECK(!x.maybe_contains("a"));
  CAF_CHECK_EQUAL(x.size(), 0u);
}

CAF_TEST(what was added is never absent) {
  for (size_t keys : {1, 1023, 1024, 1025, 3072, 3073, 20000})
    CAF_CHECK(contains_all(filled(keys, 1024), keys));
  bloom_filter x;
  for (auto odd :
       {std::string{}, std::string(1, '\0'), std::string(5000, 'x')}) {
    CAF_CHECK(!x.maybe_contains(odd));
    x.add(odd);
    CAF_CHECK(x.maybe_contains(odd));
  }
}

CAF_TEST(a filter of the right size has few false positives in little memory) {
  for (size_t keys : {10000, 100000}) {
    auto x = filled(keys, keys);
    CAF_MESSAGE(keys << " keys: rate " << false_positive_rate(x) << ", "
                     << x.memory_bytes() << " bytes");
    CAF_CHECK_LESS(false_positive_rate(x), 0.004);
    CAF_CHECK_LESS(x.memory_bytes(), keys * 17 / 10);
    CAF_CHECK(contains_all(x, keys));
    CAF_CHECK_LESS_OR_EQUAL(x.size(), keys);
    CAF_CHECK_GREATER(x.size(), keys * 99 / 100);
  }
}

CAF_TEST(a filter that grew a hundredfold keeps its rate and its size) {
  constexpr size_t keys = 102400;
  auto x = filled(keys, 1024);
  CAF_MESSAGE("rate " << false_positive_rate(x) << ", " << x.memory_bytes()
                      << " bytes");
  CAF_CHECK_LESS(false_positive_rate(x), 0.012);
  CAF_CHECK_LESS(x.memory_bytes(), keys * 5 / 2);
  CAF_CHECK(contains_all(x, keys));
}

CAF_TEST(the rate holds at every size and memory right after a growth) {
  bloom_filter x;
  size_t keys = 0;
  for (size_t step = 1000; keys < 140000; step = step * 3 / 2) {
    add(x, keys, keys + step);
    keys += step;
    CAF_CHECK_LESS(false_positive_rate(x), 0.012);
    // A layer just opened is as large as all before it.
    CAF_CHECK_LESS(x.memory_bytes(), keys * 4 + 2048);
  }
}

CAF_TEST(a key added twice counts once) {
  bloom_filter x;
  add(x, 0, 100);
  auto size = x.size();
  auto bytes = x.encode();
  add(x, 0, 100);
  CAF_CHECK_EQUAL(x.size(), size);
  CAF_CHECK(x.encode() == bytes);
}

CAF_TEST(a filter survives its bytes and grows on as before) {
  for (size_t keys : {0, 1, 1024, 1025, 9000}) {
    auto x = filled(keys, 1500);
    auto y = bloom_filter::decode(x.encode());
    CAF_REQUIRE(y.has_value());
    CAF_CHECK_EQUAL(y->size(), x.size());
    CAF_CHECK_EQUAL(y->encode(), x.encode());
    add(x, keys, keys + 5000);
    add(*y, keys, keys + 5000);
    CAF_CHECK(x.encode() == y->encode());
    CAF_CHECK(contains_all(*y, keys + 5000));
  }
}

CAF_TEST(the bytes of a filter are frozen) {
  CAF_CHECK_EQUAL(hash64(filled(5000, 1024).encode()), 2543317752219634079u);
}

CAF_TEST(bytes cut short or changed anywhere are refused) {
  auto bytes = filled(1100, 1024).encode();
  for (size_t n = 0; n < bytes.size(); n += n < 64 ? 1 : 97)
    CAF_CHECK(!bloom_filter::decode(bytes.substr(0, n)));
  for (size_t i = 0; i < bytes.size(); i += i < 64 ? 1 : 97)
    for (auto bit = 0; bit < 8; ++bit) {
      auto damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 1 << bit);
      CAF_CHECK(!bloom_filter::decode(damaged));
    }
  CAF_CHECK(!bloom_filter::decode(bytes + '\0'));
}

CAF_TEST(odd bytes are refused even under a right checksum) {
  auto body = body_of(filled(1, 1024));
  CAF_REQUIRE(bloom_filter::decode(with_checksum(body)).has_value());
  auto changed = [&](size_t i, char c) {
    auto result = body;
    result[i] = c;
    return bloom_filter::decode(with_checksum(result));
  };
  CAF_CHECK(!changed(0, 'X'));
  CAF_CHECK(!changed(4, 0));
  CAF_CHECK(!changed(4, 2));
  CAF_CHECK(!bloom_filter::decode(with_checksum("")));
  CAF_CHECK(!bloom_filter::decode(with_checksum(body.substr(0, 5))));
  CAF_CHECK(!bloom_filter::decode(with_checksum(body + '\0')));
  CAF_CHECK(!bloom_filter::decode(with_checksum(body.substr(0, 99))));
}

CAF_TEST(a filter without layers or with room in an old one is refused) {
  CAF_CHECK(!bloom_filter::decode(
    with_checksum(std::string("CVBF\x01\x80\x08\x00", 8))));
  auto body = body_of(filled(1100, 1024));
  CAF_REQUIRE_EQUAL(body.substr(5, 5), "\x80\x08\x02\x80\x08");
  CAF_REQUIRE(bloom_filter::decode(with_checksum(body)).has_value());
  body.replace(8, 2, "\xff\x07");
  CAF_CHECK(!bloom_filter::decode(with_checksum(body)));
}

CAF_TEST(counts that the bytes do not bear out are refused without memory) {
  auto made = [](uint64_t capacity, uint64_t layers, uint64_t used) {
    std::string body = "CVBF\x01";
    byte_writer out{body};
    out.varint(capacity);
    out.varint(layers);
    out.varint(used);
    // The bits of a layer of 1,024 keys.
    out.raw(std::string(1656, '\0'));
    return bloom_filter::decode(with_checksum(body));
  };
  CAF_CHECK(made(1024, 1, 0).has_value());
  CAF_CHECK(made(1024, 1, 1024).has_value());
  CAF_CHECK(!made(1024, 1, 1025));
  CAF_CHECK(!made(1024, 0, 0));
  CAF_CHECK(!made(1024, 2, 0));
  CAF_CHECK(!made(1024, 2, 1024));
  CAF_CHECK(!made(1024, uint64_t{1} << 60, 1024));
  CAF_CHECK(!made(0, 1, 0));
  CAF_CHECK(!made(1023, 1, 0));
  CAF_CHECK(!made(1040, 1, 0));
  CAF_CHECK(!made(uint64_t{1} << 36, 1, 0));
  CAF_CHECK(!made(uint64_t{1} << 40, 1, 0));
  CAF_CHECK(!made(~uint64_t{0}, 1, 0));
}
