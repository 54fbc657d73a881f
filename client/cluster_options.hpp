// Which cluster to talk to, and how: command line options of every program that
// is a client.

#pragma once

#include "client/client.hpp"

#include <string>
#include <vector>

namespace CLI {

class App;

} // namespace CLI

namespace covey::client {

struct cluster_options {
  std::vector<node_address> nodes;
  network::tls_files tls;
  /// Keyspace, level and timeout.
  request_options request;
  /// The level as it was given; empty for the keyspace's.
  std::string consistency;
};

/// As CLI11 fills them, before they are checked.
struct raw_cluster_options {
  std::string nodes = "127.0.0.1:7101";
  uint32_t timeout_ms = 5000;
};

/// --node, --tls-..., --keyspace, --consistency, --timeout-ms, with the
/// environment that stands for them. `about_nodes` and `about_keyspace` are
/// what the program does with those.
void add_cluster_options(CLI::App& app, cluster_options& out,
                         raw_cluster_options& raw,
                         const std::string& about_nodes,
                         const std::string& about_keyspace);

/// Translates what was given; throws CLI::ValidationError.
void check_cluster_options(cluster_options& out,
                           const raw_cluster_options& raw);

} // namespace covey::client
