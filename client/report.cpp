#include "client/report.hpp"

#include <cstdio>

namespace covey::client {

int exit_code(errc code) {
  switch (code) {
    case errc::none:
      return exits::done;
    case errc::empty_key:
    case errc::key_too_large:
    case errc::value_too_large:
    case errc::unknown_keyspace:
    case errc::unknown_level:
    case errc::bad_context:
    case errc::too_many_siblings:
    case errc::bad_message:
    case errc::wrong_cluster:
    case errc::change_refused:
      return exits::rejected;
    default:
      return exits::unavailable;
  }
}

std::string advice(errc code) {
  switch (code) {
    case errc::none:
      return "";
    case errc::overloaded:
      return "Try again later, or send fewer requests at once";
    case errc::unavailable:
      return "Check that the nodes run ('covey status'), name more of them "
             "with "
             "--node, or ask for less with --consistency";
    case errc::timed_out:
      return "Look for slow or dead members with 'covey status', or give more "
             "time with --timeout-ms";
    case errc::quorum_not_met:
      return "Look for members that are down with 'covey status', or ask for "
             "less with --consistency";
    case errc::connection_lost:
      return "Try again; name several nodes with --node, so that one can fail";
    case errc::shutting_down:
      return "Try again at another node, given with --node";
    case errc::empty_key:
      return "Give a key of at least one byte";
    case errc::key_too_large:
      return "Shorten the key";
    case errc::value_too_large:
      return "Split the value, or raise the limit in the configuration of the "
             "nodes";
    case errc::unknown_keyspace:
      return "Choose one that 'covey status' lists with --keyspace";
    case errc::unknown_level:
      return "Use a level that 'covey --help' lists";
    case errc::deadline_expired:
      return "Give more time with --timeout-ms";
    case errc::bad_context:
      return "Get the key again, and use the context of that answer";
    case errc::too_many_siblings:
      return "Read them with 'covey get KEY --json', merge, and put the result "
             "with --context";
    case errc::clock_skew:
      return "Set the clocks of the nodes right, then try again";
    case errc::bad_message:
      return "Use a covey command of the same version as the nodes";
    case errc::disk_full:
      return "Free disk space on the nodes, or add nodes; reads still work";
    case errc::storage_failed:
      return "Look at the log and at the disk of the node";
    case errc::disk_lost:
      return "Look at the log of the node: its data directory lacks data";
    case errc::stale_epoch:
    case errc::behind:
    case errc::not_owner:
      return "Try again: the members are changing";
    case errc::change_refused:
      return "Nothing was changed; 'covey status' shows what there is";
    case errc::wrong_cluster:
      return "Check the addresses given with --node";
  }
  return "Use a covey command of the same version as the nodes";
}

std::string error_line(const std::string& command, const failure& f) {
  auto line = "covey: " + command + ": " + to_string(f.code);
  if (!f.text.empty())
    line += ": " + f.text;
  if (f.is_write)
    line += f.maybe_written
              ? "; the write may have happened: read the key to know"
              : "; nothing was written";
  line += ". " + advice(f.code) + '.';
  for (auto& c : line)
    if (c == '\n' || c == '\r')
      c = ' ';
  return line;
}

int report(const std::string& command, const failure& f) {
  std::fprintf(stderr, "%s\n", error_line(command, f).c_str());
  return exit_code(f.code);
}

} // namespace covey::client
