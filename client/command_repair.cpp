// covey repair: makes replicas equal now, and tells how far it is.

#include "client/commands.hpp"
#include "client/report.hpp"

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <unistd.h>

namespace covey::client {

namespace {

constexpr auto poll = std::chrono::milliseconds(100);
/// Questions that may fail one after the other: the repair goes on meanwhile.
constexpr int max_failures = 20;

uint64_t draw_run() {
  std::random_device entropy;
  return uint64_t{entropy()} << 32 | entropy() | 1;
}

void show_progress(const wire::RepairReply& r) {
  std::fprintf(stderr,
               "\r%llu of %llu slots compared, %llu records sent, "
               "%llu fetched, %llu kB ",
               static_cast<unsigned long long>(r.compared()),
               static_cast<unsigned long long>(r.slots()),
               static_cast<unsigned long long>(r.sent()),
               static_cast<unsigned long long>(r.fetched()),
               static_cast<unsigned long long>(r.bytes() / 1024));
}

std::string last_line(const wire::RepairReply& r) {
  auto n = [](uint64_t x) {
    return std::to_string(x);
  };
  std::string skipped;
  for (const auto& name : r.skipped())
    skipped += (skipped.empty() ? "; not compared with " : ", ") + name;
  return "compared " + n(r.compared()) + " of " + n(r.slots()) + " slots, "
         + n(r.differing()) + " differed; " + n(r.sent()) + " records sent, "
         + n(r.fetched()) + " fetched, " + n(r.bytes()) + " bytes, "
         + n(r.elapsed_ms()) + " ms; " + n(r.left()) + " slots left" + skipped
         + '\n';
}

std::string json_line(const wire::RepairReply& r) {
  nlohmann::ordered_json object{
    {"slots", r.slots()},
    {"compared", r.compared()},
    {"differing", r.differing()},
    {"left", r.left()},
    {"sent", r.sent()},
    {"fetched", r.fetched()},
    {"bytes", r.bytes()},
    {"elapsed_ms", r.elapsed_ms()},
    {"skipped",
     std::vector<std::string>{r.skipped().begin(), r.skipped().end()}}};
  return object.dump() + '\n';
}

} // namespace

int run_repair(const options& opts, client& kv) {
  wire::RepairRequest request;
  request.set_run(draw_run());
  request.set_first_slot(opts.first_slot);
  request.set_last_slot(opts.last_slot);
  auto interactive = ::isatty(STDERR_FILENO) != 0;
  wire::RepairReply r;
  auto begun = false;
  for (int failures = 0;;) {
    r = kv.repair(request, opts.request);
    auto code = static_cast<errc>(r.code());
    // The first answer says whether there is a repair at all.
    if (code != errc::none && (!begun || ++failures == max_failures))
      return report("repair", {code, r.text(), false, false});
    if (code == errc::none) {
      begun = true;
      failures = 0;
      if (interactive)
        show_progress(r);
      if (r.done())
        break;
    }
    std::this_thread::sleep_for(poll);
  }
  if (interactive)
    std::fputs("\r\033[K", stderr);
  auto text = opts.json ? json_line(r) : last_line(r);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return r.left() == 0 && r.skipped().empty() ? exits::done
                                              : exits::unavailable;
}

} // namespace covey::client
