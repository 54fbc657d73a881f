// CPU time and context switches of processes, and of the machine around them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace covey::bench {

struct process_cpu {
  pid_t pid = 0;
  /// User and system time, to the clock tick (10 ms).
  double seconds = 0;
  /// Of the threads that live, voluntary or not.
  uint64_t switches = 0;
  /// It has ended: its figures are missing.
  bool gone = false;
};

/// User and system ticks in the text of /proc/PID/stat; nothing if it is not
/// such a text. The name in it may hold anything.
std::optional<uint64_t> parse_process_stat(std::string_view text);
/// Both kinds of context switches in the text of /proc/PID/task/TID/status.
uint64_t parse_switches(std::string_view text);

/// Since the process started.
process_cpu read_process_cpu(pid_t pid);

/// CPU seconds since boot, over all cores.
struct machine_cpu {
  double busy = 0;
  /// That the host gave to others.
  double steal = 0;
};

/// Of the text of /proc/stat.
machine_cpu parse_machine_stat(std::string_view text);

/// What all had used up to a moment; or between two of them.
struct cpu_usage {
  std::vector<process_cpu> servers;
  process_cpu own;
  machine_cpu machine;

  double server_seconds() const;
  uint64_t switches() const;
  /// CPU seconds that neither the servers nor this process used.
  double other_seconds() const;
};

cpu_usage read_cpu_usage(const std::vector<pid_t>& servers);

/// What was used between two readings of the same processes.
cpu_usage operator-(const cpu_usage& later, const cpu_usage& earlier);

} // namespace covey::bench
