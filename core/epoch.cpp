#include "core/epoch.hpp"

#include "core/bytes.hpp"
#include "core/hash.hpp"

#include <algorithm>

namespace covey::core {

namespace {

uint32_t id_of(std::string_view text) {
  return static_cast<uint32_t>(hash64(text));
}

template <class Named>
const Named* find_named(const std::vector<Named>& xs, std::string_view name) {
  auto i = std::lower_bound(xs.begin(), xs.end(), name,
                            [](const Named& x, std::string_view y) {
                              return x.name < y;
                            });
  return i != xs.end() && i->name == name ? &*i : nullptr;
}

void append(byte_writer& out, const member& x) {
  out.u64(x.id.high);
  out.u64(x.id.low);
  out.bytes(x.name);
  out.bytes(x.host);
  out.u16(x.port);
  out.bytes(x.rack);
  out.bytes(x.data_centre);
  out.u32(x.weight);
}

void append(byte_writer& out, const consistency& x) {
  out.u8(static_cast<uint8_t>(x.level));
  out.u32(x.count);
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
  out.u8(x.hash_tags ? 1 : 0);
  out.u8(x.strict_puts ? 1 : 0);
}

} // namespace

uint32_t replication_spec::replicas() const {
  if (per_data_centre.empty())
    return total;
  uint32_t result = 0;
  for (auto& entry : per_data_centre)
    result += entry.second;
  return result;
}

uint32_t group_id(const replication_spec& x) {
  return id_of(to_string(x));
}

uint32_t keyspace_id(std::string_view name) {
  return id_of(name);
}

const keyspace* epoch::find_keyspace(std::string_view name) const {
  return find_named(keyspaces, name);
}

const keyspace* epoch::find_keyspace(uint32_t keyspace) const {
  for (auto& x : keyspaces)
    if (keyspace_id(x.name) == keyspace)
      return &x;
  return nullptr;
}

std::optional<member_index> epoch::find_member(std::string_view name) const {
  auto x = find_named(members, name);
  if (x == nullptr)
    return std::nullopt;
  return static_cast<member_index>(x - members.data());
}

uint64_t epoch_hash(const epoch& x) {
  std::string text;
  byte_writer out{text};
  out.bytes(x.cluster);
  out.u64(x.id.generation);
  out.u64(x.id.number);
  out.varint(x.members.size());
  for (auto& m : x.members)
    append(out, m);
  out.varint(x.keyspaces.size());
  for (auto& k : x.keyspaces)
    append(out, k);
  return hash64(text);
}

} // namespace covey::core
