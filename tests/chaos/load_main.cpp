// The load of the chaos run, driven by tests/chaos/chaos.py: a command a line
// on standard input, JSON lines on standard output. See `usage`.

#include "tests/chaos/load.hpp"
#include "tests/storage/crash/power_loss_undo.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

namespace {

using namespace covey;

constexpr const char* usage
  = "Puts, gets and deletes under faults, checks what came back.\n"
    "Standard input: `disturb` and `calm` say whether there are faults;\n"
    "`finish` ends the load, reads every key at ALL, checks and ends, with 1\n"
    "if something must not be. So does the end of the input.\n"
    "`--undo JOURNAL` only takes back what the process with this journal "
    "wrote\n"
    "and did not sync (tests/storage/crash/power_loss.c).";

constexpr int tick_ms = 2;

void say(const nlohmann::json& x) {
  std::cout << x << std::endl;
}

void say_seconds(chaos::load& load) {
  while (auto s = load.seconds().take(load.now_us()))
    say({{"second", s->second},
         {"ok", s->ok},
         {"failed", s->failed},
         {"p99_ms", static_cast<double>(s->p99_us) / 1000},
         {"max_ms", static_cast<double>(s->max_us) / 1000}});
}

/// The lines that have arrived; nothing at the end of the input.
class command_reader {
public:
  std::vector<std::string> wait(int ms) {
    pollfd in{STDIN_FILENO, POLLIN, 0};
    if (::poll(&in, 1, ms) != 1)
      return {};
    char bytes[256];
    auto n = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n <= 0)
      return {"finish"};
    rest_.append(bytes, static_cast<size_t>(n));
    std::vector<std::string> lines;
    for (size_t end; (end = rest_.find('\n')) != std::string::npos;) {
      lines.push_back(rest_.substr(0, end));
      rest_.erase(0, end + 1);
    }
    return lines;
  }

private:
  std::string rest_;
};

void run(chaos::load& load) {
  command_reader commands;
  for (;;) {
    load.send_due();
    say_seconds(load);
    for (const auto& line : commands.wait(tick_ms)) {
      if (line == "finish")
        return;
      load.log().disturbed(line == "disturb");
      say({{"at_s", static_cast<double>(load.now_us()) / 1e6}});
    }
  }
}

/// True if there is nothing to complain of.
bool judge(chaos::load& load, const std::string& history_file,
           std::vector<std::string> violations) {
  auto found = load.log().check();
  if (!found.empty()) {
    std::ofstream out{history_file};
    for (const auto& [key, lines] : found) {
      for (const auto& line : lines) {
        out << line << "\n";
        violations.push_back(line);
      }
      load.log().write_history(key, out);
    }
  }
  auto n = load.log().count();
  say({{"verdict", violations.empty() ? "consistent" : "violated"},
       {"keys", n.keys},
       {"puts", n.puts},
       {"acknowledged", n.acknowledged},
       {"refused", n.refused},
       {"unknown", n.unknown},
       {"once", n.once},
       {"gets", n.gets},
       {"violations", violations}});
  return violations.empty();
}

} // namespace

int main(int argc, char** argv) {
  chaos::load_config config;
  std::vector<std::string> nodes;
  std::string history_file = "/dev/null";
  std::string journal;
  uint32_t patience_s = 60;
  CLI::App app{usage};
  app.add_option("--nodes", nodes, "HOST:PORT,...")->delimiter(',');
  app.add_option("--seed", config.seed, "of keys, values and kinds");
  app.add_option("--clients", config.clients, "client objects");
  app.add_flag("--all-retry", config.all_retry, "all clients, not only half");
  app.add_option("--rate", config.rate, "requests a second");
  app.add_option("--keys", config.keys, "keys in use at a time");
  app.add_option("--history", history_file, "where histories of bad keys go");
  app.add_option("--patience-s", patience_s, "for the reads at the end");
  app.add_option("--undo", journal, "takes back what was not synced");
  CLI11_PARSE(app, argc, argv);
  if (!journal.empty()) {
    say({{"undone", storage::crash::undo_unsynced_writes(journal)}});
    return 0;
  }
  for (const auto& text : nodes) {
    auto colon = text.rfind(':');
    config.nodes.push_back(
      {text.substr(0, colon),
       static_cast<uint16_t>(std::stoul(text.substr(colon + 1)))});
  }
  if (config.nodes.empty() || config.clients == 0 || config.keys == 0)
    return 2;
  chaos::load load{config};
  run(load);
  load.settle();
  say_seconds(load);
  auto errors = load.read_all(std::chrono::seconds{patience_s});
  return judge(load, history_file, std::move(errors)) ? 0 : 1;
}
