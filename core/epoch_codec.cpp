#include "core/epoch_codec.hpp"

#include "core/bytes.hpp"
#include "core/name.hpp"

#include <algorithm>

namespace covey::core {

namespace {

constexpr uint8_t format = 1;
constexpr uint8_t flag_hash_tags = 1;
constexpr uint8_t flag_strict_puts = 2;
constexpr size_t max_host_bytes = 255;

void append(byte_writer& out, const uuid& x) {
  out.u64(x.high);
  out.u64(x.low);
}

void append(byte_writer& out, const epoch_id& x) {
  out.u64(x.generation);
  out.u64(x.number);
}

void append(byte_writer& out, const consistency& x) {
  out.u8(static_cast<uint8_t>(x.level));
  out.u32(x.count);
}

void append(byte_writer& out, const member& x) {
  append(out, x.id);
  out.bytes(x.name);
  out.bytes(x.host);
  out.u16(x.port);
  out.bytes(x.rack);
  out.bytes(x.data_centre);
  out.u32(x.weight);
  out.u8(static_cast<uint8_t>(x.state));
}

void append(byte_writer& out, const keyspace& x) {
  out.bytes(x.name);
  out.u32(x.replication.total);
  out.varint(x.replication.per_data_centre.size());
  for (auto& [name, replicas] : x.replication.per_data_centre) {
    out.bytes(name);
    out.u32(replicas);
  }
  out.u8(static_cast<uint8_t>(x.policy));
  append(out, x.default_read);
  append(out, x.default_write);
  out.u64(x.default_ttl_s);
  out.u8(static_cast<uint8_t>((x.hash_tags ? flag_hash_tags : 0)
                              | (x.strict_puts ? flag_strict_puts : 0)));
}

void append(byte_writer& out, const member_change& x) {
  out.u8(static_cast<uint8_t>(x.kind));
  append(out, x.member);
  append(out, x.other);
  out.u32(x.weight);
  append(out, x.since);
}

uuid read_uuid(byte_reader& in) {
  uuid result;
  result.high = in.u64();
  result.low = in.u64();
  return result;
}

epoch_id read_id(byte_reader& in) {
  epoch_id result;
  result.generation = in.u64();
  result.number = in.u64();
  return result;
}

consistency read_consistency(byte_reader& in) {
  consistency result;
  result.level = static_cast<consistency_level>(in.u8());
  result.count = in.u32();
  return result;
}

bool read(byte_reader& in, member& x) {
  x.id = read_uuid(in);
  x.name = in.bytes();
  x.host = in.bytes();
  x.port = in.u16();
  x.rack = in.bytes();
  x.data_centre = in.bytes();
  x.weight = in.u32();
  x.state = static_cast<member_state>(in.u8());
  auto printable = std::all_of(x.host.begin(), x.host.end(), [](char c) {
    return c > ' ' && c < 0x7f;
  });
  return in.ok() && printable && !x.host.empty()
         && x.host.size() <= max_host_bytes;
}

bool read(byte_reader& in, keyspace& x) {
  x.name = in.bytes();
  x.replication.total = in.u32();
  for (auto n = in.varint(); n > 0 && in.ok(); --n) {
    std::string name{in.bytes()};
    auto replicas = in.u32();
    if (!x.replication.per_data_centre.emplace(std::move(name), replicas)
           .second)
      return false;
  }
  auto policy = in.u8();
  x.policy = static_cast<conflict_policy>(policy);
  x.default_read = read_consistency(in);
  x.default_write = read_consistency(in);
  x.default_ttl_s = in.u64();
  auto flags = in.u8();
  x.hash_tags = (flags & flag_hash_tags) != 0;
  x.strict_puts = (flags & flag_strict_puts) != 0;
  return in.ok()
         && (x.policy == conflict_policy::siblings
             || x.policy == conflict_policy::lww);
}

bool read(byte_reader& in, member_change& x) {
  x.kind = static_cast<change_kind>(in.u8());
  x.member = read_uuid(in);
  x.other = read_uuid(in);
  x.weight = in.u32();
  x.since = read_id(in);
  return in.ok() && (x.kind == change_kind::replace || !x.other);
}

/// Reads as many as are announced; each takes bytes, so that a false number
/// ends at the end of the bytes.
template <class T>
bool read_all(byte_reader& in, std::vector<T>& xs) {
  for (auto n = in.varint(); n > 0 && in.ok(); --n) {
    xs.emplace_back();
    if (!read(in, xs.back()))
      return false;
  }
  return in.ok();
}

} // namespace

std::string encode(const epoch& x) {
  std::string result;
  byte_writer out{result};
  out.u8(format);
  append(out, x.id);
  out.bytes(x.cluster);
  out.varint(x.members.size());
  for (auto& m : x.members)
    append(out, m);
  out.varint(x.keyspaces.size());
  for (auto& k : x.keyspaces)
    append(out, k);
  out.varint(x.changes.size());
  for (auto& c : x.changes)
    append(out, c);
  return result;
}

std::optional<epoch> decode_epoch(std::string_view bytes) {
  if (bytes.size() > max_epoch_bytes)
    return std::nullopt;
  byte_reader in{bytes};
  epoch result;
  auto version = in.u8();
  result.id = read_id(in);
  result.cluster = in.bytes();
  if (version != format || !is_name(result.cluster)
      || !read_all(in, result.members) || !read_all(in, result.keyspaces)
      || !read_all(in, result.changes) || !in.done())
    return std::nullopt;
  // Sizes and orders have other spellings.
  if (encode(result) != bytes || !validate(result).empty())
    return std::nullopt;
  return result;
}

} // namespace covey::core
