#include "messages/convert.hpp"

#include "core/record.hpp"
#include "core/slot.hpp"

#include <algorithm>

namespace covey {

namespace {

/// Codes travel as 32 bits; one that does not fit its byte is none of ours.
errc code_of(uint32_t x) {
  return x <= 0xff ? static_cast<errc>(x) : errc::bad_message;
}

answer_kind kind_of(uint32_t x) {
  // Only a replica of this node tells of commits.
  auto known = x > static_cast<uint32_t>(answer_kind::committed)
               && x <= static_cast<uint32_t>(answer_kind::digest);
  return known ? static_cast<answer_kind>(x) : answer_kind::failed;
}

} // namespace

wire::PutRequest to_wire(const client_op& op, const core::keyspace& ks) {
  wire::PutRequest out;
  out.set_keyspace(ks.name);
  out.set_key(op.key);
  out.set_value(op.value);
  out.set_tombstone(op.tombstone);
  out.set_context(op.context);
  out.set_request_high(op.request.high);
  out.set_request_low(op.request.low);
  out.set_deadline_us(op.deadline_us);
  out.set_level(static_cast<uint32_t>(op.level.level));
  out.set_level_count(op.level.count);
  out.set_expires_at_ms(op.expires_at_ms);
  out.set_quorum(static_cast<uint32_t>(op.quorum));
  out.set_parked(op.parked);
  out.set_asked_us(op.asked_us);
  out.set_epoch_generation(op.epoch.generation);
  out.set_epoch_number(op.epoch.number);
  return out;
}

client_answer from_wire(const wire::PutReply& reply) {
  client_answer a;
  a.verb = client_verb::put;
  a.code = code_of(reply.code());
  a.text = reply.text();
  a.maybe_written = reply.maybe_written();
  a.answered = reply.acked();
  a.needed = reply.needed();
  a.homes = reply.homes();
  a.context = reply.context();
  return a;
}

void to_wire(const client_answer& a, const core::epoch_id& epoch,
             wire::PutReply& out) {
  out.Clear();
  out.set_id(a.id);
  out.set_code(static_cast<uint32_t>(a.code));
  out.set_text(a.text);
  out.set_maybe_written(a.maybe_written);
  out.set_acked(a.answered);
  out.set_needed(a.needed);
  out.set_context(a.context);
  out.set_homes(a.homes);
  out.set_epoch_generation(epoch.generation);
  out.set_epoch_number(epoch.number);
}

void to_wire(client_answer& a, const core::epoch_id& epoch,
             wire::GetReply& out) {
  out.Clear();
  out.set_id(a.id);
  out.set_code(static_cast<uint32_t>(a.code));
  out.set_text(a.text);
  out.set_answered(a.answered);
  out.set_needed(a.needed);
  for (auto& value : a.values)
    out.add_values(std::move(value));
  out.set_context(a.context);
  out.set_epoch_generation(epoch.generation);
  out.set_epoch_number(epoch.number);
}

void to_wire(client_answer& a, wire::ScanReply& out) {
  out.Clear();
  out.set_id(a.id);
  out.set_code(static_cast<uint32_t>(a.code));
  out.set_text(a.text);
  for (auto& entry : a.entries) {
    auto* to = out.add_entries();
    to->set_key(std::move(entry.key));
    for (auto& value : entry.values)
      to->add_values(std::move(value));
  }
  out.set_next_slot(a.next_slot);
  out.set_next_after_key(a.next_after_key);
}

void to_wire(const core::epoch& in, wire::ClientWelcome& out) {
  for (const auto& m : in.members) {
    // Clients route to those who have something.
    if (!core::holds_slots(m))
      continue;
    auto& x = *out.add_members();
    x.set_name(m.name);
    x.set_host(m.host);
    x.set_port(m.port);
    x.set_rack(m.rack);
    x.set_data_centre(m.data_centre);
    x.set_weight(m.weight);
  }
  for (const auto& ks : in.keyspaces) {
    auto& x = *out.add_keyspaces();
    x.set_name(ks.name);
    x.set_replication(to_string(ks.replication));
    x.set_hash_tags(ks.hash_tags);
  }
}

std::optional<core::epoch> epoch_from_wire(const wire::ClientWelcome& in) {
  core::epoch out;
  out.id = {in.epoch_generation(), in.epoch_number()};
  out.cluster = in.cluster();
  for (const auto& x : in.members()) {
    core::member m;
    // The members' ids stay among the nodes; these only have to differ.
    m.id = {1, static_cast<uint64_t>(out.members.size()) + 1};
    m.name = x.name();
    m.host = x.host();
    m.port = static_cast<uint16_t>(x.port());
    m.rack = x.rack();
    m.data_centre = x.data_centre();
    m.weight = x.weight();
    if (x.port() > 0xffff)
      return std::nullopt;
    out.members.push_back(std::move(m));
  }
  for (const auto& x : in.keyspaces()) {
    core::keyspace ks;
    ks.name = x.name();
    auto replication = core::parse_replication(x.replication());
    if (!replication)
      return std::nullopt;
    ks.replication = *replication;
    ks.hash_tags = x.hash_tags();
    out.keyspaces.push_back(std::move(ks));
  }
  auto by_name = [](const auto& a, const auto& b) {
    return a.name < b.name;
  };
  std::sort(out.members.begin(), out.members.end(), by_name);
  std::sort(out.keyspaces.begin(), out.keyspaces.end(), by_name);
  if (!core::validate(out).empty())
    return std::nullopt;
  return out;
}

void to_wire(const replica_op& op, wire::ReplicaRequest& out) {
  out.Clear();
  out.set_id(op.id);
  out.set_verb(static_cast<uint32_t>(op.verb));
  out.set_epoch_generation(op.epoch.generation);
  out.set_epoch_number(op.epoch.number);
  out.set_deadline_us(op.deadline_us);
  out.set_keyspace(op.keyspace);
  out.set_slot(op.slot);
  out.set_key(op.key);
  out.set_record(op.bytes);
  out.set_flushed(op.flushed);
  out.set_digest_number(op.digest_number);
  out.set_digest_above(op.digest_above);
  out.set_last_slot(op.last_slot);
  out.set_max_bytes(op.max_bytes);
  out.set_hint_for_high(op.hint_for.high);
  out.set_hint_for_low(op.hint_for.low);
}

bool from_wire(wire::ReplicaRequest& in, replica_op& out) {
  auto verb = static_cast<replica_verb>(in.verb());
  auto known = verb == replica_verb::write || verb == replica_verb::read
               || verb == replica_verb::scan || verb == replica_verb::hint;
  if (!known || in.verb() > 0xff || in.slot() >= core::slot_count
      || in.last_slot() >= core::slot_count)
    return false;
  out.id = in.id();
  out.verb = verb;
  out.epoch = {in.epoch_generation(), in.epoch_number()};
  out.deadline_us = in.deadline_us();
  out.keyspace = in.keyspace();
  out.slot = static_cast<uint16_t>(in.slot());
  out.key = std::move(*in.mutable_key());
  out.bytes = std::move(*in.mutable_record());
  out.flushed = in.flushed();
  out.digest_number = in.digest_number();
  out.digest_above = in.digest_above();
  out.last_slot = static_cast<uint16_t>(in.last_slot());
  out.max_bytes = in.max_bytes();
  out.hint_for = {in.hint_for_high(), in.hint_for_low()};
  return true;
}

void to_wire(replica_answer& a, wire::ReplicaAnswer& out) {
  out.Clear();
  out.set_id(a.id);
  out.set_kind(static_cast<uint32_t>(a.kind));
  out.set_code(static_cast<uint32_t>(a.code));
  out.set_text(a.text);
  out.set_bytes(std::move(a.bytes));
  if (a.kind == answer_kind::digest) {
    out.set_digest_number(core::version_hash_number);
    out.set_digest(a.digest);
  }
}

replica_answer from_wire(wire::ReplicaAnswer& in) {
  replica_answer a;
  a.id = in.id();
  a.kind = kind_of(in.kind());
  a.code = code_of(in.code());
  a.text = in.text();
  a.bytes = std::move(*in.mutable_bytes());
  a.digest = in.digest();
  // Hashes of different functions say nothing about each other.
  if (a.kind == answer_kind::digest
      && in.digest_number() != core::version_hash_number)
    return refusal(a.id, errc::bad_message);
  return a;
}

} // namespace covey
