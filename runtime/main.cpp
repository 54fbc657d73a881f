// coveyd: one node of a cluster.

#include "messages/network/socket.hpp"
#include "runtime/config.hpp"
#include "runtime/logging.hpp"
#include "runtime/node.hpp"

#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace {

/// EX_SOFTWARE of sysexits.h: start it again.
constexpr int exit_crashed = 70;

void give_up(const std::string& why) {
  spdlog::critical("node stops: {}", why);
  spdlog::default_logger()->flush();
  _exit(exit_crashed);
}

int run(const covey::runtime::node_config& config) {
  // Threads inherit the mask: signals are for sigwait alone.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  covey::network::raise_descriptor_limit();
  std::string error;
  auto node = covey::runtime::node::start(config, give_up, error);
  if (!node) {
    std::fprintf(stderr, "coveyd: %s\n", error.c_str());
    return 1;
  }
  spdlog::info("node {} of cluster {} is ready at {}:{}, run {}",
               config.node.name, config.epoch.cluster, config.node.address,
               config.node.port, node->run());
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("node {} stops", config.node.name);
  // A second signal must be able to end a stop that hangs.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  // CAF 0.17 may hang while it ends detached actors. By then the marks are set:
  // what is cut off is at worst recovered at the next start.
  alarm(static_cast<unsigned>(config.limits.drain_timeout.count() / 1000 * 3)
        + 10);
  auto clean = node->stop();
  node.reset();
  spdlog::info("node {} has stopped{}", config.node.name,
               clean ? "" : ", not cleanly: the next start recovers");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  auto parsed = covey::runtime::parse_node_config(argc, argv);
  if (!parsed.errors.empty()) {
    for (const auto& line : parsed.errors)
      std::fprintf(stderr, "coveyd: %s\n", line.c_str());
    return 1;
  }
  if (!parsed.config) {
    std::fputs(parsed.text.c_str(), stdout);
    return 0;
  }
  const auto& config = *parsed.config;
  auto error = covey::runtime::start_logging(config.log.level, config.log.file);
  if (!error.empty()) {
    std::fprintf(stderr, "coveyd: %s\n", error.c_str());
    return 1;
  }
  return run(config);
}
