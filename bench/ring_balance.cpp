// How evenly the ring spreads slots, how much moves, how long a table takes:
// the figures of docs/design/ring.md.

#include "core/ring.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace covey::core;

namespace {

constexpr uint32_t replicas = 3;

member make_member(size_t i, uint32_t weight) {
  member result;
  result.name = "n" + std::to_string(i + 1);
  result.weight = weight;
  return result;
}

std::vector<member> make_members(size_t n) {
  std::vector<member> result;
  for (size_t i = 0; i < n; ++i)
    result.push_back(make_member(i, 1));
  return result;
}

ring make_ring(const std::vector<member>& members) {
  replication_spec spec;
  spec.total = replicas;
  return ring{members, spec};
}

/// Share of the (slot, home) pairs of `to` that are not in `from`. Members have
/// the same index in both.
double moved(const ring& from, const ring& to) {
  size_t result = 0;
  for (uint32_t slot = 0; slot < slot_count; ++slot) {
    auto xs = to.at(static_cast<uint16_t>(slot));
    auto ys = from.at(static_cast<uint16_t>(slot));
    for (uint32_t i = 0; i < xs.homes; ++i)
      result += ys.is_home(xs[i]) ? 0 : 1;
  }
  return static_cast<double>(result) / (slot_count * replicas);
}

/// Fastest of five builds, in milliseconds.
double build_ms(const std::vector<member>& members) {
  auto result = 1e9;
  for (int i = 0; i < 5; ++i) {
    auto start = std::chrono::steady_clock::now();
    make_ring(members);
    std::chrono::duration<double, std::milli> took
      = std::chrono::steady_clock::now() - start;
    result = std::min(result, took.count());
  }
  return result;
}

void print_balance(size_t n) {
  auto members = make_members(n);
  auto here = make_ring(members);
  uint32_t most = 0;
  uint32_t least = slot_count;
  for (size_t m = 0; m < n; ++m) {
    auto slots = here.slots_of(static_cast<member_index>(m));
    most = std::max(most, slots);
    least = std::min(least, slots);
  }
  auto mean = double{slot_count} * replicas / static_cast<double>(n);
  std::printf("| %zu | %.0f | %.3f | %.3f |", n, mean, most / mean,
              least / mean);
  auto join = moved(here, make_ring(make_members(n + 1)));
  std::printf(" %.3f %% (%.3f %%) |", 100 * join, 100.0 / (n + 1.0));
  if (n > replicas) {
    // The last member leaves, so that the others keep their indexes.
    auto leave = moved(here, make_ring(make_members(n - 1)));
    std::printf(" %.3f %% (%.3f %%) |", 100 * leave, 100.0 / n);
  } else {
    std::printf(" - |");
  }
  std::printf(" %.1f |\n", build_ms(members));
}

/// Chance that a member of weight `heavy` among `others` of weight 1 is drawn
/// in `replicas` draws by weight without putting back: what a perfectly even
/// ring would give it.
double ideal_share(double heavy, double others) {
  auto missed = 1.0;
  for (uint32_t i = 0; i < replicas; ++i)
    missed *= (others - i) / (others - i + heavy);
  return 1 - missed;
}

void print_weights() {
  auto members = make_members(10);
  members[0].weight = 2;
  auto r = make_ring(members);
  auto mine = double(r.slots_of(0));
  auto mean = (double{slot_count} * replicas - mine) / 9;
  auto share = ideal_share(2, 9);
  auto ideal = share / ((replicas - share) / 9);
  std::printf("| 1 of weight 2 among 10 | %.0f | %.0f | %.2f | %.2f |\n", mine,
              mean, mine / mean, ideal);
}

} // namespace

int main() {
  std::puts("| nodes | mean slots | max/mean | min/mean | moves at a join "
            "(ideal) | moves at a leave (ideal) | build, ms |\n"
            "| --- | --- | --- | --- | --- | --- | --- |");
  for (size_t n : {3, 10, 100, 1000})
    print_balance(n);
  std::puts("\n| weights | slots of it | mean of the others | ratio | ratio of "
            "an even ring |\n"
            "| --- | --- | --- | --- | --- |");
  print_weights();
}
