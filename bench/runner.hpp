// A whole run: loads the keys if asked, then measures.

#pragma once

#include "bench/report.hpp"

#include <atomic>
#include <memory>

namespace covey::bench {

/// Owns the clients and what runs on them. Never destroyed before the process
/// ends: the threads of the clients live as long.
class runner {
public:
  /// `interrupted` ends a phase early once true, and outlives the runner.
  runner(const options& asked, const std::atomic<bool>& interrupted);

  /// Blocks until all is done.
  report run();

private:
  /// So many lanes, of which lane i draws from `make(i)`.
  lanes make_lanes(const std::function<lane::source(size_t)>& make);
  phase_result run(std::unique_ptr<loop> load, std::chrono::seconds warm_up,
                   std::chrono::seconds duration, const char* name);
  phase_result fill();
  phase_result measure();

  options asked_;
  const std::atomic<bool>& interrupted_;
  key_space keys_;
  std::vector<std::unique_ptr<executor>> executors_;
  std::vector<std::unique_ptr<loop>> loops_;
};

} // namespace covey::bench
