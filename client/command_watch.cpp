// covey watch: what happens to the nodes, line by line.

#include "client/commands.hpp"
#include "client/report.hpp"
#include "client/watch_lines.hpp"
#include "client/watcher.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace covey::client {

namespace {

using steady = std::chrono::steady_clock;

/// Lines that wait for a reader that has stopped reading.
constexpr size_t max_waiting_events = 10'000;

// Between the watcher's thread, the one that waits for signals, and ours.
class inbox {
public:
  void put(const node_event& event) {
    std::lock_guard<std::mutex> guard{mutex_};
    if (events_.size() < max_waiting_events)
      events_.push_back(event);
    else
      overflow_ = true;
    changed_.notify_one();
  }

  void stop() {
    std::lock_guard<std::mutex> guard{mutex_};
    stopped_ = true;
    changed_.notify_one();
  }

  /// The next event, or nothing: stopped, or none until then.
  std::optional<node_event> take(steady::time_point until) {
    std::unique_lock<std::mutex> guard{mutex_};
    auto ready = [this] {
      return stopped_ || !events_.empty();
    };
    // The far end of the clock overflows inside wait_until.
    if (until == steady::time_point::max())
      changed_.wait(guard, ready);
    else
      changed_.wait_until(guard, until, ready);
    if (stopped_ || events_.empty())
      return std::nullopt;
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

  bool overflow() {
    std::lock_guard<std::mutex> guard{mutex_};
    return overflow_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<node_event> events_;
  bool stopped_ = false;
  bool overflow_ = false;
};

// Before any other thread: they inherit the mask.
void stop_on_signals(inbox& news) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread{[signals, &news] {
    int signal = 0;
    sigwait(&signals, &signal);
    news.stop();
  }}.detach();
}

bool print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0;
}

int output_failed() {
  std::fprintf(stderr,
               "covey: watch: cannot write to stdout: %s. The watch has ended: "
               "check where it goes, then start again.\n",
               std::strerror(errno));
  return exits::unavailable;
}

void warn_of_left_out(size_t n) {
  if (n > 0)
    std::fprintf(stderr,
                 "covey: watch: %zu more members are not watched: %zu is the "
                 "most. Watch the others with --only-given.\n",
                 n, max_watched_nodes);
}

watch_settings settings_of(const options& opts) {
  watch_settings result;
  result.nodes = opts.nodes;
  result.all_members = !opts.only_given;
  result.tls = opts.tls;
  result.agent = std::string{"covey "} + version;
  result.silence = std::chrono::milliseconds{opts.silence_ms};
  return result;
}

// Waits until every node is known to be up or down.
int watch_once(const options& opts, watcher& nodes, inbox& news) {
  auto until = steady::now() + opts.request.timeout;
  auto undecided = [&] {
    auto all = nodes.nodes();
    return all.empty()
           || std::any_of(all.begin(), all.end(), [](const auto& x) {
                return x.phase == node_phase::unknown;
              });
  };
  while (undecided() && news.take(until)) {
    // Each event decides one more.
  }
  auto all = nodes.nodes();
  warn_of_left_out(nodes.left_out());
  if (!print(opts.json ? nodes_json(all) : nodes_text(all)))
    return output_failed();
  auto whole = std::all_of(all.begin(), all.end(), [](const auto& x) {
    return x.phase == node_phase::up;
  });
  return whole ? exits::done : exits::unavailable;
}

int watch_on(const options& opts, watcher& nodes, inbox& news) {
  auto until = opts.for_s == 0
                 ? steady::time_point::max()
                 : steady::now() + std::chrono::seconds{opts.for_s};
  size_t left_out = 0;
  while (auto event = news.take(until)) {
    if (!print((opts.json ? event_json(*event) : event_text(*event)) + '\n'))
      return output_failed();
    if (auto n = nodes.left_out(); n != left_out)
      warn_of_left_out(left_out = n);
    if (news.overflow()) {
      std::fprintf(stderr,
                   "covey: watch: stdout is read too slowly, and events "
                   "were lost. Start again.\n");
      return exits::unavailable;
    }
  }
  return exits::done;
}

} // namespace

int run_watch(const options& opts) {
  // Lives as long as the process, as the thread does that waits for signals.
  auto& news = *new inbox;
  stop_on_signals(news);
  watcher nodes{settings_of(opts), [&news](const node_event& event) {
                  news.put(event);
                }};
  return opts.watch_once ? watch_once(opts, nodes, news)
                         : watch_on(opts, nodes, news);
}

} // namespace covey::client
