// covey members: who is up, suspect or down, and who says so.

#include "client/commands.hpp"
#include "client/report.hpp"
#include "client/table.hpp"
#include "core/liveness.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace covey::client {

namespace {

using nlohmann::ordered_json;

const char* health_of(const wire::MemberStatus& m) {
  switch (static_cast<core::health>(m.health())) {
    case core::health::suspect:
      return "suspect";
    case core::health::down:
      return "down";
    default:
      return "up";
  }
}

/// How long it has been so, on the clock of the node that says it.
uint64_t lasts_ms(const wire::StatusReply& s, const wire::MemberStatus& m) {
  if (m.since_us() == 0 || m.since_us() > s.clock_us())
    return 0;
  return (s.clock_us() - m.since_us()) / 1000;
}

ordered_json members_json(const wire::StatusReply& s) {
  auto members = ordered_json::array();
  for (auto& m : s.members())
    members.push_back(
      {{"name", m.name()},
       {"id", m.id()},
       {"address", m.address()},
       {"rack", m.rack()},
       {"data_centre", m.data_centre()},
       {"state", health_of(m)},
       {"since_us", m.since_us()},
       {"for_ms", lasts_ms(s, m)},
       {"accusers",
        std::vector<std::string>{m.accusers().begin(), m.accusers().end()}},
       {"run", m.run()},
       {"heartbeat", m.heartbeat()},
       {"heartbeat_age_ms", m.heartbeat_age_ms()},
       {"round_trip_us", m.round_trip_us()},
       {"connected", m.up()},
       {"stalled", m.stalled()},
       {"catching_up", m.catching_up()},
       {"requests_in_flight", m.load()},
       {"unflushed_ms", m.unflushed_ms()}});
  return {{"node", s.node()}, {"members", members}};
}

std::string according_to(const wire::MemberStatus& m) {
  std::string result;
  for (auto& name : m.accusers())
    result += (result.empty() ? "" : " ") + name;
  return result.empty() ? "-" : result;
}

std::string state_text(const wire::MemberStatus& m) {
  std::string result = health_of(m);
  if (m.stalled())
    result += ", disk stalled";
  if (m.catching_up())
    result += ", catching up";
  return result;
}

std::string members_text(const wire::StatusReply& s) {
  table t{{"MEMBER", "ID", "ADDRESS", "RACK", "DC", "STATE", "FOR",
           "ACCORDING TO", "RUN", "HEARTBEAT", "ROUND TRIP"},
          {6, 8, 9, 10}};
  for (auto& m : s.members()) {
    auto other = m.name() != s.node();
    auto met = m.run() != 0;
    t.add({m.name(), m.id().substr(0, 8), m.address(), m.rack(),
           m.data_centre(), state_text(m), show_seconds(lasts_ms(s, m) / 1000),
           according_to(m), met ? std::to_string(m.run()) : "-",
           met && other ? show_microseconds(m.heartbeat_age_ms() * 1000) : "-",
           m.up() && other ? show_microseconds(m.round_trip_us()) : "-"});
  }
  return "members of " + s.cluster() + ", as " + s.node() + " sees them\n\n"
         + t.str();
}

} // namespace

int run_members(const options& opts, client& kv) {
  auto s = kv.status(opts.request);
  if (auto code = static_cast<errc>(s.code()); code != errc::none)
    return report("members", {code, s.text(), false, false});
  auto text = opts.json ? members_json(s).dump(2) + '\n' : members_text(s);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return exits::done;
}

} // namespace covey::client
