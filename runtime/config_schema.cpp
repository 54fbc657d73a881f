#include "runtime/config_schema.hpp"

#include "runtime/config_section.hpp"

namespace covey::runtime {

namespace {

void add_node(std::vector<knob>& out) {
  section_builder<node_section> add{out, "node", &node_config::node};
  using s = node_section;
  auto& name
    = add.text("name", &s::name, "Name of this node, unique in the cluster.");
  name.required = true;
  name.default_note = "none: required";
  add.text("address", &s::address,
           "IP address or host name that peers and clients connect to.");
  add.number("port", &s::port, 1, 65535, "", "TCP port for peers and clients.");
  auto& directory = add.text("data-directory", &s::data_directory,
                             "Where the node keeps its data.");
  directory.required = true;
  directory.default_note = "none: required";
  add.text("rack", &s::rack, "Rack of this node; replicas spread over racks.");
  add.text("data-centre", &s::data_centre, "Data centre of this node.");
  add.number("weight", &s::weight, 1, 64, "",
             "Share of the data that this node takes, relative to others.");
}

void add_storage(std::vector<knob>& out) {
  section_builder<storage_section> add{out, "storage", &node_config::storage};
  using s = storage_section;
  add.number("shards", &s::shards, 1, 64, "",
             "Parallel parts of the store; fixed when it is created.");
  add.number("cache-mb", &s::cache_mb, 16, 1048576, "megabytes",
             "Memory for data of the storage engine.");
  add.choice("table-type", &s::table_type, {"btree", "lsm"},
             "Layout of the data; fixed when the store is created.");
  add.choice("compression", &s::compression, {"none", "snappy", "zlib"},
             "Compression on disk; fixed when the store is created.");
  add.number("leaf-page-kb", &s::leaf_page_kb, 4, 64, "kilobytes",
             "Size of a leaf page on disk; a multiple of 4.");
  add.choice("durability", &s::durability, {"fsync", "periodic"},
             "What an acknowledged write survives.");
  add.number("checkpoint-interval-s", &s::checkpoint_interval_s, 1, 86400,
             "seconds", "Longest time between two checkpoints.");
  add.number("checkpoint-log-mb", &s::checkpoint_log_mb, 1, 2048, "megabytes",
             "Log written that triggers a checkpoint.");
  add.number("min-free-mb", &s::min_free_mb, 0, 1048576, "megabytes",
             "Free space on disk below which writes are refused.");
  add.flag("detached-shards", &s::detached_shards,
           "Gives every shard a thread of its own.");
}

void add_limits(std::vector<knob>& out) {
  section_builder<limits_section> add{out, "limits", &node_config::limits};
  using s = limits_section;
  add.number("key-bytes", &s::key_bytes, 1, 1024, "bytes",
             "Longest key accepted.");
  add.number("value-bytes", &s::value_bytes, 1, 16777216, "bytes",
             "Largest value accepted.");
  add.number("inflight-requests", &s::inflight_requests, 1, 1000000, "requests",
             "Client requests in the node at once.");
  add.number("inflight-mb", &s::inflight_mb, 32, 1048576, "megabytes",
             "Their bytes in the node at once.");
  add.number("client-inflight-requests", &s::client_inflight_requests, 1,
             1000000, "requests", "Requests of one client at once.");
  add.number("answers-mb", &s::answers_mb, 32, 1048576, "megabytes",
             "Bytes of answers in the node, and under way to clients.");
  add.number("client-answer-mb", &s::client_answer_mb, 1, 65536, "megabytes",
             "Bytes of answers under way to one client.");
  add.number("siblings", &s::siblings, 2, 1024, "siblings",
             "Concurrent values that one key may have.");
  add.number("default-timeout-ms", &s::default_timeout, 1, 3600000,
             "milliseconds", "Deadline of requests that state none.");
  add.number("max-timeout-ms", &s::max_timeout, 1, 3600000, "milliseconds",
             "Longest deadline that a request may state.");
  add.number("clock-drift-ms", &s::clock_drift, 1, 86400000, "milliseconds",
             "How far ahead of ours a stamp of another clock may be.");
  add.number("drain-timeout-ms", &s::drain_timeout, 100, 600000, "milliseconds",
             "How long a stopping node waits for its requests.");
}

void add_links(std::vector<knob>& out) {
  section_builder<links_section> add{out, "links", &node_config::links};
  using s = links_section;
  add.number("heartbeat-ms", &s::heartbeat, 50, 60000, "milliseconds",
             "Time between two heartbeats to a peer.");
  add.number("timeout-ms", &s::timeout, 100, 600000, "milliseconds",
             "Silence after which a peer counts as down.");
  add.number("retry-min-ms", &s::retry_min, 1, 60000, "milliseconds",
             "Wait before the first attempt to reconnect.");
  add.number("retry-max-ms", &s::retry_max, 1, 600000, "milliseconds",
             "Longest wait between two attempts to reconnect.");
  add.number("inflight-mb", &s::inflight_mb, 32, 65536, "megabytes",
             "Bytes sent to one peer and not answered.");
  add.number("inflight-requests", &s::inflight_requests, 1, 1000000, "requests",
             "Requests sent to one peer and not answered.");
  add.number("burst-kb", &s::burst_kb, 4, 16384, "kilobytes",
             "Size at which what is ready for a peer is sent as one message.");
  add.number("read-patience-ms", &s::read_patience, 1, 60000, "milliseconds",
             "How long a read waits for a home before it asks another.");
  add.number("digest-above-bytes", &s::digest_above_bytes, 0, 1u << 30, "bytes",
             "Records up to this size are sent to compare them, not hashed.");
}

void add_gossip(std::vector<knob>& out) {
  section_builder<gossip_section> add{out, "gossip", &node_config::gossip};
  using s = gossip_section;
  add.number("heartbeat-ms", &s::heartbeat, 100, 60000, "milliseconds",
             "Time between two heartbeats, and between rounds of gossip.");
  add.number("fanout", &s::fanout, 1, 16, "peers",
             "Peers that a node gossips with in a round.");
  add.number("probe-ms", &s::probe, 50, 30000, "milliseconds",
             "Time between two probes of a watched peer.");
  add.number("suspect-pause-ms", &s::suspect_pause, 0, 600000, "milliseconds",
             "Unusual silence after which requests go around a peer.");
  add.number("accuse-pause-ms", &s::accuse_pause, 0, 600000, "milliseconds",
             "Unusual silence after which a watcher accuses a peer.");
  add.number("phi", &s::phi, 1, 100, "",
             "How improbable a silence is before it counts: 10^-phi.");
  add.number("accusation-s", &s::accusation, 1, 3600, "seconds",
             "How long an accusation counts that is not renewed.");
  add.number("stalled-ms", &s::stalled, 100, 600000, "milliseconds",
             "Age of an unflushed commit from which a disk has stalled.");
}

void add_hints(std::vector<knob>& out) {
  section_builder<hints_section> add{out, "hints", &node_config::hints};
  using s = hints_section;
  add.number("target-mb", &s::target_mb, 0, 1048576, "megabytes",
             "Hints that this node keeps for one member.");
  add.number("max-age-s", &s::max_age, 60, 31536000, "seconds",
             "Age at which a hint is dropped and its slot marked for repair.");
  add.number("replay-mb-per-s", &s::replay_mb_per_s, 1, 4096,
             "megabytes per second",
             "Rate at which hints are handed over while nobody asks for "
             "anything.");
  add.number("busy-replay-mb-per-s", &s::busy_replay_mb_per_s, 1, 4096,
             "megabytes per second", "The same beside requests.");
  add.number("write-patience-ms", &s::write_patience, 10, 60000, "milliseconds",
             "How long a write waits for a home before it gets a hint.");
  add.number("slow-per-s", &s::slow_per_s, 0, 1000000, "hints per second",
             "Hints for a home that is up, but slow; beyond, its slots are "
             "marked for repair.");
}

void add_repair(std::vector<knob>& out) {
  section_builder<repair_section> add{out, "repair", &node_config::repair};
  using s = repair_section;
  add.number("interval-s", &s::interval, 1, 86400, "seconds",
             "Time between two comparisons of all that is shared with a peer.");
  add.number("mb-per-s", &s::mb_per_s, 1, 4096, "megabytes per second",
             "Rate at which replicas are compared and repaired while nobody "
             "asks for anything.");
  add.number("busy-mb-per-s", &s::busy_mb_per_s, 1, 4096,
             "megabytes per second", "The same beside requests.");
}

void add_operations(std::vector<knob>& out) {
  section_builder<supervisor_section> supervisor{out, "supervisor",
                                                 &node_config::supervisor};
  supervisor.number("restarts", &supervisor_section::restarts, 0, 1000, "",
                    "Restarts within the window before the node gives up.");
  supervisor.number("window-s", &supervisor_section::window, 1, 3600, "seconds",
                    "Window in which restarts are counted.");
  section_builder<log_section> log{out, "log", &node_config::log};
  log.choice("level", &log_section::level,
             {"trace", "debug", "info", "warn", "error", "off"},
             "Least important lines that are logged.");
  log.text("file", &log_section::file,
           "File that the log is appended to; stderr if empty.");
  section_builder<security_section> security{out, "security",
                                             &node_config::security};
  security.text("certificate", &security_section::certificate,
                "PEM file with the node's certificate; no TLS if empty.");
  security.text("key", &security_section::key,
                "PEM file with the private key of the certificate.");
  security.text("ca-file", &security_section::ca_file,
                "PEM file with the CA whose certificates are trusted.");
  security.flag("insecure", &security_section::insecure,
                "Lets anybody who reaches the port do anything, without TLS.");
  section_builder<runtime_section> runtime{out, "runtime",
                                           &node_config::runtime};
  runtime.number("scheduler-threads", &runtime_section::scheduler_threads, 1,
                 64, "threads", "Threads that run the node's actors.");
}

std::vector<knob> make_schema() {
  std::vector<knob> result;
  add_cluster_knobs(result);
  add_node(result);
  add_keyspace_knobs(result);
  add_storage(result);
  add_limits(result);
  add_links(result);
  add_gossip(result);
  add_hints(result);
  add_repair(result);
  add_operations(result);
  return result;
}

} // namespace

const std::vector<knob>& schema() {
  static const std::vector<knob> result = make_schema();
  return result;
}

bool is_keyspace_section(std::string_view name) {
  return name.size() > keyspace_prefix.size()
         && name.substr(0, keyspace_prefix.size()) == keyspace_prefix;
}

const knob* find_knob(std::string_view section, std::string_view key) {
  if (is_keyspace_section(section))
    section = keyspace_section;
  for (auto& k : schema())
    if (k.section == section && k.key == key)
      return &k;
  return nullptr;
}

} // namespace covey::runtime
