#include "storage/layout.hpp"

#include "core/bytes.hpp"

namespace covey::storage {

std::string record_key(uint32_t group, uint16_t slot, uint32_t keyspace,
                       std::string_view key) {
  std::string result;
  result.reserve(10 + key.size());
  core::byte_writer out{result};
  out.u32(group);
  out.u16(slot);
  out.u32(keyspace);
  out.raw(key);
  return result;
}

bool parse_record_key(std::string_view bytes, record_position& out) {
  core::byte_reader in{bytes};
  out.group = in.u32();
  out.slot = in.u16();
  out.keyspace = in.u32();
  out.key = in.raw(in.remaining());
  return in.ok();
}

std::string_view named_part(std::string_view record_key) {
  return record_key.substr(6);
}

std::string slot_begin(uint32_t group, uint32_t slot) {
  std::string result;
  core::byte_writer out{result};
  out.u32(group);
  out.u16(static_cast<uint16_t>(slot));
  return result;
}

std::string identity_row() {
  return "identity";
}

std::string keyspaces_row() {
  return "keyspaces";
}

std::string kept_row(std::string_view name) {
  return "kept/" + std::string{name};
}

std::string sequence_row(uint32_t shard) {
  return "sequence/" + std::to_string(shard);
}

std::string shard_state_row(uint32_t shard) {
  return "shard/" + std::to_string(shard);
}

std::string hint_prefix(uint32_t shard, const core::uuid& target) {
  std::string result = "hint/";
  core::byte_writer out{result};
  out.u32(shard);
  out.u64(target.high);
  out.u64(target.low);
  // Ends the prefix with a byte that has a successor.
  out.u8('/');
  return result;
}

std::string end_of_prefix(std::string prefix) {
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

std::string hint_totals_row(uint32_t shard) {
  return "hints/" + std::to_string(shard);
}

std::string repair_prefix(uint32_t shard) {
  std::string result = "repair/";
  core::byte_writer{result}.u32(shard);
  return result;
}

std::optional<repair_position> parse_repair_row(std::string_view bytes) {
  auto prefix = repair_prefix(0).size();
  if (bytes.size() < prefix)
    return std::nullopt;
  core::byte_reader in{bytes.substr(prefix)};
  repair_position result;
  result.target.high = in.u64();
  result.target.low = in.u64();
  result.group = in.u32();
  result.slot = in.u16();
  return in.done() ? std::optional{result} : std::nullopt;
}

std::string repair_row(uint32_t shard, const core::uuid& target, uint32_t group,
                       uint16_t slot) {
  auto result = repair_prefix(shard);
  core::byte_writer out{result};
  out.u64(target.high);
  out.u64(target.low);
  out.u32(group);
  out.u16(slot);
  return result;
}

std::string filter_row(uint32_t shard, uint32_t part) {
  std::string result = "filter/" + std::to_string(shard) + "/";
  core::byte_writer{result}.u32(part);
  return result;
}

std::string trees_row(uint32_t shard) {
  return "trees/" + std::to_string(shard);
}

std::string tree_prefix(uint32_t shard) {
  std::string result = "tree/";
  core::byte_writer out{result};
  out.u32(shard);
  // Ends the prefix with a byte that has a successor.
  out.u8('/');
  return result;
}

std::string tree_row(uint32_t shard, uint32_t group, uint16_t slot) {
  auto result = tree_prefix(shard);
  core::byte_writer out{result};
  out.u32(group);
  out.u16(slot);
  return result;
}

bool parse_tree_row(std::string_view row, uint32_t shard, uint32_t& group,
                    uint16_t& slot) {
  auto prefix = tree_prefix(shard);
  if (row.substr(0, prefix.size()) != prefix)
    return false;
  core::byte_reader in{row.substr(prefix.size())};
  group = in.u32();
  slot = in.u16();
  return in.done();
}

} // namespace covey::storage
