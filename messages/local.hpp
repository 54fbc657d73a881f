// What actors of one node say to each other: plain values, never on the wire.

#pragma once

#include "core/answer_budget.hpp"
#include "core/cluster_view.hpp"
#include "core/context.hpp"
#include "core/epoch.hpp"
#include "core/epoch_change.hpp"
#include "core/liveness.hpp"
#include "core/request_id.hpp"
#include "core/slot.hpp"
#include "core/uuid.hpp"
#include "messages/errors.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace covey {

enum class frame_kind : uint8_t;

/// DO NOT REORDER: the numbers travel between nodes.
enum class replica_verb : uint8_t {
  /// Assign a version to a value and store it. Local only.
  put = 1,
  /// Merge a record.
  write = 2,
  /// Return the record.
  read = 3,
  /// Return a page of records.
  scan = 4,
  /// Hand a put to the peer's coordinator. Links only.
  forward = 5,
  /// Keep a record for the member `hint_for`, which could not take it. Without
  /// a record: what this home has of the key is to be given to it.
  hint = 6,
  /// Note that `hint_for` misses something of the slot, and that no hint says
  /// what. Local only.
  mark = 7,
};

/// One operation of a coordinator on a replica, here or behind a peer link.
struct replica_op {
  /// The asker's own number for it.
  uint64_t id = 0;
  replica_verb verb = replica_verb::read;
  core::epoch_id epoch;
  /// Wall clock of this node, microseconds since 1970.
  uint64_t deadline_us = 0;
  uint32_t keyspace = 0;
  uint16_t slot = 0;
  /// read: answer only what is on disk.
  bool flushed = false;
  bool tombstone = false;
  /// read: a record larger than `digest_above` bytes may be answered by the
  /// hash of its version that has this number; 0: by the record only.
  uint32_t digest_number = 0;
  uint32_t digest_above = 0;
  std::string key;
  /// put: the value. write: the record. forward: a wire::PutRequest. scan: the
  /// prefix.
  std::string bytes;
  // put only.
  core::context seen;
  uint64_t floor_stamp = 0;
  /// put: when the first coordinator took it, on this node's clock; 0: now.
  uint64_t asked_us = 0;
  uint64_t expires_at_ms = 0;
  core::request_id request;
  /// This node is a fallback, and coordinates since no home can be reached.
  bool parked = false;
  /// Homes that will not be given it now: hints for them are part of the write.
  std::vector<core::uuid> absent;
  // hint, mark.
  core::uuid hint_for;
  // scan only: `key` is the last key of the page before.
  uint16_t last_slot = 0;
  uint32_t max_bytes = 0;
};

/// DO NOT REORDER: the numbers travel between nodes.
enum class answer_kind : uint8_t {
  /// put: committed here, not on disk yet; `bytes` is the record.
  committed = 1,
  /// put, write: on disk here.
  durable = 2,
  /// read: `bytes` is the record, empty if there is none.
  record = 3,
  /// scan: `bytes` is the page.
  page = 4,
  /// forward: `bytes` is a wire::PutReply.
  forwarded = 5,
  /// Refused or failed: see `code`.
  failed = 6,
  /// read: `digest` stands for the record.
  digest = 7,
};

struct replica_answer {
  uint64_t id = 0;
  answer_kind kind = answer_kind::failed;
  errc code = errc::none;
  /// failed: one line about why, empty if the code says it all.
  std::string text;
  /// failed with disk_full: the value of the put, for another home.
  std::string bytes;
  /// Counts `bytes` among the answers that the node has in memory.
  core::answer_charge charge;
  // committed only: the version that the put was given.
  core::dot dot;
  uint64_t stamp = 0;
  /// digest: core::version_hash of the record.
  uint64_t digest = 0;
};

/// The answer of whoever did not do what operation `id` asked.
inline replica_answer refusal(uint64_t id, errc code, std::string text = {}) {
  replica_answer result;
  result.id = id;
  result.code = code;
  result.text = std::move(text);
  return result;
}

struct replica_answers {
  /// The member that answers.
  core::member_index from = 0;
  std::vector<replica_answer> answers;
};

enum class client_verb : uint8_t { put = 1, get = 2, scan = 3 };

/// One request of a client, validated by the gateway.
struct client_op {
  /// The asker's own number for it.
  uint64_t id = 0;
  client_verb verb = client_verb::get;
  uint32_t keyspace = 0;
  core::consistency level;
  core::quorum_kind quorum = core::quorum_kind::keyspace_default;
  uint64_t deadline_us = 0;
  std::string key;
  std::string value;
  /// Encoded; the coordinator checks it.
  std::string context;
  core::request_id request;
  bool tombstone = false;
  /// Came from a peer: must be coordinated here or refused.
  bool forwarded = false;
  /// Forwarded to a fallback, since no home can be reached.
  bool parked = false;
  uint64_t expires_at_ms = 0;
  /// put: when the first coordinator took it, on this node's clock; 0: now.
  uint64_t asked_us = 0;
  core::epoch_id epoch;
  // scan only: `key` is the last key of the page before, `value` the prefix.
  uint16_t slot = 0;
  uint16_t last_slot = core::slot_count - 1;
  uint32_t max_bytes = 0;
};

struct scan_entry {
  std::string key;
  std::vector<std::string> values;
};

struct client_answer {
  uint64_t id = 0;
  client_verb verb = client_verb::get;
  errc code = errc::none;
  std::string text;
  bool maybe_written = false;
  uint32_t answered = 0;
  uint32_t needed = 0;
  /// put: homes alone met the level.
  bool homes = false;
  std::string context;
  std::vector<std::string> values;
  // scan only.
  std::vector<scan_entry> entries;
  uint32_t next_slot = 0;
  std::string next_after_key;
  /// Counts the values among the answers that the node has in memory.
  core::answer_charge charge;
};

struct client_answers {
  std::vector<client_answer> answers;
};

/// A frame of a burst (messages/burst.hpp) between the gossipers of two nodes:
/// for this peer, or from it.
struct gossip_frame {
  core::member_index peer = 0;
  frame_kind kind{};
  std::string message;
};

using epoch_ptr = std::shared_ptr<const core::epoch>;

/// Asks for an epoch in which `change` is made.
struct epoch_proposal {
  core::epoch_change change;
  /// Only tell what it would be.
  bool dry_run = false;
  /// On this node's clock.
  uint64_t deadline_us = 0;
};

struct epoch_outcome {
  errc code = errc::none;
  /// Of an error: one line that says why.
  std::string text;
  /// The epoch that has the change, or, of a dry run, would have it.
  core::epoch_id id;
  /// What it changes, in a few words.
  std::string plan;
};

/// Rows of the system table that other actors keep at shard 0, by their names.
struct kept_rows {
  std::vector<std::pair<std::string, std::string>> rows;
};

/// Asks for rows by their names; the answer has those that exist.
struct kept_rows_query {
  std::vector<std::string> names;
};

/// A frame of a burst between the anti-entropy actors of two nodes: for this
/// peer, or from it. Bulk: it waits behind requests.
struct exchange_frame {
  core::member_index peer = 0;
  frame_kind kind{};
  std::string message;
};

/// A member misses something of a slot, and no hint tells what.
struct repair_mark {
  core::uuid target;
  uint32_t group = 0;
  uint16_t slot = 0;
};

struct repair_mark_query {};

/// All marks of a shard, or the first of very many.
struct repair_mark_list {
  std::vector<repair_mark> marks;
};

/// The target has all of these slots that this node had at `before_us`: marks
/// that are older go.
struct repair_mark_removal {
  uint64_t before_us = 0;
  std::vector<repair_mark> marks;
};

struct incarnation_list {
  std::vector<core::incarnation> incarnations;
};

/// Incarnations, and the highest counter known of each.
struct known_counters {
  std::vector<core::dot> dots;
};

/// A page of the hints that a shard has for one member.
struct hint_query {
  core::uuid target;
  /// The last row of the page before; empty to start with the first.
  std::string after;
  /// Of records; zero: none, hints that are too old are dropped all the same.
  uint32_t max_bytes = 0;
};

struct hint_row {
  /// Names it to its shard.
  std::string row;
  uint64_t version = 0;
  uint32_t keyspace = 0;
  uint16_t slot = 0;
  std::string key;
  std::string record;
};

struct hint_page {
  std::vector<hint_row> rows;
  /// Where the next page goes on; empty if there is none.
  std::string next;
};

/// Hints that their target has on disk; those that have changed since stay.
struct hint_removal {
  core::uuid target;
  std::vector<std::pair<std::string, uint64_t>> rows;
};

/// Shared by all who route: immutable, replaced as a whole.
using liveness_ptr = std::shared_ptr<const core::liveness_view>;

/// Shared by the actors of a node: replaced as a whole with each new epoch.
using view_ptr = std::shared_ptr<const core::cluster_view>;

/// A named number for people and dashboards.
struct statistic_list {
  std::vector<std::pair<std::string, uint64_t>> values;
};

} // namespace covey
