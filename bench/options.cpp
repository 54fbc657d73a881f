#include "bench/options.hpp"

#include "client/options.hpp"

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>

namespace covey::bench {

namespace {

constexpr const char* description
  = "covey-bench loads a cluster of coveyd through the client library, and "
    "reports\nthroughput, latencies, errors and CPU time.";

constexpr const char* footer = R"(
Workloads (A to F are those of YCSB), and the keys they choose:
  A  50 % reads, 50 % updates            zipfian
  B  95 % reads, 5 % updates             zipfian
  C  reads                               zipfian
  D  95 % reads, 5 % inserts             latest
  E  95 % scans of 1 to 100 keys, 5 % inserts   zipfian
  F  50 % reads, 50 % read-modify-writes zipfian
  W  updates                             uniform

Updates are blind, so the keyspace should be of policy lww: in one of policy
siblings they pile up. A read-modify-write gives the context of its read.

Closed loop: --clients requests are always under way. Open loop, with --rate:
requests start on time whatever became of those before, and latency counts from
when they were to start.

Exit codes:
  0  done
  2  usage
  3  unavailable, timed out, overloaded, or ended early: see the report
  5  rejected: too large, unknown keyspace, bad value
With several kinds of errors, that of the most frequent.

Examples:
  covey-bench --load --workload A --clients 64
  covey-bench --workload W --rate 2000 --duration-s 30 --pids 101,102,103
  covey-bench --load --duration-s 0            # only puts all keys
bench/README.md says how to read the report.)";

// What CLI11 fills, before it is checked.
struct raw_options {
  client::raw_cluster_options cluster;
  std::string workload = "A";
  std::string keys;
  std::string servers;
  uint32_t duration_s = 10;
  uint32_t warm_up_s = 1;
};

template <class T>
CLI::Option& add_number(CLI::App& app, const char* name, T& out, T least,
                        T most, const char* help, const char* text) {
  return *app.add_option(name, out, help)
            ->check(CLI::Range(least, most))
            ->option_text(text);
}

void add_cluster_options(CLI::App& app, options& out, raw_options& raw) {
  client::add_cluster_options(
    app, out, raw.cluster,
    "Nodes to begin with; connection i begins with node i",
    "Its keys are overwritten");
  add_number(app, "--retries", out.retries, 0u, 100u,
             "How often the library repeats a request, where that is safe",
             "0..100 (default 2)");
}

void add_load_options(CLI::App& app, options& out, raw_options& raw) {
  app.add_option("--workload", raw.workload, "See below")
    ->option_text("A..F, W (default A)");
  app
    .add_option("--distribution", raw.keys,
                "Which keys, instead of what the workload chooses")
    ->option_text("uniform, zipfian, latest");
  add_number(app, "--keys", out.keys, uint64_t{1}, uint64_t{1'000'000'000},
             "How many keys there are, of 16 bytes each",
             "1..1000000000 (default 100000)");
  add_number(app, "--value-size", out.values.size, size_t{0}, size_t{64} << 20,
             "Bytes of each value", "BYTES (default 100)");
  app.add_flag("--compressible", out.values.compressible,
               "Values of repeated letters instead of random bytes");
  app.add_flag("--load", out.fill, "Put every key once before the run");
  add_number(app, "--clients", out.clients, size_t{1}, size_t{16'000},
             "Closed loop: requests under way", "1..16000 (default 64)");
  add_number(app, "--connections", out.connections, size_t{1}, size_t{64},
             "Client objects that share the load, each with its connection",
             "1..64 (default 1)");
  add_number(app, "--rate", out.rate, 0.001, 10e6,
             "Open loop: requests a second", "0.001..10000000");
  add_number(app, "--max-in-flight", out.max_in_flight, size_t{1},
             size_t{16'000},
             "Open loop: requests under way; those beyond it are sent later",
             "1..16000 (default 4096)");
  add_number(app, "--duration-s", raw.duration_s, 0u, 1'000'000u,
             "How long to measure; 0: no run, just --load",
             "SECONDS (default 10)");
  add_number(app, "--warm-up-s", raw.warm_up_s, 0u, 1'000'000u,
             "How long to run before, without measuring",
             "SECONDS (default 1)");
  add_number(app, "--seed", out.seed, uint64_t{0}, UINT64_MAX,
             "Choose other operations, keys and values", "N (default 1)");
}

void add_report_options(CLI::App& app, options& out, raw_options& raw) {
  app
    .add_option("--pids", raw.servers,
                "Processes whose CPU time to report: those of the nodes")
    ->option_text("PID,...");
  app.add_flag("--series", out.series, "Report every second, too");
  app.add_flag("--json", out.json,
               "Write one JSON object, with the series, for programs");
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version",
                       std::string{"covey-bench "} + client::version,
                       "Print the version and exit");
  app.footer(footer);
}

/// Calls `take` for each part of `text` between commas.
template <class F>
void split(const std::string& text, F take) {
  for (size_t from = 0; from <= text.size();) {
    auto to = std::min(text.find(',', from), text.size());
    take(text.substr(from, to - from));
    from = to + 1;
  }
}

pid_t parse_pid(const std::string& text) {
  pid_t result = 0;
  if (!CLI::detail::lexical_cast(text, result) || result <= 0)
    throw CLI::ValidationError("--pids",
                               "'" + text + "' is no process id, e.g. 4711");
  return result;
}

workload parse_load(const raw_options& raw) {
  auto result = parse_workload(raw.workload);
  if (!result)
    throw CLI::ValidationError("--workload", "'" + raw.workload
                                               + "' is none of A, B, C, D, E, "
                                                 "F and W");
  if (raw.keys.empty())
    return *result;
  auto keys = parse_key_choice(raw.keys);
  if (!keys)
    throw CLI::ValidationError("--distribution", "'" + raw.keys
                                                   + "' is none of uniform, "
                                                     "zipfian and latest");
  result->keys = *keys;
  return *result;
}

// Options that make no sense together.
void check_together(const options& out, const CLI::App& app) {
  auto given = [&app](const char* name) {
    return app.count(name) > 0;
  };
  auto refuse = [](bool wrong, const char* name, const char* why) {
    if (wrong)
      throw CLI::ValidationError(name, why);
  };
  // It passes every comparison with the bounds.
  refuse(std::isnan(out.rate), "--rate", "'nan' is no rate");
  refuse(given("--rate") && given("--clients"), "--clients",
         "is for the closed loop, --rate for the open one: give one of them");
  refuse(given("--max-in-flight") && !given("--rate"), "--max-in-flight",
         "is for the open loop: give --rate as well");
  refuse(out.duration.count() == 0 && !out.fill, "--duration-s",
         "0 without --load leaves nothing to do");
  refuse(out.connections > (out.rate > 0 ? out.max_in_flight : out.clients),
         "--connections", "more of them than requests may be under way");
}

// Translates what CLI11 filled; throws CLI::ValidationError.
void check(options& out, const raw_options& raw, const CLI::App& app) {
  check_cluster_options(out, raw.cluster);
  if (!raw.servers.empty())
    split(raw.servers, [&](const std::string& part) {
      out.servers.push_back(parse_pid(part));
    });
  out.load = parse_load(raw);
  out.duration = std::chrono::seconds{raw.duration_s};
  out.warm_up = std::chrono::seconds{raw.warm_up_s};
  out.values.seed = out.seed;
  check_together(out, app);
}

} // namespace

std::variant<options, int> parse_options(int argc, const char* const* argv) {
  options result;
  raw_options raw;
  CLI::App app{description, "covey-bench"};
  app.get_formatter()->column_width(32);
  add_cluster_options(app, result, raw);
  add_load_options(app, result, raw);
  add_report_options(app, result, raw);
  try {
    app.parse(argc, const_cast<char**>(argv));
    check(result, raw, app);
  } catch (const CLI::Success& request) {
    app.exit(request, std::cout, std::cerr);
    return 0;
  } catch (const CLI::ParseError& wrong) {
    std::cerr << "covey-bench: usage: " << wrong.what()
              << ". Run 'covey-bench --help' for how to use it.\n";
    return 2;
  }
  return result;
}

} // namespace covey::bench
