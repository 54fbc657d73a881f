#include "messages/gossip.hpp"

#include "core/watchers.hpp"
#include "messages/burst.hpp"

namespace covey {

namespace {

/// What the largest message takes, and more: 256 rows with 6 accusations each.
constexpr size_t max_gossip_bytes = 256 * 1024;

template <class Message>
core::uuid id_of(const Message& in) {
  return {in.member_high(), in.member_low()};
}

template <class Message>
void set_id(const core::uuid& id, Message& out) {
  out.set_member_high(id.high);
  out.set_member_low(id.low);
}

void to_wire(const core::member_row& in, wire::MemberRow& out) {
  set_id(in.id, out);
  out.set_run(in.run);
  out.set_version(in.version);
  out.set_heartbeat(in.heartbeat);
  out.set_unflushed_ms(in.unflushed_ms);
  out.set_load(in.load);
  out.set_catching_up(in.catching_up);
  for (const auto& x : in.accuses) {
    auto* to = out.add_accuses();
    set_id(x.member, *to);
    to->set_run(x.run);
    to->set_heartbeat(x.heartbeat);
  }
}

core::member_row from_wire(const wire::MemberRow& in) {
  core::member_row out;
  out.id = id_of(in);
  out.run = in.run();
  out.version = in.version();
  out.heartbeat = in.heartbeat();
  out.unflushed_ms = in.unflushed_ms();
  out.load = in.load();
  out.catching_up = in.catching_up();
  for (const auto& x : in.accuses())
    out.accuses.push_back({id_of(x), x.run(), x.heartbeat()});
  return out;
}

/// No process counts that far: what does would wrap around at the next step.
constexpr uint64_t max_count = uint64_t{1} << 62;

bool plausible(const wire::MemberRow& row) {
  auto sound = row.run() < max_count && row.version() < max_count
               && row.heartbeat() < max_count
               && static_cast<size_t>(row.accuses_size()) <= core::max_watchers;
  for (const auto& x : row.accuses())
    sound = sound && x.run() < max_count && x.heartbeat() < max_count;
  return sound;
}

template <class Message>
bool parse_bounded(std::string_view bytes, Message& out) {
  return bytes.size() <= max_gossip_bytes && parse(bytes, out);
}

} // namespace

void to_wire(const core::gossip_message& in, wire::Gossip& out) {
  for (const auto& row : in.rows)
    to_wire(row, *out.add_rows());
  for (const auto& digest : in.digests) {
    auto* to = out.add_digests();
    set_id(digest.id, *to);
    to->set_run(digest.run);
    to->set_version(digest.version);
  }
}

std::optional<core::gossip_message> from_wire(const wire::Gossip& in) {
  auto sound
    = static_cast<size_t>(in.rows_size()) <= core::max_gossip_rows
      && static_cast<size_t>(in.digests_size()) <= core::max_gossip_digests;
  for (const auto& row : in.rows())
    sound = sound && plausible(row);
  if (!sound)
    return std::nullopt;
  core::gossip_message out;
  for (const auto& row : in.rows())
    out.rows.push_back(from_wire(row));
  for (const auto& x : in.digests())
    out.digests.push_back({id_of(x), x.run(), x.version()});
  return out;
}

std::string serialize(const core::gossip_message& in) {
  wire::Gossip out;
  to_wire(in, out);
  return out.SerializeAsString();
}

std::string serialize(const core::probe& in) {
  wire::Probe out;
  out.set_sequence(in.sequence);
  return out.SerializeAsString();
}

std::string serialize(const core::probe_answer& in) {
  wire::ProbeAnswer out;
  out.set_sequence(in.sequence);
  out.set_run(in.run);
  out.set_heartbeat(in.heartbeat);
  return out.SerializeAsString();
}

std::optional<core::gossip_message> parse_gossip(std::string_view bytes) {
  wire::Gossip in;
  if (!parse_bounded(bytes, in))
    return std::nullopt;
  return from_wire(in);
}

std::optional<core::probe> parse_probe(std::string_view bytes) {
  wire::Probe in;
  if (!parse_bounded(bytes, in))
    return std::nullopt;
  return core::probe{in.sequence()};
}

std::optional<core::probe_answer> parse_probe_answer(std::string_view bytes) {
  wire::ProbeAnswer in;
  if (!parse_bounded(bytes, in) || in.run() >= max_count
      || in.heartbeat() >= max_count)
    return std::nullopt;
  return core::probe_answer{in.sequence(), in.run(), in.heartbeat()};
}

} // namespace covey
