#include "client/cluster_options.hpp"

#include <CLI/CLI.hpp>

namespace covey::client {

namespace {

std::vector<node_address> parse_nodes(const std::string& text) {
  std::vector<node_address> result;
  for (size_t from = 0; from <= text.size();) {
    auto to = std::min(text.find(',', from), text.size());
    auto part = text.substr(from, to - from);
    auto node = parse_node_address(part);
    if (!node)
      throw CLI::ValidationError("--node", "'" + part
                                             + "' is not HOST:PORT, e.g. "
                                               "127.0.0.1:7101");
    result.push_back(std::move(*node));
    from = to + 1;
  }
  return result;
}

void check_tls(const network::tls_files& files) {
  if (!files.any())
    return;
  if (files.certificate.empty() || files.key.empty() || files.ca_file.empty())
    throw CLI::ValidationError(
      "TLS", "takes all of --tls-cert, --tls-key and --tls-ca");
  auto problem = network::check(files, network::tls_role::client);
  if (!problem.empty())
    throw CLI::ValidationError("TLS", problem);
}

} // namespace

void add_cluster_options(CLI::App& app, cluster_options& out,
                         raw_cluster_options& raw,
                         const std::string& about_nodes,
                         const std::string& about_keyspace) {
  app.add_option("--node", raw.nodes, about_nodes)
    ->envname("COVEY_NODES")
    ->option_text("HOST:PORT,... (or COVEY_NODES; default 127.0.0.1:7101)");
  app
    .add_option("--tls-cert", out.tls.certificate,
                "Certificate to show to nodes with TLS, in PEM")
    ->envname("COVEY_TLS_CERT")
    ->option_text("FILE (or COVEY_TLS_CERT)");
  app.add_option("--tls-key", out.tls.key, "Its private key")
    ->envname("COVEY_TLS_KEY")
    ->option_text("FILE (or COVEY_TLS_KEY)");
  app.add_option("--tls-ca", out.tls.ca_file, "CA that the nodes belong to")
    ->envname("COVEY_TLS_CA")
    ->option_text("FILE (or COVEY_TLS_CA)");
  app.add_option("--keyspace", out.request.keyspace, about_keyspace)
    ->option_text("NAME (default: default)");
  app
    .add_option("--consistency", out.consistency,
                "How many homes must answer; 'covey --help' lists the levels")
    ->option_text("LEVEL (default: the keyspace's)");
  app
    .add_option("--timeout-ms", raw.timeout_ms,
                "How long each request may take, in milliseconds")
    ->check(CLI::Range(1u, 600'000u))
    ->option_text("1..600000 (default 5000)");
}

void check_cluster_options(cluster_options& out,
                           const raw_cluster_options& raw) {
  out.nodes = parse_nodes(raw.nodes);
  check_tls(out.tls);
  if (!out.consistency.empty()) {
    auto level = core::parse_consistency(out.consistency);
    if (!level)
      throw CLI::ValidationError("--consistency",
                                 "'" + out.consistency
                                   + "' is no level; see 'covey --help'");
    out.request.level = *level;
  }
  out.request.timeout = std::chrono::milliseconds{raw.timeout_ms};
}

} // namespace covey::client
