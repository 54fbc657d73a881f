#include "bench/cpu.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unistd.h>

namespace covey::bench {

namespace {

double ticks_to_seconds(uint64_t ticks) {
  static const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return static_cast<double>(ticks) / per_second;
}

/// Empty if the file cannot be read.
std::string read_file(const std::string& path) {
  std::ifstream in{path};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

process_cpu between(const process_cpu& later, const process_cpu& earlier) {
  auto result = later;
  result.gone = later.gone || earlier.gone;
  result.seconds
    = result.gone ? 0 : std::max(0.0, later.seconds - earlier.seconds);
  // Threads that have ended took their count with them.
  result.switches = result.gone || later.switches < earlier.switches
                      ? 0
                      : later.switches - earlier.switches;
  return result;
}

} // namespace

std::optional<uint64_t> parse_process_stat(std::string_view text) {
  auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos)
    return std::nullopt;
  std::istringstream fields{std::string{text.substr(name_end + 1)}};
  // State, which is field 3, to field 13.
  std::string skipped;
  for (int field = 3; field <= 13; ++field)
    fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!(fields >> user >> system))
    return std::nullopt;
  return user + system;
}

uint64_t parse_switches(std::string_view text) {
  std::istringstream lines{std::string{text}};
  uint64_t result = 0;
  for (std::string name; lines >> name;) {
    uint64_t count = 0;
    if ((name == "voluntary_ctxt_switches:"
         || name == "nonvoluntary_ctxt_switches:")
        && lines >> count)
      result += count;
  }
  return result;
}

process_cpu read_process_cpu(pid_t pid) {
  process_cpu result;
  result.pid = pid;
  auto folder = "/proc/" + std::to_string(pid);
  auto ticks = parse_process_stat(read_file(folder + "/stat"));
  if (!ticks) {
    result.gone = true;
    return result;
  }
  result.seconds = ticks_to_seconds(*ticks);
  // Ends early if the process does.
  std::error_code error;
  std::filesystem::directory_iterator task{folder + "/task", error};
  for (; !error && task != std::filesystem::directory_iterator{};
       task.increment(error))
    result.switches
      += parse_switches(read_file(task->path().string() + "/status"));
  return result;
}

machine_cpu parse_machine_stat(std::string_view text) {
  std::istringstream fields{std::string{text}};
  std::string name;
  // user nice system idle iowait irq softirq steal
  uint64_t ticks[8] = {};
  fields >> name;
  for (auto& x : ticks)
    fields >> x;
  machine_cpu result;
  result.busy
    = ticks_to_seconds(ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]);
  result.steal = ticks_to_seconds(ticks[7]);
  return result;
}

double cpu_usage::server_seconds() const {
  double result = 0;
  for (const auto& x : servers)
    result += x.seconds;
  return result;
}

uint64_t cpu_usage::switches() const {
  auto result = own.switches;
  for (const auto& x : servers)
    result += x.switches;
  return result;
}

double cpu_usage::other_seconds() const {
  return std::max(0.0, machine.busy - server_seconds() - own.seconds);
}

cpu_usage read_cpu_usage(const std::vector<pid_t>& servers) {
  cpu_usage result;
  for (auto pid : servers)
    result.servers.push_back(read_process_cpu(pid));
  result.own = read_process_cpu(::getpid());
  result.machine = parse_machine_stat(read_file("/proc/stat"));
  return result;
}

cpu_usage operator-(const cpu_usage& later, const cpu_usage& earlier) {
  cpu_usage result;
  for (size_t i = 0; i < later.servers.size(); ++i)
    result.servers.push_back(between(later.servers[i], earlier.servers[i]));
  result.own = between(later.own, earlier.own);
  result.machine.busy = later.machine.busy - earlier.machine.busy;
  result.machine.steal = later.machine.steal - earlier.machine.steal;
  return result;
}

} // namespace covey::bench
