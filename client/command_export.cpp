// covey export: every key of a keyspace as lines that import reads.

#include "client/commands.hpp"
#include "client/json_lines.hpp"
#include "client/report.hpp"
#include "client/scanner.hpp"
#include "core/slot.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace covey::client {

namespace {

constexpr uint32_t page_bytes = 512 << 10;

class export_run {
public:
  export_run(const options& opts, client& kv)
    : pages_(kv, whole_keyspace(opts)) {}

  int run();

private:
  using clock = std::chrono::steady_clock;

  bool print(const scan_page& page);
  void show_progress();
  int output_failed() const;

  static scan_options whole_keyspace(const options& opts) {
    scan_options result;
    result.request = opts.request;
    result.page_bytes = page_bytes;
    result.prefix = opts.prefix;
    return result;
  }

  scanner pages_;
  uint64_t keys_ = 0;
  uint64_t lines_ = 0;
  clock::time_point next_second_ = clock::now() + std::chrono::seconds{1};
};

bool export_run::print(const scan_page& page) {
  std::string lines;
  for (const auto& entry : page.entries) {
    ++keys_;
    for (const auto& value : entry.values) {
      ++lines_;
      lines += record_line(entry.key, value);
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
               100.0 * pages_.cursor().slot / core::slot_count);
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
  scan_page page;
  while (pages_.next(page)) {
    if (!page.ok()) {
      std::fflush(stdout);
      return report("export", {page.code,
                               page.text + " (incomplete: stopped in slot "
                                 + std::to_string(page.next.slot) + " after "
                                 + std::to_string(keys_) + " keys)",
                               false, false});
    }
    if (!print(page))
      return output_failed();
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
