#include "bench/runner.hpp"

#include "client/options.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace covey::bench {

namespace {

/// Putting all keys has no figures to spoil: many at once are fastest.
constexpr size_t fill_clients = 512;
/// What a request may take longer than its timeout before it counts as never
/// answered.
constexpr auto grace = std::chrono::seconds{10};

client::settings client_settings(const options& asked, size_t connection) {
  client::settings result;
  result.nodes = asked.nodes;
  auto first = connection % result.nodes.size();
  std::rotate(result.nodes.begin(),
              result.nodes.begin() + static_cast<ptrdiff_t>(first),
              result.nodes.end());
  result.agent = std::string{"covey-bench "} + client::version;
  result.retries = asked.retries;
  result.tls = asked.tls;
  return result;
}

/// A line that the next one overwrites, for who watches.
std::function<void(const second&)> progress_line(const char* name) {
  if (::isatty(STDERR_FILENO) != 1)
    return {};
  return [name, sum = uint64_t{0}](const second& s) mutable {
    sum += s.succeeded;
    std::fprintf(stderr,
                 "\r\033[K%s: %llu done, %llu/s, p99 %.3f ms, %llu errors",
                 name, static_cast<unsigned long long>(sum),
                 static_cast<unsigned long long>(s.succeeded),
                 static_cast<double>(s.p99) / 1e6,
                 static_cast<unsigned long long>(s.errors));
    std::fflush(stderr);
  };
}

} // namespace

runner::runner(const options& asked, const std::atomic<bool>& interrupted)
  : asked_(asked), interrupted_(interrupted), keys_(asked.keys) {
  for (size_t i = 0; i < asked.connections; ++i) {
    auto values = asked.values;
    values.seed += i;
    executors_.push_back(std::make_unique<executor>(client_settings(asked, i),
                                                    asked.request, values));
  }
}

lanes runner::make_lanes(const std::function<lane::source(size_t)>& make) {
  lanes result;
  for (size_t i = 0; i < executors_.size(); ++i) {
    auto perform = [&x = *executors_[i]](const operation& what, auto done) {
      x.run(what, std::move(done));
    };
    result.push_back(std::make_unique<lane>(perform, keys_, make(i)));
  }
  return result;
}

phase_result runner::run(std::unique_ptr<loop> load,
                         std::chrono::seconds warm_up,
                         std::chrono::seconds duration, const char* name) {
  loops_.push_back(std::move(load));
  phase_plan plan;
  plan.warm_up = warm_up;
  plan.duration = duration;
  plan.patience = asked_.request.timeout + grace;
  plan.servers = asked_.servers;
  plan.progress = progress_line(name);
  plan.interrupted = &interrupted_;
  auto result = run_phase(*loops_.back(), plan);
  if (plan.progress)
    std::fprintf(stderr, "\r\033[K");
  return result;
}

phase_result runner::fill() {
  auto next = std::make_shared<std::atomic<uint64_t>>(0);
  auto source = [next, n = asked_.keys]() -> std::optional<operation> {
    auto key = next->fetch_add(1);
    if (key >= n)
      return std::nullopt;
    return operation{op_kind::update, key, 0};
  };
  auto load = std::make_unique<closed_loop>(make_lanes([&](size_t) {
                                              return source;
                                            }),
                                            fill_clients);
  return run(std::move(load), {}, {}, "load");
}

phase_result runner::measure() {
  auto xs = make_lanes([this](size_t i) -> lane::source {
    auto seed = fnv_hash(asked_.seed) + i;
    auto operations
      = std::make_shared<operation_source>(asked_.load, keys_, seed);
    return [operations] {
      return operations->next();
    };
  });
  std::unique_ptr<loop> load;
  if (asked_.rate > 0)
    load = std::make_unique<open_loop>(std::move(xs), asked_.rate,
                                       asked_.max_in_flight);
  else
    load = std::make_unique<closed_loop>(std::move(xs), asked_.clients);
  return run(std::move(load), asked_.warm_up, asked_.duration, "run");
}

report runner::run() {
  report result;
  result.asked = asked_;
  if (asked_.fill)
    result.fill = fill();
  if (asked_.duration.count() > 0 && !interrupted_)
    result.run = measure();
  return result;
}

} // namespace covey::bench
