#include "tests/simulation/campaign.hpp"

#include "core/check.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <memory>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace covey::simulation {

namespace {

using steady = std::chrono::steady_clock;

/// One line a seed when it starts, and one when it has ended, then one for each
/// violation.
void run_share(const campaign_options& options, uint64_t first, uint64_t step,
               std::FILE* out) {
  auto scenario = options.scenario;
  for (scenario.seed = first; scenario.seed < options.from + options.seeds;
       scenario.seed += step) {
    std::fprintf(out, "start %" PRIu64 "\n", scenario.seed);
    std::fflush(out);
    auto r = run_scenario(scenario);
    for (const auto& line : r.violations)
      std::fprintf(out, "violation %" PRIu64 " %s\n", scenario.seed,
                   line.c_str());
    std::fprintf(out,
                 "end %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                 "\n",
                 scenario.seed, r.digest, r.steps, r.virtual_us, r.puts,
                 r.acknowledged, r.gets, r.crashes, r.restarts, r.replanned);
    std::fflush(out);
  }
}

/// A process that runs every `step`th seed.
class worker {
public:
  worker(const campaign_options& options, uint64_t first, uint64_t step)
    : options_(options), step_(step) {
    fork_from(first);
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() {
    stop();
  }

  int pipe() const {
    return pipe_;
  }
  bool running() const {
    return pid_ > 0;
  }
  /// Takes what has come; after the end of a seed that ended the process goes
  /// on with the next one.
  void take(campaign_result& out) {
    std::array<char, 65536> chunk{};
    auto n = ::read(pipe_, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR)
      return;
    if (n > 0) {
      text_.append(chunk.data(), static_cast<size_t>(n));
      size_t end = 0;
      while ((end = text_.find('\n')) != std::string::npos) {
        line(text_.substr(0, end), out);
        text_.erase(0, end + 1);
      }
      return;
    }
    auto died = reap();
    if (died && seed_ == 0)
      out.complete = false;
    if (!died || seed_ == 0)
      return;
    out.failed.push_back({seed_, 0, {"the process ended: a check failed"}});
    ++out.ran;
    auto next = seed_ + step_;
    seed_ = 0;
    if (next < options_.from + options_.seeds)
      fork_from(next);
  }
  void stop() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    reap();
  }

private:
  void fork_from(uint64_t first) {
    std::array<int, 2> ends{};
    COVEY_CHECK(::pipe(ends.data()) == 0);
    std::fflush(nullptr);
    pid_ = ::fork();
    COVEY_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      // If the campaign is killed while a seed hangs, the seed goes too.
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ends[0]);
      auto* out = ::fdopen(ends[1], "w");
      run_share(options_, first, step_, out);
      std::fclose(out);
      ::_exit(0);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  /// True if it did not end by itself.
  bool reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    ::close(pipe_);
    pid_ = 0;
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  }
  void line(const std::string& text, campaign_result& out) {
    std::istringstream in{text};
    std::string what;
    uint64_t seed = 0;
    in >> what >> seed;
    if (what == "start") {
      seed_ = seed;
      found_.clear();
    } else if (what == "violation") {
      found_.push_back(text.substr(text.find(' ', text.find(' ') + 1) + 1));
    } else {
      scenario_result r;
      in >> r.digest >> r.steps >> r.virtual_us >> r.puts >> r.acknowledged
        >> r.gets >> r.crashes >> r.restarts >> r.replanned;
      COVEY_CHECK(bool(in));
      ++out.ran;
      out.sum.steps += r.steps;
      out.sum.virtual_us += r.virtual_us;
      out.sum.puts += r.puts;
      out.sum.acknowledged += r.acknowledged;
      out.sum.gets += r.gets;
      out.sum.crashes += r.crashes;
      out.sum.restarts += r.restarts;
      out.sum.replanned += r.replanned;
      if (!found_.empty())
        out.failed.push_back({seed, r.digest, std::move(found_)});
      found_.clear();
      seed_ = 0;
    }
  }

  const campaign_options& options_;
  uint64_t step_;
  pid_t pid_ = 0;
  int pipe_ = -1;
  std::string text_;
  /// Under way; zero between seeds.
  uint64_t seed_ = 0;
  std::vector<std::string> found_;
};

void show(const campaign_result& so_far, uint64_t seeds) {
  std::fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds, %zu failed ",
               so_far.ran, seeds, so_far.failed.size());
}

double children_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

} // namespace

campaign_result run_campaign(const campaign_options& options) {
  campaign_result result;
  auto began = steady::now();
  auto interactive = ::isatty(STDERR_FILENO) != 0;
  {
    std::vector<std::unique_ptr<worker>> workers;
    auto jobs = std::min<uint64_t>(options.jobs, options.seeds);
    for (uint64_t i = 0; i < jobs; ++i)
      workers.push_back(
        std::make_unique<worker>(options, options.from + i, jobs));
    for (;;) {
      std::vector<pollfd> waiting;
      for (const auto& w : workers)
        if (w->running())
          waiting.push_back({w->pipe(), POLLIN, 0});
      auto late
        = options.seconds > 0
          && steady::now() - began >= std::chrono::seconds(options.seconds);
      if (waiting.empty() || late
          || (options.until_found && !result.failed.empty()))
        break;
      ::poll(waiting.data(), waiting.size(), 200);
      for (auto& w : workers)
        for (const auto& p : waiting)
          if (w->running() && p.fd == w->pipe()
              && (p.revents & (POLLIN | POLLHUP)) != 0) {
            w->take(result);
            break;
          }
      if (interactive)
        show(result, options.seeds);
    }
  }
  if (interactive)
    std::fputs("\r\033[K", stderr);
  result.cpu_seconds = children_cpu_seconds();
  std::sort(result.failed.begin(), result.failed.end(),
            [](const auto& x, const auto& y) {
              return x.seed < y.seed;
            });
  return result;
}

} // namespace covey::simulation
