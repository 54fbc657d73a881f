#include "core/epoch.hpp"

#include "core/bytes.hpp"
#include "core/hash.hpp"

#include <algorithm>

namespace covey::core {

namespace {

uint32_t id_of(std::string_view text) {
  return static_cast<uint32_t>(hash64(text));
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

void append(byte_writer& out, const member_change& x) {
  out.u8(static_cast<uint8_t>(x.kind));
  out.u64(x.member.high);
  out.u64(x.member.low);
  out.u64(x.other.high);
  out.u64(x.other.low);
  out.u32(x.weight);
  out.u64(x.since.generation);
  out.u64(x.since.number);
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
  auto i = std::lower_bound(keyspaces.begin(), keyspaces.end(), name,
                            [](const keyspace& x, std::string_view y) {
                              return x.name < y;
                            });
  return i != keyspaces.end() && i->name == name ? &*i : nullptr;
}

const keyspace* epoch::find_keyspace(uint32_t keyspace) const {
  for (auto& x : keyspaces)
    if (keyspace_id(x.name) == keyspace)
      return &x;
  return nullptr;
}

std::optional<member_index> epoch::find_member(std::string_view name) const {
  // A replacement came after what it replaces.
  for (auto i = members.size(); i-- > 0;)
    if (members[i].name == name && members[i].state != member_state::removed)
      return static_cast<member_index>(i);
  return std::nullopt;
}

std::optional<member_index> epoch::find_member(const uuid& member) const {
  for (size_t i = 0; i < members.size(); ++i)
    if (members[i].id == member)
      return static_cast<member_index>(i);
  return std::nullopt;
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
  auto settled
    = x.changes.empty()
      && std::all_of(x.members.begin(), x.members.end(), [](const member& m) {
           return m.state == member_state::up;
         });
  if (!settled) {
    for (auto& m : x.members)
      out.u8(static_cast<uint8_t>(m.state));
    for (auto& c : x.changes)
      append(out, c);
  }
  return hash64(text);
}

bool continues(const epoch& from, const epoch& to) {
  if (!(from.id < to.id) || from.cluster != to.cluster
      || from.members.size() > to.members.size())
    return false;
  for (size_t i = 0; i < from.members.size(); ++i)
    if (from.members[i].id != to.members[i].id
        || (from.members[i].state == member_state::removed
            && to.members[i].state != member_state::removed))
      return false;
  return true;
}

epoch target_of(const epoch& x) {
  auto result = x;
  for (auto& m : result.members) {
    if (m.state == member_state::joining)
      m.state = member_state::up;
    else if (m.state == member_state::leaving)
      m.state = member_state::removed;
  }
  for (auto& c : x.changes)
    if (c.kind == change_kind::weight)
      if (auto i = x.find_member(c.member))
        result.members[*i].weight = c.weight;
  result.changes.clear();
  return result;
}

} // namespace covey::core
