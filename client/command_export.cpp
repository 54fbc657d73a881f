// covey export: every key of a keyspace as lines that import reads.

#include "client/back_off.hpp"
#include "client/commands.hpp"
#include "client/json_lines.hpp"
#include "client/report.hpp"
#include "core/slot.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>
#include <unistd.h>

namespace covey::client {

namespace {

constexpr uint32_t page_bytes = 512 << 10;
constexpr auto back_off_least = std::chrono::milliseconds{20};
constexpr auto back_off_most = std::chrono::milliseconds{1000};

class export_run {
public:
  export_run(const options& opts, client& kv)
    : opts_(opts), kv_(kv), rng_(kv.new_request_id().high) {}

  int run();

private:
  using clock = std::chrono::steady_clock;

  wire::ScanReply next_page();
  bool print(const wire::ScanReply& page);
  void show_progress();
  int output_failed() const;

  const options& opts_;
  client& kv_;
  std::mt19937_64 rng_;
  uint32_t slot_ = 0;
  std::string after_key_;
  uint64_t keys_ = 0;
  uint64_t lines_ = 0;
  clock::time_point next_second_ = clock::now() + std::chrono::seconds{1};
};

// An overloaded page is asked for again, within the deadline of one page.
wire::ScanReply export_run::next_page() {
  auto deadline = clock::now() + opts_.request.timeout;
  for (uint32_t attempt = 0;; ++attempt) {
    auto how = opts_.request;
    how.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - clock::now());
    auto page = kv_.scan(slot_, after_key_, page_bytes, how);
    auto pause = back_off(attempt, back_off_least, back_off_most, rng_);
    if (static_cast<errc>(page.code()) != errc::overloaded
        || clock::now() + pause >= deadline)
      return page;
    std::this_thread::sleep_for(pause);
  }
}

bool export_run::print(const wire::ScanReply& page) {
  std::string lines;
  for (auto& entry : page.entries()) {
    ++keys_;
    for (auto& value : entry.values()) {
      ++lines_;
      lines += record_line(entry.key(), value);
      lines += '\n';
    }
  }
  return std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size();
}

void export_run::show_progress() {
  auto now = clock::now();
  if (now < next_second_ || ::isatty(STDERR_FILENO) != 1)
    return;
  next_second_ = now + std::chrono::seconds{1};
  std::fprintf(stderr, "\r\033[K%llu keys, %.0f%%",
               static_cast<unsigned long long>(keys_),
               100.0 * slot_ / core::slot_count);
  std::fflush(stderr);
}

int export_run::output_failed() const {
  std::fprintf(stderr,
               "covey: export: cannot write to stdout: %s. The export is "
               "incomplete: check where it goes, then start again.\n",
               std::strerror(errno));
  return exits::unavailable;
}

int export_run::run() {
  while (slot_ < core::slot_count) {
    auto page = next_page();
    auto code = static_cast<errc>(page.code());
    if (code == errc::none && page.next_slot() < core::slot_count
        && page.next_slot() == slot_ && page.next_after_key() == after_key_
        && page.entries_size() == 0) {
      code = errc::bad_message;
      page.set_text("the node sent an empty page that leads nowhere");
    }
    if (code != errc::none) {
      std::fflush(stdout);
      return report("export", {code,
                               page.text() + " (incomplete: stopped in slot "
                                 + std::to_string(slot_) + " after "
                                 + std::to_string(keys_) + " keys)",
                               false, false});
    }
    if (!print(page))
      return output_failed();
    slot_ = page.next_slot();
    after_key_ = page.next_after_key();
    show_progress();
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    return output_failed();
  if (::isatty(STDERR_FILENO) == 1)
    std::fprintf(stderr, "\r\033[K%llu keys, %llu values\n",
                 static_cast<unsigned long long>(keys_),
                 static_cast<unsigned long long>(lines_));
  return exits::done;
}

} // namespace

int run_export(const options& opts, client& kv) {
  return export_run{opts, kv}.run();
}

} // namespace covey::client
