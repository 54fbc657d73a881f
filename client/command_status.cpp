// covey status and ring: tables for people, JSON for programs.

#include "client/commands.hpp"
#include "client/json_lines.hpp"
#include "client/report.hpp"
#include "client/table.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace covey::client {

namespace {

using nlohmann::ordered_json;

constexpr int shown_statistics = 16;

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string epoch_text(uint64_t generation, uint64_t number) {
  return std::to_string(generation) + '.' + std::to_string(number);
}

ordered_json member_json(const wire::MemberStatus& m) {
  return {{"name", m.name()},
          {"id", m.id()},
          {"address", m.address()},
          {"rack", m.rack()},
          {"data_centre", m.data_centre()},
          {"weight", m.weight()},
          {"up", m.up()},
          {"slots", m.slots()},
          {"round_trip_us", m.round_trip_us()}};
}

std::string status_json(const wire::StatusReply& s) {
  ordered_json object{{"cluster", s.cluster()},
                      {"node", s.node()},
                      {"version", s.version()},
                      {"epoch_generation", s.epoch_generation()},
                      {"epoch_number", s.epoch_number()},
                      {"run", s.run()},
                      {"uptime_s", s.uptime_s()},
                      {"durability", s.durability()}};
  object["members"] = ordered_json::array();
  for (auto& m : s.members())
    object["members"].push_back(member_json(m));
  object["keyspaces"] = ordered_json::array();
  for (auto& k : s.keyspaces())
    object["keyspaces"].push_back({{"name", k.name()},
                                   {"replication", k.replication()},
                                   {"policy", k.policy()},
                                   {"default_read", k.default_read()},
                                   {"default_write", k.default_write()},
                                   {"write_quorum", k.write_quorum()},
                                   {"default_ttl_s", k.default_ttl_s()},
                                   {"hash_tags", k.hash_tags()}});
  object["statistics"] = ordered_json::object();
  for (auto& x : s.statistics())
    object["statistics"][x.name()] = x.value();
  return object.dump(2) + '\n';
}

// What is zero tells people little; --json has everything.
std::string statistics_text(const wire::StatusReply& s) {
  table t{{"STATISTIC", "VALUE"}, {1}};
  auto shown = 0;
  for (auto& x : s.statistics()) {
    if (x.value() == 0 || shown == shown_statistics)
      continue;
    ++shown;
    t.add({x.name(), std::to_string(x.value())});
  }
  auto result = shown == 0 ? std::string{} : '\n' + t.str();
  if (s.statistics_size() > shown)
    result += '(' + std::to_string(s.statistics_size() - shown)
              + " more with --json)\n";
  return result;
}

std::string status_text(const wire::StatusReply& s) {
  auto result = "cluster " + s.cluster() + ", seen from " + s.node()
                + " (covey " + s.version() + ", up "
                + show_seconds(s.uptime_s()) + ", durability " + s.durability()
                + "), epoch "
                + epoch_text(s.epoch_generation(), s.epoch_number()) + "\n\n";
  table members{{"MEMBER", "ADDRESS", "RACK", "DC", "WEIGHT", "SLOTS", "STATE",
                 "ROUND TRIP"},
                {4, 5, 7}};
  for (auto& m : s.members())
    members.add({m.name(), m.address(), m.rack(), m.data_centre(),
                 std::to_string(m.weight()), std::to_string(m.slots()),
                 m.up() ? "up" : "down",
                 m.up() && m.name() != s.node()
                   ? show_microseconds(m.round_trip_us())
                   : "-"});
  table keyspaces{{"KEYSPACE", "REPLICAS", "CONFLICTS", "READ", "WRITE",
                   "QUORUM", "TTL", "HASH TAGS"}};
  for (auto& k : s.keyspaces())
    keyspaces.add(
      {k.name(), k.replication(), k.policy(), k.default_read(),
       k.default_write(), k.write_quorum(),
       k.default_ttl_s() == 0 ? "none" : show_seconds(k.default_ttl_s()),
       k.hash_tags() ? "on" : "off"});
  return result + members.str() + '\n' + keyspaces.str() + statistics_text(s);
}

// Slots that `m` would own if weights could be met exactly: its share of all
// that is owned, in its data centre if replication is per data centre.
double ideal_slots(const wire::StatusReply& s, const wire::MemberStatus& m) {
  auto per_data_centre
    = s.keyspaces_size() > 0
      && s.keyspaces(0).replication().find(':') != std::string::npos;
  double slots = 0;
  double weight = 0;
  for (auto& x : s.members()) {
    if (per_data_centre && x.data_centre() != m.data_centre())
      continue;
    slots += x.slots();
    weight += x.weight();
  }
  return weight == 0 ? 0 : slots * m.weight() / weight;
}

int ring_table(const options& opts, client& kv) {
  auto s = kv.status(opts.request);
  if (auto code = static_cast<errc>(s.code()); code != errc::none)
    return report("ring", {code, s.text(), false, false});
  table t{{"MEMBER", "RACK", "DC", "WEIGHT", "SLOTS", "OF IDEAL"}, {3, 4, 5}};
  auto array = ordered_json::array();
  for (auto& m : s.members()) {
    auto ideal = ideal_slots(s, m);
    auto share = ideal == 0 ? 0 : 100.0 * m.slots() / ideal;
    char text[32];
    std::snprintf(text, sizeof(text), "%.1f%%", share);
    t.add({m.name(), m.rack(), m.data_centre(), std::to_string(m.weight()),
           std::to_string(m.slots()), text});
    array.push_back({{"name", m.name()},
                     {"rack", m.rack()},
                     {"data_centre", m.data_centre()},
                     {"weight", m.weight()},
                     {"slots", m.slots()},
                     {"percent_of_ideal", share}});
  }
  if (opts.json)
    print(ordered_json{{"epoch_generation", s.epoch_generation()},
                       {"epoch_number", s.epoch_number()},
                       {"members", array}}
            .dump(2)
          + '\n');
  else
    print("epoch " + epoch_text(s.epoch_generation(), s.epoch_number()) + "\n\n"
          + t.str());
  return exits::done;
}

template <class Names>
std::string join(const Names& names) {
  std::string result;
  for (auto& name : names)
    result += (result.empty() ? "" : " ") + name;
  return result.empty() ? "none" : result;
}

} // namespace

int run_status(const options& opts, client& kv) {
  auto s = kv.status(opts.request);
  if (auto code = static_cast<errc>(s.code()); code != errc::none)
    return report("status", {code, s.text(), false, false});
  print(opts.json ? status_json(s) : status_text(s));
  return exits::done;
}

int run_ring(const options& opts, client& kv) {
  if (opts.key.empty())
    return ring_table(opts, kv);
  auto r = kv.ring(opts.key, opts.request);
  if (auto code = static_cast<errc>(r.code()); code != errc::none)
    return report("ring", {code, r.text(), false, false});
  if (opts.json) {
    ordered_json object;
    set_bytes(object, "key", opts.key);
    object["slot"] = r.slot();
    object["homes"]
      = std::vector<std::string>{r.homes().begin(), r.homes().end()};
    object["fallbacks"]
      = std::vector<std::string>{r.fallbacks().begin(), r.fallbacks().end()};
    print(object.dump() + '\n');
  } else {
    print("slot       " + std::to_string(r.slot()) + "\nhomes      "
          + join(r.homes()) + "\nfallbacks  " + join(r.fallbacks()) + '\n');
  }
  return exits::done;
}

} // namespace covey::client
