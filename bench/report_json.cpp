#include "bench/report.hpp"
#include "client/options.hpp"

#include <nlohmann/json.hpp>

namespace covey::bench {

namespace {

using json = nlohmann::ordered_json;

double ms(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

json to_json(const histogram& x) {
  json result;
  result["count"] = x.count();
  result["mean"] = x.mean() / 1e6;
  result["p50"] = ms(x.quantile(0.5));
  result["p95"] = ms(x.quantile(0.95));
  result["p99"] = ms(x.quantile(0.99));
  result["p99.9"] = ms(x.quantile(0.999));
  result["max"] = ms(x.max());
  return result;
}

json latencies(const measurements& x) {
  json result;
  result["all"] = to_json(x.all());
  for (size_t i = 0; i < op_kinds; ++i)
    if (x.latency[i].count() > 0)
      result[to_string(static_cast<op_kind>(i))] = to_json(x.latency[i]);
  if (x.failed.count() > 0)
    result["failed"] = to_json(x.failed);
  if (x.late.count() > 0)
    result["sent_late"] = to_json(x.late);
  return result;
}

json cpu(const phase_result& x) {
  json result;
  auto operations = static_cast<double>(x.in_time);
  auto per_1000 = [&](double seconds) {
    return x.in_time == 0 ? json{} : json(seconds * 1000 / operations);
  };
  result["servers_s_per_1000_operations"]
    = x.cpu.servers.empty() ? json{} : per_1000(x.cpu.server_seconds());
  result["own_s_per_1000_operations"] = per_1000(x.cpu.own.seconds);
  result["context_switches_per_operation"]
    = x.in_time == 0 ? json{}
                     : json(static_cast<double>(x.cpu.switches()) / operations);
  result["servers"] = json::array();
  for (const auto& server : x.cpu.servers)
    result["servers"].push_back({{"pid", server.pid},
                                 {"ended", server.gone},
                                 {"cpu_s", server.seconds},
                                 {"context_switches", server.switches}});
  result["own_cpu_s"] = x.cpu.own.seconds;
  result["other_cores"] = x.seconds > 0 ? x.cpu.other_seconds() / x.seconds : 0;
  result["steal_cores"] = x.seconds > 0 ? x.cpu.machine.steal / x.seconds : 0;
  return result;
}

json to_json(const phase_result& x) {
  json result;
  result["seconds"] = x.seconds;
  result["operations"] = x.in_time;
  result["throughput"] = x.throughput();
  result["interrupted"] = x.interrupted;
  result["error_count"] = x.total.error_count();
  result["errors"] = x.total.named_errors();
  result["unanswered"] = x.unanswered;
  result["not_found"] = x.total.not_found;
  result["siblings"] = x.total.siblings;
  result["latency_ms"] = latencies(x.total);
  result["cpu"] = cpu(x);
  result["series"] = json::array();
  for (size_t i = 0; i < x.series.size(); ++i) {
    const auto& s = x.series[i];
    result["series"].push_back({{"second", i + 1},
                                {"operations", s.succeeded},
                                {"errors", s.errors},
                                {"p50_ms", ms(s.p50)},
                                {"p99_ms", ms(s.p99)},
                                {"max_ms", ms(s.max)}});
  }
  return result;
}

} // namespace

std::string to_json(const report& x) {
  const auto& o = x.asked;
  json result;
  result["version"] = client::version;
  result["workload"] = o.load.name;
  result["distribution"] = to_string(o.load.keys);
  result["keyspace"] = o.request.keyspace;
  result["consistency"] = o.consistency.empty() ? json{} : json(o.consistency);
  result["keys"] = o.keys;
  result["value_bytes"] = o.values.size;
  result["compressible"] = o.values.compressible;
  result["connections"] = o.connections;
  result["clients"] = o.rate > 0 ? json{} : json(o.clients);
  result["rate"] = o.rate > 0 ? json(o.rate) : json{};
  result["retries"] = o.retries;
  result["seed"] = o.seed;
  result["load"] = x.fill ? to_json(*x.fill) : json{};
  result["run"] = x.run ? to_json(*x.run) : json{};
  return result.dump();
}

} // namespace covey::bench
