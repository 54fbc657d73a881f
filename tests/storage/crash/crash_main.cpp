// Crash test of the store: a writer is killed again and again, each time at
// another moment, and every row is checked. See `usage` for the modes.

#include "storage/file_system.hpp"
#include "tests/storage/crash/checker.hpp"
#include "tests/storage/crash/power_loss.h"
#include "tests/storage/crash/power_loss_undo.hpp"
#include "tests/storage/crash/writer.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <random>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace covey::storage::crash {

namespace {

constexpr const char* usage
  = "usage: crash_test MODE ROUNDS POWER_LOSS_LIBRARY [SEED]\n"
    "  kill                 kill -9: nothing acknowledged may be lost\n"
    "  power_loss           and unsynced writes undone: the same\n"
    "  control              acknowledges too early: must lose something\n"
    "  periodic_kill        fsync switched off, kill -9: nothing lost\n"
    "  periodic_power_loss  fsync switched off: a prefix survives and opens\n"
    "  first_start          loss of power while the directory is made\n"
    "  lsm_kill, lsm_power_loss  as above, on LSM trees\n";

/// Writes and syncs (or, without their journal, milliseconds) in which a writer
/// opens its store.
constexpr uint64_t max_early = 150;

/// A writer that says nothing for so many milliseconds hangs.
constexpr uint64_t max_silent_polls = 60000;

struct mode {
  const char* name = "";
  bool power_loss = false;
  bool acknowledge_early = false;
  bool fsync = true;
  bool may_lose = false;
  bool must_lose = false;
  /// Every round starts with no directory and ends while it is being made.
  bool first_start = false;
  table_type type = table_type::btree;
};

std::vector<mode> all_modes() {
  std::vector<mode> result(8);
  result[0].name = "kill";
  result[1].name = "power_loss";
  result[1].power_loss = true;
  result[2].name = "control";
  result[2].power_loss = true;
  result[2].acknowledge_early = true;
  result[2].may_lose = true;
  result[2].must_lose = true;
  result[3].name = "periodic_kill";
  result[3].fsync = false;
  result[4].name = "periodic_power_loss";
  result[4].fsync = false;
  result[4].power_loss = true;
  result[4].may_lose = true;
  result[5].name = "first_start";
  result[5].power_loss = true;
  result[5].first_start = true;
  result[6].name = "lsm_kill";
  result[6].type = table_type::lsm;
  result[7].name = "lsm_power_loss";
  result[7].type = table_type::lsm;
  result[7].power_loss = true;
  return result;
}

directory_options options_of(const mode& x, const std::string& directory) {
  auto result = common_options(directory);
  result.engine.fsync = x.fsync;
  result.engine.type = x.type;
  return result;
}

struct totals {
  uint64_t acknowledged = 0;
  uint64_t lost = 0;
  uint64_t wrong = 0;
  uint64_t undone = 0;
};

struct driver {
  mode kind;
  std::string program;
  std::string library;
  std::string directory;
  std::string journal;
  std::mt19937_64 random;
  /// Per shard, the last commit that survived, and the last acknowledged one.
  uint64_t base[shards] = {};
  uint64_t acknowledged[shards] = {};
  totals sum;

  /// `early` is the number of the write or sync at which it dies, 0 for none.
  pid_t start_writer(int out, uint64_t early) const {
    auto child = ::fork();
    if (child != 0)
      return child;
    if (kind.power_loss) {
      ::setenv("LD_PRELOAD", library.c_str(), 1);
      ::setenv(POWER_LOSS_JOURNAL, journal.c_str(), 1);
      if (early > 0)
        ::setenv(POWER_LOSS_AFTER, std::to_string(early).c_str(), 1);
    }
    ::dup2(out, STDOUT_FILENO);
    ::execl(program.c_str(), "crash_test", "writer", kind.name,
            directory.c_str(), nullptr);
    ::_exit(127);
  }

  /// Reads acknowledgements until it is time to kill. False if the writer ended
  /// or hung, which one that dies early may.
  bool follow_writer(int in, uint64_t early) {
    uint64_t polls_left
      = early > 0 && !kind.power_loss ? early : max_silent_polls;
    uint64_t wanted = random() % 12000;
    uint64_t seen = 0;
    while (seen < wanted && polls_left > 0) {
      pollfd readable{in, POLLIN, 0};
      if (::poll(&readable, 1, 1) == 0) {
        --polls_left;
        continue;
      }
      acknowledgement x;
      if (::read(in, &x, sizeof(x)) != sizeof(x))
        return early > 0;
      seen += x.sequence - acknowledged[x.shard];
      acknowledged[x.shard] = x.sequence;
    }
    return polls_left > 0 || early > 0;
  }

  /// What was acknowledged between the decision to kill and the death counts.
  void drain(int in) {
    acknowledgement x;
    while (::read(in, &x, sizeof(x)) == sizeof(x))
      acknowledged[x.shard] = x.sequence;
  }

  /// In a process of its own: a panic ends it, and every other time it ends as
  /// a crash does.
  findings check(bool close_cleanly) const {
    int ends[2];
    findings result;
    if (::pipe(ends) != 0)
      return result;
    auto child = ::fork();
    if (child == 0) {
      result = check_store(options_of(kind, directory), close_cleanly);
      auto n = ::write(ends[1], &result, sizeof(result));
      ::_exit(n == sizeof(result) ? 0 : 1);
    }
    ::close(ends[1]);
    if (::read(ends[0], &result, sizeof(result)) != sizeof(result))
      result = findings{};
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return result;
  }

  bool run_round(int number) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      return false;
    if (kind.first_start) {
      std::filesystem::remove_all(directory);
      std::fill(base, base + shards, 0);
    }
    std::copy(base, base + shards, acknowledged);
    // Some die while they open the store, most after some work.
    bool opening = kind.first_start || random() % 5 == 0;
    auto early = opening ? random() % max_early + 1 : 0;
    auto child = start_writer(ends[1], early);
    ::close(ends[1]);
    bool sane = follow_writer(ends[0], early);
    ::kill(child, SIGKILL);
    drain(ends[0]);
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    if (!sane) {
      std::printf("round %d: the writer ended or hung\n", number);
      return false;
    }
    uint64_t undone = 0;
    if (kind.power_loss) {
      undone = undo_unsynced_writes(journal);
      ::unlink(journal.c_str());
    }
    return judge(number, undone, check(number % 2 == 0));
  }

  bool judge(int number, uint64_t undone, const findings& found) {
    uint64_t count = 0;
    uint64_t lost = 0;
    for (uint32_t shard = 0; shard < shards; ++shard) {
      count += acknowledged[shard] - base[shard];
      if (found.last[shard] < acknowledged[shard])
        lost += acknowledged[shard] - found.last[shard];
      base[shard] = found.last[shard];
    }
    std::printf("round %d: %llu acknowledged, %llu lost, %llu rows and %llu "
                "mirrors wrong, %llu writes undone%s\n",
                number, static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(lost),
                static_cast<unsigned long long>(found.wrong_rows),
                static_cast<unsigned long long>(found.wrong_mirrors),
                static_cast<unsigned long long>(undone),
                found.opened ? "" : ", NOT OPENED");
    sum.acknowledged += count;
    sum.lost += lost;
    sum.wrong += found.wrong_rows + found.wrong_mirrors;
    sum.undone += undone;
    return found.opened;
  }

  bool verdict() const {
    bool ok = sum.wrong == 0 && (sum.acknowledged > 0 || kind.first_start)
              && (kind.may_lose || sum.lost == 0)
              && (!kind.must_lose || sum.lost > 0)
              && (!kind.power_loss || sum.undone > 0);
    std::printf("%s: %llu acknowledged, %llu lost: %s\n", kind.name,
                static_cast<unsigned long long>(sum.acknowledged),
                static_cast<unsigned long long>(sum.lost),
                ok ? "ok" : "FAILED");
    return ok;
  }
};

std::optional<mode> find_mode(const char* name) {
  for (const auto& x : all_modes())
    if (std::strcmp(x.name, name) == 0)
      return x;
  return std::nullopt;
}

int run_driver(const mode& kind, int rounds, const char* library,
               uint64_t seed) {
  test::temporary_directory place;
  std::printf("crash_test %s, seed %llu\n", kind.name,
              static_cast<unsigned long long>(seed));
  driver x;
  x.kind = kind;
  x.program = "/proc/self/exe";
  x.library = library;
  x.directory = place / "data";
  x.journal = place / "journal";
  x.random.seed(seed);
  for (int number = 0; number < rounds; ++number) {
    if (!x.run_round(number))
      return 1;
    std::fflush(stdout);
  }
  return x.verdict() ? 0 : 1;
}

} // namespace

} // namespace covey::storage::crash

int main(int argc, char** argv) {
  using namespace covey::storage::crash;
  auto kind = find_mode(argc > 2 ? argv[2] : "");
  if (argc == 4 && std::strcmp(argv[1], "writer") == 0 && kind)
    return run_writer({options_of(*kind, argv[3]), kind->acknowledge_early},
                      STDOUT_FILENO);
  kind = find_mode(argc > 1 ? argv[1] : "");
  if (argc < 4 || argc > 5 || !kind) {
    std::fputs(usage, stderr);
    return 2;
  }
  uint64_t seed
    = argc == 5 ? std::strtoull(argv[4], nullptr, 10) : std::random_device{}();
  return run_driver(*kind, std::atoi(argv[2]), argv[3], seed);
}
