#include "bench/lane.hpp"

#include <utility>

namespace covey::bench {

lane::lane(performer perform, key_space& keys, source operations)
  : perform_(std::move(perform)), keys_(keys),
    operations_(std::move(operations)) {}

bool lane::start(bench_clock::time_point intended,
                 std::function<void(bool)> done) {
  std::optional<operation> what;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    if (!closed_)
      what = operations_();
    if (!what)
      return false;
    ++in_flight_;
  }
  perform_(*what, [this, x = *what, intended,
                   done = std::move(done)](const answer& a) {
    answered(x, intended, a);
    done(a.code == errc::none);
    // Last, so that a lane without operations in flight is never called again.
    std::lock_guard<std::mutex> guard{mutex_};
    --in_flight_;
  });
  return true;
}

void lane::answered(const operation& what, bench_clock::time_point intended,
                    const answer& a) {
  if (what.kind == op_kind::insert)
    keys_.end_insert(what.key);
  auto took = static_cast<uint64_t>((bench_clock::now() - intended).count());
  std::lock_guard<std::mutex> guard{mutex_};
  if (a.code != errc::none) {
    recorded_.failed.record(took);
    ++recorded_.errors[a.code];
    return;
  }
  recorded_.latency[static_cast<size_t>(what.kind)].record(took);
  recorded_.not_found += a.not_found ? 1 : 0;
  recorded_.siblings += a.siblings ? 1 : 0;
}

void lane::close() {
  std::lock_guard<std::mutex> guard{mutex_};
  closed_ = true;
}

size_t lane::in_flight() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return in_flight_;
}

measurements lane::take() {
  std::lock_guard<std::mutex> guard{mutex_};
  return std::exchange(recorded_, {});
}

} // namespace covey::bench
