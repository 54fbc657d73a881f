// covey import: reads lines, hands them to the importer, tells how it goes.

#include "client/commands.hpp"
#include "client/importer.hpp"
#include "client/json_lines.hpp"
#include "client/line_reader.hpp"
#include "client/report.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace covey::client {

namespace {

constexpr size_t max_line_bytes = 64 << 20;
constexpr size_t max_line_numbers = 5;
constexpr int poll_ms = 200;

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) {
  interrupted = 1;
}

// The first SIGINT ends the reading, the second one the process.
void catch_interrupt() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
}

import_mode mode_of(const options& opts) {
  if (opts.overwrite)
    return import_mode::overwrite;
  return opts.skip_acked.empty() ? import_mode::plain : import_mode::resume;
}

class import_run {
public:
  import_run(const options& opts, client& kv)
    : opts_(opts),
      importer_(kv, opts.request, mode_of(opts), opts.in_flight, log_) {}

  int run();

private:
  using clock = std::chrono::steady_clock;

  bool open();
  void read_all();
  void take(std::string_view line);
  void reject(const std::string& why);
  void drain();
  void breathe();
  void show_progress(const import_counts& counts);
  void clear_progress();
  void summarize();
  void print_json(const import_counts& counts) const;
  int code(const import_counts& counts) const;
  double seconds() const;

  const options& opts_;
  ack_log log_;
  importer importer_;
  key_set skip_;
  int fd_ = -1;
  uint64_t file_bytes_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t line_number_ = 0;
  uint64_t records_ = 0;
  uint64_t skipped_ = 0;
  uint64_t rejected_ = 0;
  std::vector<uint64_t> rejected_lines_;
  std::string rejected_why_;
  /// Why the import ended early, if it did.
  std::string broken_;
  bool terminal_ = false;
  bool progress_shown_ = false;
  clock::time_point start_ = clock::now();
  clock::time_point next_second_ = start_ + std::chrono::seconds{1};
};

double import_run::seconds() const {
  return std::chrono::duration<double>(clock::now() - start_).count();
}

bool import_run::open() {
  std::string why;
  if (!opts_.skip_acked.empty() && !load_acked(opts_.skip_acked, skip_, why)) {
    std::fprintf(stderr, "covey: import: %s. Check --skip-acked.\n",
                 why.c_str());
    return false;
  }
  if (!opts_.ack_log.empty() && !log_.open(opts_.ack_log, why)) {
    std::fprintf(stderr, "covey: import: %s. Check --ack-log.\n", why.c_str());
    return false;
  }
  fd_ = opts_.file == "-" ? STDIN_FILENO
                          : ::open(opts_.file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0 || S_ISDIR(info.st_mode)) {
    std::fprintf(stderr,
                 "covey: import: cannot open '%s': %s. Check the path.\n",
                 opts_.file.c_str(), std::strerror(fd_ < 0 ? errno : EISDIR));
    return false;
  }
  if (S_ISREG(info.st_mode))
    file_bytes_ = static_cast<uint64_t>(info.st_size);
  return true;
}

void import_run::reject(const std::string& why) {
  ++rejected_;
  if (rejected_lines_.size() < max_line_numbers)
    rejected_lines_.push_back(line_number_);
  if (rejected_why_.empty())
    rejected_why_ = why;
}

void import_run::take(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos)
    return;
  std::string why;
  auto fields = parse_record(line, why);
  if (!fields) {
    reject(why);
    return;
  }
  if (skip_.count(fields->key) > 0) {
    ++skipped_;
    return;
  }
  ++records_;
  importer_.put(std::move(fields->key), std::move(fields->value));
}

void import_run::read_all() {
  line_reader reader{fd_, max_line_bytes};
  std::string_view line;
  while (interrupted == 0 && broken_.empty()) {
    breathe();
    if (!importer_.wait_for_room(poll_ms))
      continue;
    auto got = reader.next(line, poll_ms);
    line_number_ = reader.line_number();
    bytes_read_ = reader.bytes_read();
    if (got == line_reader::event::line) {
      take(line);
    } else if (got == line_reader::event::too_long) {
      reject("longer than 64 MiB");
    } else if (got == line_reader::event::failed) {
      broken_ = "cannot read '" + opts_.file + "': " + std::strerror(errno);
    } else if (got == line_reader::event::end) {
      return;
    }
  }
}

void import_run::drain() {
  while (!importer_.idle()) {
    breathe();
    importer_.wait_for_change(poll_ms);
  }
  // The last acknowledgements may have come after the last look.
  breathe();
}

void import_run::breathe() {
  auto ok = importer_.work();
  auto now = clock::now();
  if (now >= next_second_) {
    next_second_ = now + std::chrono::seconds{1};
    if (log_.is_open())
      ok = log_.flush() && ok;
    for (auto& line : importer_.take_news()) {
      clear_progress();
      std::fprintf(stderr, "%s\n", line.c_str());
    }
    if (terminal_)
      show_progress(importer_.counts());
  }
  if (!ok && broken_.empty())
    broken_ = "cannot write '" + opts_.ack_log + "': " + std::strerror(errno);
}

void import_run::show_progress(const import_counts& counts) {
  auto done = counts.acknowledged + counts.failures();
  std::fprintf(stderr, "\r\033[K%llu records, %.0f/s, %llu failed",
               static_cast<unsigned long long>(done),
               static_cast<double>(done) / seconds(),
               static_cast<unsigned long long>(counts.failures() + rejected_));
  if (file_bytes_ > 0)
    std::fprintf(stderr, ", %.0f%%",
                 100.0 * static_cast<double>(bytes_read_)
                   / static_cast<double>(file_bytes_));
  std::fflush(stderr);
  progress_shown_ = true;
}

void import_run::clear_progress() {
  if (progress_shown_)
    std::fputs("\r\033[K", stderr);
  progress_shown_ = false;
}

int import_run::code(const import_counts& counts) const {
  if (!broken_.empty() || interrupted != 0)
    return exits::unavailable;
  auto result = rejected_ > 0 ? exits::rejected : exits::done;
  for (auto& [kind, count] : counts.failed)
    if (exit_code(kind) != exits::rejected)
      return exits::unavailable;
    else
      result = exits::rejected;
  return result;
}

void import_run::print_json(const import_counts& counts) const {
  nlohmann::ordered_json object;
  object["acknowledged"] = counts.acknowledged;
  object["failed"] = nlohmann::ordered_json::object();
  for (auto& [kind, count] : counts.failed)
    object["failed"][to_string(kind)] = count;
  object["maybe_written"] = counts.maybe_written;
  object["rejected_lines"] = rejected_;
  object["first_rejected_lines"] = rejected_lines_;
  object["skipped"] = skipped_;
  object["interrupted"] = interrupted != 0;
  object["seconds"] = seconds();
  object["records_per_second"]
    = static_cast<double>(counts.acknowledged) / seconds();
  std::printf("%s\n", object.dump().c_str());
  std::fflush(stdout);
}

void import_run::summarize() {
  auto counts = importer_.counts();
  std::string line = "covey: import: " + std::to_string(counts.acknowledged)
                     + " acknowledged, " + std::to_string(counts.failures())
                     + " failed";
  auto separator = " (";
  for (auto& [kind, count] : counts.failed) {
    line += separator + to_string(kind) + ' ' + std::to_string(count);
    separator = ", ";
  }
  if (!counts.failed.empty())
    line += "; " + std::to_string(counts.maybe_written) + " may be written)";
  if (rejected_ > 0) {
    line += ", " + std::to_string(rejected_) + " bad lines (first";
    for (auto number : rejected_lines_)
      line += ' ' + std::to_string(number);
    line += ": " + rejected_why_ + ')';
  }
  if (skipped_ > 0)
    line += ", " + std::to_string(skipped_) + " skipped";
  if (interrupted != 0)
    line += ", interrupted";
  if (!broken_.empty())
    line += ", stopped: " + broken_;
  char rate[64];
  std::snprintf(rate, sizeof(rate), ", %.1f s, %.0f records/s", seconds(),
                static_cast<double>(counts.acknowledged) / seconds());
  line += rate;
  if (code(counts) == exits::unavailable)
    line += opts_.ack_log.empty()
              ? ". Import again; with --ack-log and --skip-acked an import can "
                "go on where it stopped."
              : ". Import again with --skip-acked " + opts_.ack_log
                  + " for what is missing.";
  std::fprintf(stderr, "%s\n", line.c_str());
  if (opts_.json)
    print_json(counts);
}

int import_run::run() {
  if (!open())
    return exits::usage;
  terminal_ = ::isatty(STDERR_FILENO) == 1;
  catch_interrupt();
  read_all();
  drain();
  if (log_.is_open() && !log_.flush() && broken_.empty())
    broken_ = "cannot write '" + opts_.ack_log + "': " + std::strerror(errno);
  clear_progress();
  for (auto& line : importer_.take_news())
    std::fprintf(stderr, "%s\n", line.c_str());
  summarize();
  if (fd_ != STDIN_FILENO)
    ::close(fd_);
  return code(importer_.counts());
}

} // namespace

int run_import(const options& opts, client& kv) {
  return import_run{opts, kv}.run();
}

} // namespace covey::client
