// What travels and what actors of one node say to each other mean the same.

#define CAF_SUITE messages.convert

#include "core/record.hpp"
#include "core/slot.hpp"
#include "messages/convert.hpp"
#include "messages/inspect.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey;

namespace {

replica_op some_op(replica_verb verb) {
  replica_op op;
  op.id = 11;
  op.verb = verb;
  op.epoch = {2, 3};
  op.deadline_us = 1'700'000'000'000'000;
  op.keyspace = 0xfedcba98;
  op.slot = 16383;
  op.flushed = true;
  op.digest_number = 3;
  op.digest_above = 1024;
  op.hint_for = {8, 9};
  op.key = std::string("k\0y", 3);
  op.bytes = "record";
  op.last_slot = 16383;
  op.max_bytes = 77;
  return op;
}

/// As it arrives at the other node.
bool travel(const replica_op& op, replica_op& out) {
  wire::ReplicaRequest sent;
  to_wire(op, sent);
  wire::ReplicaRequest received;
  CAF_REQUIRE(received.ParseFromString(sent.SerializeAsString()));
  return from_wire(received, out);
}

} // namespace

CAF_TEST(an operation means the same at the peer) {
  for (auto verb : {replica_verb::write, replica_verb::read, replica_verb::scan,
                    replica_verb::hint}) {
    auto op = some_op(verb);
    replica_op copy;
    CAF_REQUIRE(travel(op, copy));
    CAF_CHECK_EQUAL(copy.id, op.id);
    CAF_CHECK(copy.verb == verb);
    CAF_CHECK(copy.epoch == op.epoch);
    CAF_CHECK_EQUAL(copy.deadline_us, op.deadline_us);
    CAF_CHECK_EQUAL(copy.keyspace, op.keyspace);
    CAF_CHECK_EQUAL(copy.slot, op.slot);
    CAF_CHECK_EQUAL(copy.flushed, op.flushed);
    CAF_CHECK_EQUAL(copy.digest_number, op.digest_number);
    CAF_CHECK_EQUAL(copy.digest_above, op.digest_above);
    CAF_CHECK(copy.hint_for == op.hint_for);
    CAF_CHECK_EQUAL(copy.key, op.key);
    CAF_CHECK_EQUAL(copy.bytes, op.bytes);
    CAF_CHECK_EQUAL(copy.last_slot, op.last_slot);
    CAF_CHECK_EQUAL(copy.max_bytes, op.max_bytes);
  }
}

CAF_TEST(a message that is used again keeps nothing of the one before) {
  wire::ReplicaRequest reused;
  to_wire(some_op(replica_verb::write), reused);
  to_wire(replica_op{}, reused);
  wire::ReplicaRequest fresh;
  to_wire(replica_op{}, fresh);
  CAF_CHECK(reused == fresh);
}

CAF_TEST(a peer may ask only for writes reads scans and hints) {
  for (uint32_t verb = 0; verb < 1100; ++verb) {
    wire::ReplicaRequest in;
    to_wire(some_op(replica_verb::read), in);
    in.set_verb(verb);
    replica_op out;
    auto offered = (verb >= 2 && verb <= 4)
                   || verb == static_cast<uint32_t>(replica_verb::hint);
    CAF_CHECK_EQUAL(from_wire(in, out), offered);
  }
}

CAF_TEST(a slot beyond the last is refused) {
  for (auto beyond : {core::slot_count, core::slot_count + 65536}) {
    wire::ReplicaRequest in;
    replica_op out;
    to_wire(some_op(replica_verb::read), in);
    in.set_slot(beyond);
    CAF_CHECK(!from_wire(in, out));
    to_wire(some_op(replica_verb::scan), in);
    in.set_last_slot(beyond);
    CAF_CHECK(!from_wire(in, out));
  }
}

CAF_TEST(an answer of a replica means the same at the peer) {
  replica_answer a;
  a.id = 5;
  a.kind = answer_kind::failed;
  a.code = errc::not_owner;
  a.text = "why";
  a.bytes = std::string("\0b", 2);
  wire::ReplicaAnswer sent;
  to_wire(a, sent);
  auto copy = from_wire(sent);
  CAF_CHECK_EQUAL(copy.id, 5u);
  CAF_CHECK(copy.kind == answer_kind::failed);
  CAF_CHECK(copy.code == errc::not_owner);
  CAF_CHECK_EQUAL(copy.text, "why");
  CAF_CHECK_EQUAL(copy.bytes, std::string("\0b", 2));
}

CAF_TEST(a digest means the same at a peer with the same hash) {
  replica_answer a;
  a.id = 5;
  a.kind = answer_kind::digest;
  a.digest = UINT64_MAX - 1;
  wire::ReplicaAnswer out;
  to_wire(a, out);
  CAF_CHECK_EQUAL(out.digest_number(), core::version_hash_number);
  wire::ReplicaAnswer in;
  CAF_REQUIRE(in.ParseFromString(out.SerializeAsString()));
  auto copy = from_wire(in);
  CAF_CHECK_EQUAL(copy.id, 5u);
  CAF_CHECK(copy.kind == answer_kind::digest);
  CAF_CHECK_EQUAL(copy.digest, UINT64_MAX - 1);
  // The message is used again for an answer without one.
  a.kind = answer_kind::durable;
  to_wire(a, out);
  CAF_CHECK_EQUAL(out.digest_number(), 0u);
  CAF_CHECK_EQUAL(out.digest(), 0u);
}

CAF_TEST(a digest of another hash is a failure of that home) {
  for (uint32_t number : {0u, core::version_hash_number + 1}) {
    wire::ReplicaAnswer in;
    in.set_id(5);
    in.set_kind(static_cast<uint32_t>(answer_kind::digest));
    in.set_digest_number(number);
    in.set_digest(7);
    auto copy = from_wire(in);
    CAF_CHECK_EQUAL(copy.id, 5u);
    CAF_CHECK(copy.kind == answer_kind::failed);
    CAF_CHECK(copy.code == errc::bad_message);
  }
}

CAF_TEST(numbers of a newer peer are never taken for a success) {
  // 258 and 256 would be `durable` and `none` if they were cut to a byte.
  wire::ReplicaAnswer answer;
  answer.set_kind(256 + static_cast<uint32_t>(answer_kind::durable));
  CAF_CHECK(from_wire(answer).kind != answer_kind::durable);
  wire::PutReply reply;
  reply.set_code(256);
  CAF_CHECK(from_wire(reply).code != errc::none);
}

CAF_TEST(a forwarded put keeps all that a home needs to coordinate it) {
  client_op op;
  op.key = "key";
  op.value = "value";
  op.context = "context";
  op.request = {1, 2};
  op.tombstone = true;
  op.deadline_us = 99;
  op.level = {core::consistency_level::number, 2};
  op.expires_at_ms = 77;
  op.epoch = {4, 5};
  core::keyspace ks;
  ks.name = "lww";
  auto put = to_wire(op, ks);
  CAF_CHECK_EQUAL(put.keyspace(), "lww");
  CAF_CHECK_EQUAL(put.key(), "key");
  CAF_CHECK_EQUAL(put.value(), "value");
  CAF_CHECK_EQUAL(put.context(), "context");
  CAF_CHECK_EQUAL(put.request_high(), 1u);
  CAF_CHECK_EQUAL(put.request_low(), 2u);
  CAF_CHECK(put.tombstone());
  CAF_CHECK_EQUAL(put.deadline_us(), 99u);
  CAF_CHECK_EQUAL(put.level(), 9u);
  CAF_CHECK_EQUAL(put.level_count(), 2u);
  CAF_CHECK_EQUAL(put.expires_at_ms(), 77u);
  CAF_CHECK_EQUAL(put.ttl_ms(), 0u);
  CAF_CHECK_EQUAL(put.epoch_generation(), 4u);
  CAF_CHECK_EQUAL(put.epoch_number(), 5u);
}

CAF_TEST(the answer to a put means the same after it was forwarded) {
  client_answer a;
  a.id = 3;
  a.verb = client_verb::put;
  a.code = errc::quorum_not_met;
  a.text = "why";
  a.maybe_written = true;
  a.answered = 1;
  a.needed = 2;
  a.context = "token";
  wire::PutReply out;
  to_wire(a, {7, 8}, out);
  CAF_CHECK_EQUAL(out.id(), 3u);
  CAF_CHECK(!out.homes());
  CAF_CHECK_EQUAL(out.epoch_generation(), 7u);
  CAF_CHECK_EQUAL(out.epoch_number(), 8u);
  auto copy = from_wire(out);
  CAF_CHECK(copy.verb == client_verb::put);
  CAF_CHECK(copy.code == errc::quorum_not_met);
  CAF_CHECK_EQUAL(copy.text, "why");
  CAF_CHECK(copy.maybe_written);
  CAF_CHECK_EQUAL(copy.answered, 1u);
  CAF_CHECK_EQUAL(copy.needed, 2u);
  CAF_CHECK_EQUAL(copy.context, "token");
}

CAF_TEST(a get is answered with its values in order and its context) {
  client_answer a;
  a.id = 3;
  a.answered = 2;
  a.needed = 2;
  a.values = {"x", "y"};
  a.context = "token";
  wire::GetReply out;
  out.add_values("left over");
  to_wire(a, {7, 8}, out);
  CAF_CHECK_EQUAL(out.id(), 3u);
  CAF_CHECK_EQUAL(out.code(), 0u);
  CAF_CHECK_EQUAL(out.answered(), 2u);
  CAF_CHECK_EQUAL(out.needed(), 2u);
  CAF_REQUIRE_EQUAL(out.values_size(), 2);
  CAF_CHECK_EQUAL(out.values(0), "x");
  CAF_CHECK_EQUAL(out.values(1), "y");
  CAF_CHECK_EQUAL(out.context(), "token");
}

CAF_TEST(a scan is answered with its entries and where to go on) {
  client_answer a;
  a.id = 3;
  a.verb = client_verb::scan;
  a.entries = {{"k1", {"x"}}, {"k2", {"y", "z"}}};
  a.next_slot = 16384;
  a.next_after_key = "k2";
  wire::ScanReply out;
  out.add_entries();
  to_wire(a, out);
  CAF_REQUIRE_EQUAL(out.entries_size(), 2);
  CAF_CHECK_EQUAL(out.entries(0).key(), "k1");
  CAF_CHECK_EQUAL(out.entries(1).key(), "k2");
  CAF_REQUIRE_EQUAL(out.entries(1).values_size(), 2);
  CAF_CHECK_EQUAL(out.entries(1).values(1), "z");
  CAF_CHECK_EQUAL(out.next_slot(), 16384u);
  CAF_CHECK_EQUAL(out.next_after_key(), "k2");
}
