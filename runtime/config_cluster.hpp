// From the sections [cluster], [node] and [keyspaces] to an epoch.

#pragma once

#include "runtime/config_schema.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace covey::runtime {

/// The text form of a member, as `cluster.members` lists it:
/// "n1=127.0.0.1:7101 rack=r1 dc=dc1 weight=1", where all after the port may
/// be left out. A numeric IPv6 address stands in square brackets.
std::string member_text(const core::member& x);

/// Parses that form into `result`, without an id. Returns what is wrong with
/// it, or an empty string.
std::string parse_member(std::string_view text, core::member& result);

/// True for what may be a host name or an IP address.
bool is_host(std::string_view x);

/// True for addresses that only processes of this machine can reach.
bool is_loopback(const std::string& address);

/// Fills in what [node] leaves to the members' list, builds the epoch and
/// checks what concerns several knobs. Returns one line for each problem.
std::vector<std::string> complete(config_draft& draft);

} // namespace covey::runtime
