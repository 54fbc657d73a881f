// Entry point of covey-bench.

#include "bench/runner.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <unistd.h>

namespace {

using namespace covey::bench;

std::atomic<bool> interrupted{false};

/// The first Ctrl-C ends the run with its report, the second one at once.
void interrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

[[noreturn]] void run(const options& asked) {
  runner all{asked, interrupted};
  auto result = all.run();
  auto text = asked.json ? to_json(result) + '\n' : to_text(result);
  auto code = exit_code(result);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "covey-bench: cannot write to stdout. Check where it "
                         "goes.\n");
    code = 3;
  }
  // The threads of the clients live as long as the process: nothing is
  // destroyed under them.
  ::_exit(code);
}

} // namespace

int main(int argc, char** argv) {
  // A closed pipe is then an error of the write, which says so.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  try {
    auto parsed = parse_options(argc, argv);
    if (auto* code = std::get_if<int>(&parsed))
      return *code;
    run(std::get<options>(parsed));
  } catch (const std::exception& failure) {
    std::fprintf(stderr,
                 "covey-bench: %s. This is a fault of the program: please "
                 "report it.\n",
                 failure.what());
    return 70;
  }
}
