// covey_shard_ratio: durable puts of a storage shard, as a share of what a
// plain loop over WiredTiger does with the same transactions and flushes, or of
// what the shard does without its Merkle trees.

#include "bench/shard/plain_contestant.hpp"
#include "bench/shard/shard_contestant.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <unistd.h>

namespace {

using namespace covey;
using namespace covey::bench;

/// A record remembers its newest requests: from so many puts on it is as large
/// as it gets.
constexpr uint32_t fill_rounds = 10;

struct settings {
  contest what;
  uint32_t slice_ms = 500;
  uint32_t repeats = 10;
  uint64_t row_bytes = 0;
  bool detached = false;
  bool trees = false;
  std::string directory = std::filesystem::temp_directory_path().string();
};

void add_options(CLI::App& app, settings& out) {
  auto& what = out.what;
  app.add_option("--keys", what.keys, "How many keys there are")
    ->check(CLI::Range(uint64_t{1}, uint64_t{10'000'000}))
    ->capture_default_str();
  app.add_option("--value-size", what.value_size, "Bytes of each value")
    ->check(CLI::Range(size_t{0}, size_t{1} << 20))
    ->capture_default_str();
  app.add_option("--in-flight", what.in_flight, "Puts under way")
    ->check(CLI::Range(size_t{1}, size_t{100'000}))
    ->capture_default_str();
  app.add_option("--slice-ms", out.slice_ms, "How long each run takes")
    ->check(CLI::Range(10u, 3'600'000u))
    ->capture_default_str();
  app.add_option("--repeats", out.repeats, "Runs of each, in turn")
    ->check(CLI::Range(1u, 1000u))
    ->capture_default_str();
  app.add_option("--row-bytes", out.row_bytes,
                 "Rows of the loop; 0: as large as the shard's records");
  app.add_flag("--detached", out.detached,
               "Gives the shard a thread of its own");
  app.add_flag("--trees", out.trees,
               "What the Merkle trees cost: the shard against itself without "
               "them");
  app.add_option("--directory", out.directory, "Where the stores are made")
    ->check(CLI::ExistingDirectory)
    ->capture_default_str();
}

/// Removed with everything in it.
class stores {
public:
  explicit stores(const std::string& parent) : path_(parent + "/covey-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr)
      throw std::runtime_error("cannot create " + path_);
  }
  ~stores() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  stores(const stores&) = delete;
  stores& operator=(const stores&) = delete;

  storage::wiredtiger_options options(const char* name) const {
    storage::wiredtiger_options result;
    result.directory = path_ + "/" + name;
    std::filesystem::create_directories(result.directory);
    return result;
  }

private:
  std::string path_;
};

/// The runs of one contestant.
class runs {
public:
  void add(const result& x) {
    rates_.push_back(x.rate);
    cpu_us_.push_back(x.cpu_us);
  }
  double median_rate() const {
    return median(rates_);
  }
  double best_rate() const {
    return *std::max_element(rates_.begin(), rates_.end());
  }
  double median_cpu_us() const {
    return median(cpu_us_);
  }
  double least_cpu_us() const {
    return *std::min_element(cpu_us_.begin(), cpu_us_.end());
  }

private:
  static double median(std::vector<double> xs) {
    std::sort(xs.begin(), xs.end());
    return xs[xs.size() / 2];
  }

  std::vector<double> rates_;
  std::vector<double> cpu_us_;
};

void print(const char* what, double other, double shard, double ratio) {
  std::printf("%-24s %12.1f %12.1f %8.3f\n", what, other, shard, ratio);
}

void print_all(const char* other, const runs& theirs, const char* shard,
               const runs& ours) {
  std::printf("%-24s %12s %12s %8s\n", "", other, shard, "ratio");
  print("puts/s, median", theirs.median_rate(), ours.median_rate(),
        ours.median_rate() / theirs.median_rate());
  print("puts/s, best", theirs.best_rate(), ours.best_rate(),
        ours.best_rate() / theirs.best_rate());
  print("CPU us a put, median", theirs.median_cpu_us(), ours.median_cpu_us(),
        ours.median_cpu_us() / theirs.median_cpu_us());
  print("CPU us a put, least", theirs.least_cpu_us(), ours.least_cpu_us(),
        ours.least_cpu_us() / theirs.least_cpu_us());
}

shard_contestant::settings how(const settings& asked, bool trees) {
  return {asked.detached, trees};
}

void compete(const settings& asked) {
  stores where{asked.directory};
  shard_contestant shard{asked.what, where.options("shard"), how(asked, true)};
  shard.fill(fill_rounds);
  auto row_bytes = asked.row_bytes > 0 ? asked.row_bytes : shard.record_size();
  plain_contestant plain{asked.what, where.options("plain"), row_bytes};
  plain.fill();
  std::printf(
    "%zu puts under way, %llu keys, values of %zu bytes, records of "
    "%zu, rows of the loop of %zu\n",
    asked.what.in_flight, static_cast<unsigned long long>(asked.what.keys),
    asked.what.value_size, shard.record_size(), static_cast<size_t>(row_bytes));
  runs loop;
  runs ours;
  std::chrono::milliseconds slice{asked.slice_ms};
  for (uint32_t i = 0; i < asked.repeats; ++i) {
    loop.add(plain.run(slice));
    ours.add(shard.run(slice));
  }
  print_all("loop", loop, "shard", ours);
}

void compete_without_trees(const settings& asked) {
  stores where{asked.directory};
  shard_contestant with{asked.what, where.options("with"), how(asked, true)};
  shard_contestant without{asked.what, where.options("without"),
                           how(asked, false)};
  with.fill(fill_rounds);
  without.fill(fill_rounds);
  runs on;
  runs off;
  std::chrono::milliseconds slice{asked.slice_ms};
  // In turn, and in turn who is first: the disk has moods.
  for (uint32_t i = 0; i < asked.repeats; ++i) {
    if (i % 2 == 0)
      off.add(without.run(slice));
    on.add(with.run(slice));
    if (i % 2 != 0)
      off.add(without.run(slice));
  }
  print_all("no trees", off, "trees", on);
}

} // namespace

int main(int argc, char** argv) {
  settings asked;
  CLI::App app{"Durable puts of a storage shard against a plain loop over "
               "WiredTiger with the same transactions and flushes",
               "covey_shard_ratio"};
  add_options(app, asked);
  try {
    app.parse(argc, argv);
    if (asked.trees)
      compete_without_trees(asked);
    else
      compete(asked);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& wrong) {
    std::fprintf(stderr,
                 "covey_shard_ratio: usage: %s. Run it with --help for how to "
                 "use it.\n",
                 wrong.what());
    return 2;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "covey_shard_ratio: %s\n", failure.what());
    return 1;
  }
  return 0;
}
