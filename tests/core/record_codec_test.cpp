#define CAF_SUITE core.record_codec

#include "core/bytes.hpp"
#include "core/record.hpp"

#include <caf/test/unit_test.hpp>

#include <deque>
#include <functional>
#include <random>

using covey::core::byte_writer;
using covey::core::decode_record;
using covey::core::dot;
using covey::core::executed_request;
using covey::core::record;
using covey::core::request_id;
using covey::core::sibling;

namespace {

std::string bytes_of(const record& r) {
  std::string result;
  encode(r, result);
  return result;
}

std::string written(const std::function<void(byte_writer&)>& write) {
  std::string result;
  byte_writer out{result};
  write(out);
  return result;
}

bool same(const sibling& x, const sibling& y) {
  return x.id == y.id && x.stamp == y.stamp
         && x.expires_at_ms == y.expires_at_ms && x.request == y.request
         && x.tombstone == y.tombstone && x.value == y.value;
}

bool same(const executed_request& x, const executed_request& y) {
  return x.request == y.request && x.id == y.id && x.stamp == y.stamp
         && x.superseded == y.superseded;
}

bool same(const record& x, const record& y) {
  auto equal = [](const auto& a, const auto& b) {
    return same(a, b);
  };
  return x.seen == y.seen
         && std::equal(x.siblings.begin(), x.siblings.end(), y.siblings.begin(),
                       y.siblings.end(), equal)
         && std::equal(x.executed.begin(), x.executed.end(), y.executed.begin(),
                       y.executed.end(), equal);
}

/// Two entries of the vector part, a single; a value and a tombstone; three
/// executed requests.
record example() {
  record r;
  r.seen.advance({0x1111111111111111, 5});
  r.seen.advance({0x2222222222222222, 300});
  r.seen.add({0x3333333333333333, 7});
  sibling value;
  value.id = {0x2222222222222222, 299};
  value.stamp = 1000;
  value.expires_at_ms = 2;
  value.request = {1, 2};
  value.value = "hi";
  sibling tombstone;
  tombstone.id = {0x3333333333333333, 7};
  tombstone.stamp = 900;
  tombstone.tombstone = true;
  r.siblings = {value, tombstone};
  r.executed = {{{1, 2}, value.id, 1000, false},
                {{3, 4}, {0x1111111111111111, 5}, 800, true},
                {{5, 6}, {0x4444444444444444, 1}, 700, false}};
  return r;
}

/// The head of a record with `n` vector entries under incarnations 1, 2, …
void head(byte_writer& out, uint64_t n) {
  out.u8(1);
  out.varint(n);
  for (uint64_t inc = 1; inc <= n; ++inc) {
    out.u64(inc);
    out.varint(9);
  }
  out.varint(0);
}

/// A sibling under vector entry `index`.
void put_sibling(byte_writer& out, uint64_t index, uint64_t counter,
                 uint8_t flags = 0) {
  out.varint(index);
  out.varint(counter);
  out.varint(1);
  out.u8(flags);
  if ((flags & 2) != 0)
    out.raw(std::string(16, 'r'));
  out.bytes("v");
}

/// An executed request under vector entry 1.
void put_executed(byte_writer& out, uint64_t counter, uint64_t stamp,
                  char request = 'r') {
  out.u8(0);
  out.varint(1);
  out.varint(counter);
  out.varint(stamp);
  out.raw(std::string(16, request));
}

/// A record with these siblings and executed requests, otherwise well formed.
std::string record_with(uint64_t siblings,
                        const std::function<void(byte_writer&)>& body,
                        uint64_t executed = 0,
                        const std::function<void(byte_writer&)>& rest = {}) {
  return written([&](byte_writer& out) {
    head(out, 2);
    out.varint(siblings);
    if (body)
      body(out);
    out.varint(executed);
    if (rest)
      rest(out);
    out.bytes("");
  });
}

} // namespace

CAF_TEST(the bytes are those of the format page) {
  auto bytes = written([](byte_writer& out) {
    out.u8(1);
    out.varint(2);
    out.u64(0x1111111111111111);
    out.varint(5);
    out.u64(0x2222222222222222);
    out.varint(300);
    out.varint(1);
    out.varint(0);
    out.u64(0x3333333333333333);
    out.varint(7);
    out.varint(2);
    out.varint(2);
    out.varint(299);
    out.varint(1000);
    out.u8(6);
    out.u64(1);
    out.u64(2);
    out.varint(2);
    out.bytes("hi");
    out.varint(0);
    out.u64(0x3333333333333333);
    out.varint(7);
    out.varint(900);
    out.u8(1);
    out.bytes("");
    out.varint(3);
    out.u8(2);
    out.varint(0);
    out.u8(1);
    out.varint(1);
    out.varint(5);
    out.varint(800);
    out.u64(3);
    out.u64(4);
    out.u8(0);
    out.varint(0);
    out.u64(0x4444444444444444);
    out.varint(1);
    out.varint(700);
    out.u64(5);
    out.u64(6);
    out.bytes("");
  });
  CAF_CHECK_EQUAL(bytes_of(example()), bytes);
}

CAF_TEST(a record comes back whole) {
  auto bytes = bytes_of(example());
  auto r = decode_record(bytes);
  CAF_REQUIRE(r.has_value());
  CAF_CHECK(same(*r, example()));
  CAF_CHECK(same(*decode_record(bytes_of({})), record{}));
}

CAF_TEST(values point into the bytes given) {
  auto bytes = bytes_of(example());
  auto value = decode_record(bytes)->siblings[0].value;
  CAF_CHECK(value.data() > bytes.data());
  CAF_CHECK(value.data() < bytes.data() + bytes.size());
}

CAF_TEST(encoding appends) {
  std::string out = "before";
  encode(example(), out);
  CAF_CHECK_EQUAL(out, "before" + bytes_of(example()));
}

CAF_TEST(no proper prefix and no trailing byte is a record) {
  auto bytes = bytes_of(example());
  for (size_t i = 0; i < bytes.size(); ++i)
    CAF_CHECK(!decode_record(bytes.substr(0, i)));
  CAF_CHECK(!decode_record(bytes + '\0'));
}

CAF_TEST(an extension of a minor addition is skipped) {
  auto bytes = bytes_of(example());
  bytes.pop_back();
  byte_writer{bytes}.bytes("from the future");
  auto r = decode_record(bytes);
  CAF_REQUIRE(r.has_value());
  CAF_CHECK(same(*r, example()));
}

CAF_TEST(another format is refused) {
  auto bytes = bytes_of(example());
  for (auto format : {0, 2, 255}) {
    bytes[0] = static_cast<char>(format);
    CAF_CHECK(!decode_record(bytes));
  }
}

CAF_TEST(siblings that break their promises are refused) {
  auto one = [](uint64_t index, uint64_t counter, uint8_t flags) {
    return record_with(1, [=](byte_writer& out) {
      put_sibling(out, index, counter, flags);
    });
  };
  auto two = [](uint64_t first, uint64_t second) {
    return record_with(2, [=](byte_writer& out) {
      put_sibling(out, first, 1);
      put_sibling(out, second, 1);
    });
  };
  CAF_CHECK(decode_record(one(1, 9, 0)).has_value());
  CAF_CHECK(decode_record(two(1, 2)).has_value());
  // Not in seen, counter zero, no such vector entry, unknown flag.
  CAF_CHECK(!decode_record(one(1, 10, 0)));
  CAF_CHECK(!decode_record(one(1, 0, 0)));
  CAF_CHECK(!decode_record(one(3, 1, 0)));
  CAF_CHECK(!decode_record(one(1, 9, 8)));
  // Unsorted, duplicate.
  CAF_CHECK(!decode_record(two(2, 1)));
  CAF_CHECK(!decode_record(two(1, 1)));
}

CAF_TEST(a flag without what it announces is refused) {
  auto with = [](uint8_t flags, const std::string& fields) {
    return record_with(1, [=](byte_writer& out) {
      out.varint(1);
      out.varint(9);
      out.varint(1);
      out.u8(flags);
      out.raw(fields);
      out.bytes("v");
    });
  };
  CAF_CHECK(decode_record(with(4, "\x05")).has_value());
  CAF_CHECK(!decode_record(with(4, std::string(1, '\0'))));
  CAF_CHECK(decode_record(with(2, std::string(16, 'r'))).has_value());
  CAF_CHECK(!decode_record(with(2, std::string(16, '\0'))));
}

CAF_TEST(executed requests that break their promises are refused) {
  auto pair = [](uint64_t first, uint64_t second) {
    return record_with(0, {}, 2, [=](byte_writer& out) {
      put_executed(out, 1, first);
      put_executed(out, 2, second);
    });
  };
  auto many = [](uint64_t n) {
    return record_with(0, {}, n, [=](byte_writer& out) {
      for (auto i = n; i > 0; --i)
        put_executed(out, i, i);
    });
  };
  CAF_CHECK(decode_record(pair(2, 1)).has_value());
  CAF_CHECK(!decode_record(pair(1, 2)));
  CAF_CHECK(!decode_record(pair(1, 1)));
  CAF_CHECK(decode_record(many(record::max_executed)).has_value());
  CAF_CHECK(!decode_record(many(record::max_executed + 1)));
  auto zero = record_with(0, {}, 1, [](byte_writer& out) {
    put_executed(out, 1, 1, '\0');
  });
  CAF_CHECK(!decode_record(zero));
}

CAF_TEST(an executed request of no sibling or of one without id is refused) {
  auto of_sibling = [](uint8_t sibling_flags, uint64_t index) {
    return record_with(
      1,
      [=](byte_writer& out) {
        put_sibling(out, 1, 9, sibling_flags);
      },
      1,
      [=](byte_writer& out) {
        out.u8(2);
        out.varint(index);
      });
  };
  CAF_CHECK(decode_record(of_sibling(2, 0)).has_value());
  CAF_CHECK(!decode_record(of_sibling(2, 1)));
  CAF_CHECK(!decode_record(of_sibling(0, 0)));
}

CAF_TEST(a count beyond the bytes left is refused before memory is taken) {
  for (auto count : {uint64_t{1} << 40, uint64_t{1} << 60}) {
    CAF_CHECK(!decode_record(record_with(count, {})));
    CAF_CHECK(!decode_record(record_with(0, {}, count)));
  }
}

CAF_TEST(random records come back and damaged ones stay well formed) {
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    std::mt19937_64 engine{seed};
    std::deque<std::string> values;
    record r;
    for (auto n = engine() % 5; n > 0; --n)
      r.seen.advance({1 + engine() % 6, 1 + (engine() >> engine() % 64)});
    for (auto n = engine() % 5; n > 0; --n) {
      sibling s;
      s.id = {1 + engine() % 6, 1 + (engine() >> engine() % 64)};
      s.stamp = engine() >> engine() % 64;
      s.expires_at_ms = engine() % 2;
      s.request = {engine() % 2, engine() % 2};
      s.tombstone = engine() % 2 == 0;
      s.value = values.emplace_back(engine() % 200, 'v');
      r.seen.add(s.id);
      if (r.siblings.empty() || r.siblings.back().id < s.id)
        r.siblings.push_back(s);
      auto stamp = r.executed.empty() ? s.stamp : r.executed.back().stamp - 1;
      if (s.request && stamp != ~uint64_t{0})
        r.executed.push_back({s.request, s.id, stamp, engine() % 2 == 0});
    }
    auto bytes = bytes_of(r);
    auto back = decode_record(bytes);
    if (!back || !same(*back, r))
      CAF_FAIL("seed " << seed << " does not come back");
    bytes[engine() % bytes.size()] = static_cast<char>(engine());
    auto damaged = decode_record(bytes);
    if (damaged) {
      auto again = bytes_of(*damaged);
      auto twice = decode_record(again);
      if (!twice || !same(*twice, *damaged))
        CAF_FAIL("seed " << seed << " decodes to what cannot be encoded");
    }
  }
}
