// What core costs a request: slots, records, contexts, filters.

#include "bench/key_space.hpp"
#include "core/bloom_filter.hpp"
#include "core/context_token.hpp"
#include "core/record.hpp"
#include "core/slot.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace covey::bench;
using namespace covey::core;

constexpr int64_t small_value = 100;
constexpr int64_t large_value = 10 << 10;

/// A record that `puts` puts under `shards` incarnations have written, each
/// with the context of the one before.
record make_record(uint64_t puts, uint64_t shards, std::string_view value) {
  record result;
  for (uint64_t i = 1; i <= puts; ++i) {
    write w;
    w.seen = result.seen;
    w.fresh.id = {1 + i % shards, i};
    w.fresh.stamp = i;
    w.fresh.request = {i, i};
    w.fresh.value = value;
    apply(result, w, conflict_policy::lww);
  }
  return result;
}

void slot_of_key(benchmark::State& state) {
  auto key = key_of(4711);
  for (auto _ : state)
    benchmark::DoNotOptimize(slot_of(key, false));
}
BENCHMARK(slot_of_key);

/// What a shard does for a put besides storage.
void put_into_record(benchmark::State& state) {
  std::string value(static_cast<size_t>(state.range(0)), 'v');
  std::string bytes;
  encode(make_record(9, 3, value), bytes);
  std::string out;
  uint64_t counter = 100;
  for (auto _ : state) {
    auto r = *decode_record(bytes);
    write w;
    w.fresh.id = {1, ++counter};
    w.fresh.stamp = counter;
    w.fresh.request = {counter, counter};
    w.fresh.value = value;
    apply(r, w, conflict_policy::lww);
    out.clear();
    encode(r, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(put_into_record)->Arg(small_value)->Arg(large_value);

/// What a replica does for a write, and a coordinator for a read, besides.
void merge_records(benchmark::State& state) {
  std::string value(static_cast<size_t>(state.range(0)), 'v');
  std::string older;
  std::string newer;
  encode(make_record(9, 3, value), older);
  encode(make_record(10, 3, value), newer);
  for (auto _ : state) {
    auto x = *decode_record(older);
    auto y = *decode_record(newer);
    benchmark::DoNotOptimize(merge(x, y, conflict_policy::lww));
  }
}
BENCHMARK(merge_records)->Arg(small_value)->Arg(large_value);

void read_record(benchmark::State& state) {
  std::string value(static_cast<size_t>(state.range(0)), 'v');
  std::string bytes;
  encode(make_record(9, 3, value), bytes);
  for (auto _ : state)
    benchmark::DoNotOptimize(decode_record(bytes));
}
BENCHMARK(read_record)->Arg(small_value)->Arg(large_value);

void context_there_and_back(benchmark::State& state) {
  auto key = key_of(4711);
  token_binding binding{99, 1, key};
  token t{make_record(9, 3, "v").seen, 9};
  for (auto _ : state) {
    auto bytes = encode_token(t, binding);
    benchmark::DoNotOptimize(decode_token(bytes, binding));
  }
}
BENCHMARK(context_there_and_back);

void ask_filter(benchmark::State& state) {
  constexpr uint64_t keys = 100'000;
  bloom_filter filter{keys};
  for (uint64_t i = 0; i < keys; ++i)
    filter.add(key_of(i));
  uint64_t next = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(filter.maybe_contains(key_of(next++ % keys)));
}
BENCHMARK(ask_filter);

} // namespace
