#include "bench/report.hpp"

#include <cstdarg>
#include <cstdio>

namespace covey::bench {

namespace {

/// Appends what printf would print.
__attribute__((format(printf, 2, 3))) void add(std::string& out,
                                               const char* format, ...) {
  char line[512];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  out += line;
}

using number = unsigned long long;

double ms(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

void add_latencies(std::string& out, const char* name, const histogram& x) {
  if (x.count() == 0)
    return;
  add(out, "  %-8s %10llu %9.3f %9.3f %9.3f %9.3f %9.3f\n", name,
      number{x.count()}, ms(x.quantile(0.5)), ms(x.quantile(0.95)),
      ms(x.quantile(0.99)), ms(x.quantile(0.999)), ms(x.max()));
}

void add_latency_table(std::string& out, const measurements& x) {
  out += "  latency, ms    count       p50       p95       p99     p99.9  "
         "     max\n";
  size_t kinds = 0;
  for (size_t i = 0; i < op_kinds; ++i)
    kinds += x.latency[i].count() > 0 ? 1 : 0;
  if (kinds != 1)
    add_latencies(out, "all", x.all());
  for (size_t i = 0; i < op_kinds; ++i)
    add_latencies(out, to_string(static_cast<op_kind>(i)), x.latency[i]);
  add_latencies(out, "failed", x.failed);
  add_latencies(out, "sent late", x.late);
}

void add_errors(std::string& out, const phase_result& x) {
  add(out, "  errors         %llu", number{x.total.error_count()});
  auto separator = ": ";
  for (const auto& [name, count] : x.total.named_errors()) {
    add(out, "%s%s %llu", separator, name.c_str(), number{count});
    separator = ", ";
  }
  out += '\n';
  if (x.unanswered > 0)
    add(out, "  never answered %llu\n", number{x.unanswered});
  if (x.total.not_found > 0)
    add(out, "  not found      %llu\n", number{x.total.not_found});
  if (x.total.siblings > 0)
    add(out, "  siblings       %llu\n", number{x.total.siblings});
}

void add_cpu(std::string& out, const phase_result& x) {
  if (x.in_time == 0)
    return;
  auto operations = static_cast<double>(x.in_time);
  if (!x.cpu.servers.empty()) {
    add(out, "  servers        %.4f CPU s per 1,000 operations (",
        x.cpu.server_seconds() * 1000 / operations);
    auto separator = "";
    for (const auto& server : x.cpu.servers) {
      if (server.gone)
        add(out, "%s%d: ended", separator, int{server.pid});
      else
        add(out, "%s%d: %.2f s", separator, int{server.pid}, server.seconds);
      separator = ", ";
    }
    out += ")\n";
  }
  add(out, "  covey-bench    %.4f CPU s per 1,000 operations\n",
      x.cpu.own.seconds * 1000 / operations);
  add(out, "  switches       %.1f an operation, over all these processes\n",
      static_cast<double>(x.cpu.switches()) / operations);
  add(out, "  noise          others used %.2f cores, the host took %.2f\n",
      x.cpu.other_seconds() / x.seconds, x.cpu.machine.steal / x.seconds);
}

void add_series(std::string& out, const phase_result& x) {
  out += "  second      op/s    errors       p50       p99       max\n";
  for (size_t i = 0; i < x.series.size(); ++i) {
    const auto& s = x.series[i];
    add(out, "  %6zu %9llu %9llu %9.3f %9.3f %9.3f\n", i + 1,
        number{s.succeeded}, number{s.errors}, ms(s.p50), ms(s.p99), ms(s.max));
  }
}

void add_phase(std::string& out, const phase_result& x, bool series) {
  add(out, "  throughput     %.0f operations/s (%llu in %.2f s)%s\n",
      x.throughput(), number{x.in_time}, x.seconds,
      x.interrupted ? ", ended early" : "");
  add_errors(out, x);
  add_latency_table(out, x.total);
  add_cpu(out, x);
  if (series)
    add_series(out, x);
}

void add_head(std::string& out, const options& o) {
  auto level = o.consistency.empty() ? std::string{"keyspace's consistency"}
                                     : o.consistency;
  add(out, "workload %s, %s keys, %llu keys, %zu bytes a value, %s, ",
      o.load.name.c_str(), to_string(o.load.keys), number{o.keys},
      o.values.size, level.c_str());
  if (o.rate > 0)
    add(out, "open loop at %g/s", o.rate);
  else
    add(out, "closed loop of %zu", o.clients);
  add(out, ", %zu connection%s\n", o.connections,
      o.connections == 1 ? "" : "s");
}

} // namespace

std::string to_text(const report& x) {
  std::string out;
  if (x.fill) {
    add(out, "load: %llu keys, %zu bytes a value\n", number{x.asked.keys},
        x.asked.values.size);
    add_phase(out, *x.fill, false);
  }
  if (x.run) {
    add_head(out, x.asked);
    add_phase(out, *x.run, x.asked.series);
  }
  return out;
}

} // namespace covey::bench
