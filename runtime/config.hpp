// A node's configuration: the values, and how they come from file and command
// line.

#pragma once

#include "core/epoch.hpp"
#include "runtime/logging.hpp"
#include "storage/wiredtiger_engine.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace covey::runtime {

/// DO NOT REORDER: the schema lists the names in this order.
enum class durability_mode : uint8_t {
  /// Acknowledged writes are fsynced.
  fsync,
  /// They are written, and fsynced once a second.
  periodic,
};

struct node_section {
  std::string name;
  std::string address = "127.0.0.1";
  uint16_t port = 7101;
  std::string data_directory;
  std::string rack = "r1";
  std::string data_centre = "dc1";
  uint32_t weight = 1;
};

struct storage_section {
  uint32_t shards = 1;
  uint64_t cache_mb = 256;
  storage::table_type table_type = storage::table_type::btree;
  storage::compression compression = storage::compression::none;
  uint32_t leaf_page_kb = 4;
  durability_mode durability = durability_mode::fsync;
  uint32_t checkpoint_interval_s = 30;
  uint64_t checkpoint_log_mb = 128;
  uint64_t min_free_mb = 512;
  bool detached_shards = false;
};

struct limits_section {
  uint32_t key_bytes = 1024;
  uint32_t value_bytes = 1048576;
  uint32_t inflight_requests = 20000;
  uint64_t inflight_mb = 256;
  uint32_t client_inflight_requests = 4096;
  uint64_t answers_mb = 256;
  uint64_t client_answer_mb = 16;
  uint32_t siblings = 64;
  std::chrono::milliseconds default_timeout{5000};
  std::chrono::milliseconds max_timeout{600000};
  std::chrono::milliseconds clock_drift{60000};
  std::chrono::milliseconds drain_timeout{10000};
};

struct links_section {
  std::chrono::milliseconds heartbeat{500};
  std::chrono::milliseconds timeout{3000};
  std::chrono::milliseconds retry_min{50};
  std::chrono::milliseconds retry_max{2000};
  uint64_t inflight_mb = 64;
  uint32_t inflight_requests = 50000;
  uint32_t burst_kb = 256;
  std::chrono::milliseconds read_patience{100};
  uint64_t digest_above_bytes = 1024;
};

struct gossip_section {
  std::chrono::milliseconds heartbeat{1000};
  uint32_t fanout = 3;
  std::chrono::milliseconds probe{500};
  std::chrono::milliseconds suspect_pause{1000};
  std::chrono::milliseconds accuse_pause{3500};
  uint32_t phi = 8;
  std::chrono::seconds accusation{120};
  std::chrono::milliseconds stalled{5000};
};

struct hints_section {
  uint64_t target_mb = 1024;
  std::chrono::seconds max_age{86400};
  uint64_t replay_mb_per_s = 32;
  uint64_t busy_replay_mb_per_s = 4;
  std::chrono::milliseconds write_patience{500};
  uint32_t slow_per_s = 200;
};

struct repair_section {
  std::chrono::seconds interval{60};
  uint64_t mb_per_s = 32;
  uint64_t busy_mb_per_s = 4;
};

struct supervisor_section {
  uint32_t restarts = 5;
  std::chrono::seconds window{60};
};

struct log_section {
  log_level level = log_level::info;
  /// Empty means stderr.
  std::string file;
};

struct security_section {
  /// All three are set, or none: then there is no TLS.
  std::string certificate;
  std::string key;
  std::string ca_file;
  bool insecure = false;

  bool tls() const {
    return !certificate.empty();
  }
};

struct runtime_section {
  uint32_t scheduler_threads = 1;
};

/// Checked values of every knob; configs/annotated.conf says what each does.
struct node_config {
  node_section node;
  storage_section storage;
  limits_section limits;
  links_section links;
  gossip_section gossip;
  hints_section hints;
  repair_section repair;
  supervisor_section supervisor;
  log_section log;
  security_section security;
  runtime_section runtime;
  /// Generation 1, number 1; passes core::validate.
  core::epoch epoch;
  /// This node in `epoch.members`.
  core::member_index self = 0;
};

/// Exactly one of the three is there.
struct parse_result {
  std::optional<node_config> config;
  /// What --help, --version or --dump-config asked for: print it and exit 0.
  std::string text;
  /// One line for each problem: print them to stderr and exit 1.
  std::vector<std::string> errors;
};

/// Version of coveyd, as `--version` prints it.
inline constexpr const char* version = "0.1.0";

/// Reads the command line and the file that it names. Opens nothing else: the
/// data directory and the log file are for the caller to try.
parse_result parse_node_config(int argc, const char* const* argv);

/// The same, without the program's name.
parse_result parse_node_config(const std::vector<std::string>& arguments);

} // namespace covey::runtime
