#include "bench/phase.hpp"

#include <thread>

namespace covey::bench {

namespace {

constexpr auto tick_interval = std::chrono::milliseconds{10};

second summary_of(const measurements& x) {
  auto all = x.all();
  return {all.count(), x.error_count(), all.quantile(0.5), all.quantile(0.99),
          all.max()};
}

class phase {
public:
  phase(loop& load, const phase_plan& plan) : load_(load), plan_(plan) {}

  phase_result run();

private:
  /// Ticks until then; false if the phase is to end before.
  bool pass(bench_clock::time_point until);
  void measure();
  void drain();
  /// Adds what was answered since the last call.
  measurements collect();

  loop& load_;
  const phase_plan& plan_;
  phase_result result_;
};

bool phase::pass(bench_clock::time_point until) {
  for (;;) {
    load_.tick();
    if (plan_.interrupted != nullptr && *plan_.interrupted) {
      result_.interrupted = true;
      return false;
    }
    if (load_.exhausted() && load_.in_flight() == 0)
      return false;
    auto now = bench_clock::now();
    if (now >= until)
      return true;
    std::this_thread::sleep_until(std::min(until, now + tick_interval));
  }
}

measurements phase::collect() {
  auto x = load_.take();
  result_.total.add(x);
  return x;
}

void phase::measure() {
  auto limit = plan_.duration.count();
  auto start = bench_clock::now();
  auto before = read_cpu_usage(plan_.servers);
  for (int64_t i = 1; limit == 0 || i <= limit; ++i) {
    auto whole = pass(start + std::chrono::seconds{i});
    auto now = summary_of(collect());
    result_.in_time += now.succeeded;
    if (!whole)
      break;
    result_.series.push_back(now);
    if (plan_.progress)
      plan_.progress(now);
  }
  std::chrono::duration<double> took = bench_clock::now() - start;
  result_.seconds = took.count();
  result_.cpu = read_cpu_usage(plan_.servers) - before;
}

void phase::drain() {
  load_.end();
  auto until = bench_clock::now() + plan_.patience;
  while (load_.in_flight() > 0 && bench_clock::now() < until)
    std::this_thread::sleep_for(tick_interval);
  result_.unanswered = load_.in_flight();
  collect();
}

phase_result phase::run() {
  load_.begin();
  auto warm = true;
  if (plan_.warm_up.count() > 0) {
    warm = pass(bench_clock::now() + plan_.warm_up);
    load_.take();
  }
  if (warm)
    measure();
  drain();
  return std::move(result_);
}

} // namespace

phase_result run_phase(loop& load, const phase_plan& plan) {
  return phase{load, plan}.run();
}

} // namespace covey::bench
