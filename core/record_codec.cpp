// Bytes of records, format 1: docs/format/record.md.

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/record.hpp"

#include <tuple>
#include <utility>

namespace covey::core {

namespace {

constexpr uint8_t format = 1;

// DO NOT REORDER: bits of stored siblings.
constexpr uint8_t tombstone_bit = 1;
constexpr uint8_t request_bit = 2;
constexpr uint8_t expiry_bit = 4;

// DO NOT REORDER: bits of stored executed requests.
constexpr uint8_t superseded_bit = 1;
constexpr uint8_t of_sibling_bit = 2;

// Fewest bytes that a sibling takes: dot, stamp, flags, length of the value.
constexpr size_t min_sibling_size = 5;

void encode_request(const request_id& id, byte_writer& out) {
  out.u64(id.high);
  out.u64(id.low);
}

request_id decode_request(byte_reader& in) {
  auto high = in.u64();
  return {high, in.u64()};
}

void encode_sibling(const sibling& s, const context& seen, byte_writer& out) {
  encode(s.id, seen.vector(), out);
  out.varint(s.stamp);
  out.u8(static_cast<uint8_t>((s.tombstone ? tombstone_bit : 0)
                              | (s.request ? request_bit : 0)
                              | (s.expires_at_ms != 0 ? expiry_bit : 0)));
  if (s.request)
    encode_request(s.request, out);
  if (s.expires_at_ms != 0)
    out.varint(s.expires_at_ms);
  out.bytes(s.value);
}

std::optional<sibling> decode_sibling(byte_reader& in, const context& seen) {
  sibling result;
  auto id = decode_dot(in, seen.vector());
  if (!id || !seen.covers(*id))
    return std::nullopt;
  result.id = *id;
  result.stamp = in.varint();
  auto flags = in.u8();
  if ((flags & ~(tombstone_bit | request_bit | expiry_bit)) != 0)
    return std::nullopt;
  result.tombstone = (flags & tombstone_bit) != 0;
  if ((flags & request_bit) != 0) {
    result.request = decode_request(in);
    if (!result.request)
      return std::nullopt;
  }
  if ((flags & expiry_bit) != 0) {
    result.expires_at_ms = in.varint();
    if (result.expires_at_ms == 0)
      return std::nullopt;
  }
  result.value = in.bytes();
  if (!in.ok())
    return std::nullopt;
  return result;
}

/// Index of the sibling that `e` executed; the number of siblings if none.
size_t sibling_of(const executed_request& e, const record& r) {
  size_t i = 0;
  while (i < r.siblings.size()
         && (r.siblings[i].id != e.id || r.siblings[i].stamp != e.stamp
             || r.siblings[i].request != e.request))
    ++i;
  return i;
}

void encode_executed(const executed_request& e, const record& r,
                     byte_writer& out) {
  auto index = sibling_of(e, r);
  auto of_sibling = index < r.siblings.size();
  out.u8(static_cast<uint8_t>((e.superseded ? superseded_bit : 0)
                              | (of_sibling ? of_sibling_bit : 0)));
  if (of_sibling) {
    out.varint(index);
    return;
  }
  encode(e.id, r.seen.vector(), out);
  out.varint(e.stamp);
  encode_request(e.request, out);
}

std::optional<executed_request> decode_executed(byte_reader& in,
                                                const record& r) {
  executed_request result;
  auto flags = in.u8();
  if ((flags & ~(superseded_bit | of_sibling_bit)) != 0)
    return std::nullopt;
  result.superseded = (flags & superseded_bit) != 0;
  if ((flags & of_sibling_bit) != 0) {
    auto index = in.varint();
    if (!in.ok() || index >= r.siblings.size())
      return std::nullopt;
    const auto& s = r.siblings[index];
    result.id = s.id;
    result.stamp = s.stamp;
    result.request = s.request;
  } else {
    auto id = decode_dot(in, r.seen.vector());
    if (!id)
      return std::nullopt;
    result.id = *id;
    result.stamp = in.varint();
    result.request = decode_request(in);
  }
  if (!in.ok() || !result.request)
    return std::nullopt;
  return result;
}

bool decode_siblings(byte_reader& in, record& r) {
  auto n = in.varint();
  if (!in.ok() || n > in.remaining() / min_sibling_size)
    return false;
  r.siblings.reserve(n);
  for (; n > 0; --n) {
    auto s = decode_sibling(in, r.seen);
    if (!s || (!r.siblings.empty() && !(r.siblings.back().id < s->id)))
      return false;
    r.siblings.push_back(*s);
  }
  return true;
}

bool decode_all_executed(byte_reader& in, record& r) {
  auto n = in.varint();
  if (!in.ok() || n > record::max_executed)
    return false;
  r.executed.reserve(n);
  for (; n > 0; --n) {
    auto e = decode_executed(in, r);
    if (!e)
      return false;
    if (!r.executed.empty()) {
      const auto& newer = r.executed.back();
      if (!(std::tie(e->stamp, e->id) < std::tie(newer.stamp, newer.id)))
        return false;
    }
    r.executed.push_back(*e);
  }
  return true;
}

} // namespace

void encode(const record& r, std::string& out) {
  size_t size = 16 + 20 * (r.seen.vector().size() + r.seen.singles().size())
                + 48 * (r.siblings.size() + r.executed.size());
  for (const auto& s : r.siblings)
    size += s.value.size();
  out.reserve(out.size() + size);
  byte_writer writer{out};
  writer.u8(format);
  encode(r.seen, writer);
  writer.varint(r.siblings.size());
  for (const auto& s : r.siblings) {
    // Bytes that cannot be decoded again would be a loss.
    COVEY_CHECK(r.seen.covers(s.id));
    encode_sibling(s, r.seen, writer);
  }
  writer.varint(r.executed.size());
  for (const auto& e : r.executed)
    encode_executed(e, r, writer);
  writer.bytes({});
}

std::optional<record> decode_record(std::string_view bytes) {
  byte_reader in{bytes};
  if (in.u8() != format)
    return std::nullopt;
  auto seen = decode_context(in);
  if (!seen)
    return std::nullopt;
  record result;
  result.seen = std::move(*seen);
  if (!decode_siblings(in, result) || !decode_all_executed(in, result))
    return std::nullopt;
  // What minor additions to the format will put here is not for this reader.
  in.bytes();
  if (!in.done())
    return std::nullopt;
  return result;
}

} // namespace covey::core
