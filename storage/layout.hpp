// Keys of the store: where records and the rest lie (docs/format/keys.md).

#pragma once

#include <cstdint>
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

/// First key of a slot, and the first key after slot `slot` (slot 16384 is the
/// end of the group).
std::string slot_begin(uint32_t group, uint32_t slot);

// Rows of the system table.
/// Identity and run, as in the marker file.
std::string identity_row();
/// Keyspaces that the store was used with, and their replication.
std::string keyspaces_row();
/// Sequence of a shard's last commit, written in the same transaction.
std::string sequence_row(uint32_t shard);
/// Incarnation, counter and clean-stop mark of a shard.
std::string shard_state_row(uint32_t shard);
/// Piece `part` of a shard's Bloom filter, saved at a clean stop.
std::string filter_row(uint32_t shard, uint32_t part);

} // namespace covey::storage
