#include "messages/epoch_frames.hpp"

#include "core/epoch_codec.hpp"
#include "core/name.hpp"
#include "messages/burst.hpp"
#include "messages/peer.pb.h"

namespace covey {

namespace {

constexpr size_t max_frame_bytes = core::max_epoch_bytes + 1024;

/// Nobody counts that far: what does would wrap around at the next step.
constexpr uint64_t max_count = uint64_t{1} << 62;

void to_wire(const core::ballot& in, wire::Ballot& out) {
  out.set_round(in.round);
  out.set_member_high(in.member.high);
  out.set_member_low(in.member.low);
  out.set_life(in.life);
}

core::ballot from_wire(const wire::Ballot& in) {
  return {in.round(), {in.member_high(), in.member_low()}, in.life()};
}

template <class Message>
bool parse_bounded(std::string_view bytes, Message& out) {
  return bytes.size() <= max_frame_bytes && parse(bytes, out)
         && out.generation() < max_count && out.number() < max_count;
}

std::optional<core::consistency> level_of(uint32_t level, uint32_t count) {
  core::consistency result;
  result.level = static_cast<core::consistency_level>(std::min(level, 0xffu));
  result.count = count;
  if (result.level == core::consistency_level::keyspace_default)
    return std::nullopt;
  return result;
}

} // namespace

std::string serialize(const core::paxos_message& in) {
  wire::Paxos out;
  out.set_verb(static_cast<uint32_t>(in.verb));
  out.set_generation(in.instance.generation);
  out.set_number(in.instance.number);
  to_wire(in.number, *out.mutable_ballot());
  to_wire(in.other, *out.mutable_other());
  out.set_value(in.value);
  return out.SerializeAsString();
}

std::string serialize(const epoch_word& in) {
  wire::EpochWord out;
  out.set_generation(in.id.generation);
  out.set_number(in.id.number);
  out.set_epoch(in.epoch);
  return out.SerializeAsString();
}

std::optional<core::paxos_message> parse_paxos(std::string_view bytes) {
  wire::Paxos in;
  if (!parse_bounded(bytes, in) || in.verb() < 1 || in.verb() > 5)
    return std::nullopt;
  core::paxos_message out;
  out.verb = static_cast<core::paxos_verb>(in.verb());
  out.instance = {in.generation(), in.number()};
  out.number = from_wire(in.ballot());
  out.other = from_wire(in.other());
  out.value = std::move(*in.mutable_value());
  auto valued = out.verb == core::paxos_verb::accept
                || (out.verb == core::paxos_verb::promised && bool{out.other});
  if (!out.number || out.number.round >= max_count
      || out.other.round >= max_count || out.value.empty() == valued)
    return std::nullopt;
  return out;
}

std::optional<epoch_word> parse_epoch_word(std::string_view bytes) {
  wire::EpochWord in;
  if (!parse_bounded(bytes, in))
    return std::nullopt;
  return epoch_word{{in.generation(), in.number()},
                    std::move(*in.mutable_epoch())};
}

std::optional<core::epoch_change> change_of(const wire::KeyspaceRequest& in,
                                            std::string& error) {
  core::alter_keyspace asked;
  asked.name = in.name();
  if (!core::is_name(asked.name)) {
    error = "that is not a name; use 1 to 64 of A-Z a-z 0-9 . _ -";
    return std::nullopt;
  }
  if (!in.replication().empty()) {
    asked.replication = core::parse_replication(in.replication());
    if (!asked.replication)
      error = "the replication is neither a number from 1 to 16 nor one for "
              "each data centre, as in dc1:3,dc2:2";
  }
  if (in.policy() == "siblings")
    asked.policy = core::conflict_policy::siblings;
  else if (in.policy() == "lww")
    asked.policy = core::conflict_policy::lww;
  else if (!in.policy().empty())
    error = "the conflict policy is neither siblings nor lww";
  asked.default_read = level_of(in.read_level(), in.read_count());
  asked.default_write = level_of(in.write_level(), in.write_count());
  if (in.quorum() > static_cast<uint32_t>(core::quorum_kind::strict))
    error = "the write quorum is neither sloppy nor strict";
  else if (in.quorum() != 0)
    asked.strict_puts
      = in.quorum() == static_cast<uint32_t>(core::quorum_kind::strict);
  if (in.has_ttl())
    asked.default_ttl_s = in.default_ttl_s();
  if (in.hash_tags() > 2)
    error = "the hash-tag rule is neither on nor off";
  else if (in.hash_tags() != 0)
    asked.hash_tags = in.hash_tags() == 2;
  if (error.empty() && !in.alter() && !asked.replication)
    error = "a new keyspace needs a replication";
  if (!error.empty())
    return std::nullopt;
  if (in.alter())
    return asked;
  core::add_keyspace added;
  auto& k = added.what;
  k.name = asked.name;
  k.replication = *asked.replication;
  k.policy = asked.policy.value_or(k.policy);
  k.default_read = asked.default_read.value_or(k.default_read);
  k.default_write = asked.default_write.value_or(k.default_write);
  k.strict_puts = asked.strict_puts.value_or(k.strict_puts);
  k.default_ttl_s = asked.default_ttl_s.value_or(k.default_ttl_s);
  k.hash_tags = asked.hash_tags.value_or(k.hash_tags);
  return added;
}

void to_wire(const epoch_outcome& in, wire::KeyspaceReply& out) {
  out.set_code(static_cast<uint32_t>(in.code));
  out.set_text(in.text);
  out.set_epoch_generation(in.id.generation);
  out.set_epoch_number(in.id.number);
  out.set_plan(in.plan);
}

} // namespace covey
