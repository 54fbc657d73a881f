// Keys of the store: where records and the rest lie (docs/format/keys.md).

#pragma once

#include "core/uuid.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace covey::storage {

/// Key of a record: group (4 bytes), slot (2), keyspace (4), all big endian,
/// then the user's key. A slot of a group is one contiguous range.
std::string record_key(uint32_t group, uint16_t slot, uint32_t keyspace,
                       std::string_view key);

struct record_position {
  uint32_t group = 0;
  uint16_t slot = 0;
  uint32_t keyspace = 0;
  std::string_view key;
};

/// Splits a record key; false if it is too short to be one. `out.key` points
/// into `bytes`.
bool parse_record_key(std::string_view bytes, record_position& out);

/// Keyspace and key of a record key: what is left without group and slot.
std::string_view named_part(std::string_view record_key);

/// First key of a slot, and the first key after slot `slot` (slot 16384 is the
/// end of the group).
std::string slot_begin(uint32_t group, uint32_t slot);

// Rows of the system table.
/// Identity and run, as in the marker file.
std::string identity_row();
/// Keyspaces that the store was used with, and their replication.
std::string keyspaces_row();
/// What the actor that knows `name` keeps.
std::string kept_row(std::string_view name);
/// Sequence of a shard's last commit, written in the same transaction.
std::string sequence_row(uint32_t shard);
/// Incarnation, counter and clean-stop mark of a shard.
std::string shard_state_row(uint32_t shard);
/// Piece `part` of a shard's Bloom filter, saved at a clean stop.
std::string filter_row(uint32_t shard, uint32_t part);
/// What begins the rows of the hints that a shard has for a member. The key of
/// the record follows; so the hints for a member are one contiguous range.
std::string hint_prefix(uint32_t shard, const core::uuid& target);
/// The first key after all that begin with `prefix`, which does not end with
/// the byte 0xff.
std::string end_of_prefix(std::string prefix);
/// How many hints a shard has for each member, and their bytes.
std::string hint_totals_row(uint32_t shard);
/// A member misses something of a slot, and no hint tells what.
std::string repair_row(uint32_t shard, const core::uuid& target, uint32_t group,
                       uint16_t slot);
/// What begins all such rows of a shard.
std::string repair_prefix(uint32_t shard);

struct repair_position {
  core::uuid target;
  uint32_t group = 0;
  uint16_t slot = 0;
};

/// Splits the key of such a row; nothing if it is none.
std::optional<repair_position> parse_repair_row(std::string_view bytes);
/// What the rows that the shard keeps of its trees are made with.
std::string trees_row(uint32_t shard);
/// What begins the rows of a shard's trees.
std::string tree_prefix(uint32_t shard);
/// The tree of a slot, or that it has changed since it was saved.
std::string tree_row(uint32_t shard, uint32_t group, uint16_t slot);
/// Splits a row of a tree; false if it is none of this shard.
bool parse_tree_row(std::string_view row, uint32_t shard, uint32_t& group,
                    uint16_t& slot);

} // namespace covey::storage
