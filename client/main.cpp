// Entry point of the covey command.

#include "client/commands.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <unistd.h>

namespace {

using namespace covey::client;

[[noreturn]] void end(int code) {
  // Every request is answered. The client's threads live as long as the
  // process: nothing of it is destroyed under them.
  std::fflush(nullptr);
  ::_exit(code);
}

int run(const options& opts) {
  if (opts.command == "watch")
    end(run_watch(opts));
  using command = int (*)(const options&, client&);
  const std::map<std::string, command> commands{
    {"put", run_put},           {"get", run_get},
    {"delete", run_delete},     {"import", run_import},
    {"export", run_export},     {"status", run_status},
    {"ring", run_ring},         {"members", run_members},
    {"keyspace", run_keyspace}, {"repair", run_repair},
  };
  settings config;
  config.nodes = opts.nodes;
  config.tls = opts.tls;
  config.agent = std::string{"covey "} + version;
  // One request does not pay for connections to more nodes.
  config.by_slot = opts.command == "import" || opts.command == "export";
  client kv{std::move(config)};
  end(commands.at(opts.command)(opts, kv));
}

} // namespace

int main(int argc, char** argv) {
  // A closed pipe is then an error of the write, which says so.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    auto parsed = parse_options(argc, argv);
    if (auto* code = std::get_if<int>(&parsed))
      return *code;
    return run(std::get<options>(parsed));
  } catch (const std::exception& failure) {
    std::fprintf(
      stderr, "covey: %s. This is a fault of the command: please report it.\n",
      failure.what());
    return 70;
  }
}
