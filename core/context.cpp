#include "core/context.hpp"

#include "core/bytes.hpp"
#include "core/check.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace covey::core {

namespace {

bool inc_less(const dot& x, const dot& y) {
  return x.inc < y.inc;
}

/// First entry of `xs` under `inc` or a higher incarnation.
template <class Entries>
auto lower_bound_inc(Entries& xs, incarnation inc) {
  return std::lower_bound(xs.begin(), xs.end(), dot{inc, 0});
}

bool valid(const dot& d) {
  return d.inc != 0 && d.counter != 0;
}

bool strictly_ascending(const context::entries& xs) {
  return std::adjacent_find(xs.begin(), xs.end(),
                            [](const dot& x, const dot& y) {
                              return !(x < y);
                            })
         == xs.end();
}

// Fewest bytes that a vector entry and a dot take.
constexpr size_t min_entry_size = 9;
constexpr size_t min_dot_size = 2;

} // namespace

std::optional<context> context::from_parts(entries vector, entries singles) {
  if (!std::all_of(vector.begin(), vector.end(), valid)
      || !std::all_of(singles.begin(), singles.end(), valid)
      || !strictly_ascending(singles))
    return std::nullopt;
  for (size_t i = 1; i < vector.size(); ++i)
    if (vector[i - 1].inc >= vector[i].inc)
      return std::nullopt;
  context result;
  result.vector_ = std::move(vector);
  for (const auto& d : singles)
    if (result.counter(d.inc) >= d.counter)
      return std::nullopt;
  result.singles_ = std::move(singles);
  return result;
}

bool context::covers(const dot& d) const {
  return counter(d.inc) >= d.counter
         || std::binary_search(singles_.begin(), singles_.end(), d);
}

bool context::covers(const context& other) const {
  for (const auto& theirs : other.vector_) {
    auto known = counter(theirs.inc);
    // Single dots can fill what the vector part lacks.
    while (known < theirs.counter && covers(dot{theirs.inc, known + 1}))
      ++known;
    if (known < theirs.counter)
      return false;
  }
  return std::all_of(other.singles_.begin(), other.singles_.end(),
                     [this](const dot& d) {
                       return covers(d);
                     });
}

void context::advance(const dot& d) {
  COVEY_CHECK(d.inc != 0);
  if (d.counter == 0)
    return;
  auto i = lower_bound_inc(vector_, d.inc);
  if (i == vector_.end() || i->inc != d.inc)
    vector_.insert(i, d);
  else if (i->counter < d.counter)
    i->counter = d.counter;
  compact();
}

void context::add(const dot& d) {
  COVEY_CHECK(valid(d));
  if (!covers(d))
    singles_.insert(std::lower_bound(singles_.begin(), singles_.end(), d), d);
}

void context::join(const context& other) {
  auto missing = false;
  auto i = vector_.begin();
  for (const auto& theirs : other.vector_) {
    i = std::lower_bound(i, vector_.end(), theirs, inc_less);
    if (i == vector_.end() || i->inc != theirs.inc)
      missing = true;
    else
      i->counter = std::max(i->counter, theirs.counter);
  }
  if (missing) {
    entries both;
    both.reserve(vector_.size() + other.vector_.size());
    std::set_union(vector_.begin(), vector_.end(), other.vector_.begin(),
                   other.vector_.end(), std::back_inserter(both), inc_less);
    vector_ = std::move(both);
  }
  if (!other.singles_.empty()) {
    entries both;
    both.reserve(singles_.size() + other.singles_.size());
    std::set_union(singles_.begin(), singles_.end(), other.singles_.begin(),
                   other.singles_.end(), std::back_inserter(both));
    singles_ = std::move(both);
  }
  compact();
}

uint64_t context::counter(incarnation inc) const {
  auto i = lower_bound_inc(vector_, inc);
  return i != vector_.end() && i->inc == inc ? i->counter : 0;
}

uint64_t context::highest(incarnation inc) const {
  auto result = counter(inc);
  for (const auto& d : singles_)
    if (d.inc == inc)
      result = std::max(result, d.counter);
  return result;
}

void context::forget(incarnation inc) {
  auto is_of_inc = [inc](const dot& d) {
    return d.inc == inc;
  };
  vector_.erase(std::remove_if(vector_.begin(), vector_.end(), is_of_inc),
                vector_.end());
  singles_.erase(std::remove_if(singles_.begin(), singles_.end(), is_of_inc),
                 singles_.end());
}

void context::limit_singles(size_t limit) {
  if (singles_.size() > limit)
    singles_.erase(singles_.begin(),
                   singles_.end() - static_cast<std::ptrdiff_t>(limit));
}

// Contiguous single dots stay single: counters are given per shard, so the gap
// between two dots of a key says nothing about writes in between.
void context::compact() {
  if (singles_.empty())
    return;
  auto covered = [this](const dot& d) {
    return counter(d.inc) >= d.counter;
  };
  singles_.erase(std::remove_if(singles_.begin(), singles_.end(), covered),
                 singles_.end());
}

bool operator==(const context& x, const context& y) {
  return x.vector() == y.vector() && x.singles() == y.singles();
}

void encode(const context& c, byte_writer& out) {
  out.varint(c.vector().size());
  for (const auto& d : c.vector()) {
    out.u64(d.inc);
    out.varint(d.counter);
  }
  out.varint(c.singles().size());
  for (const auto& d : c.singles())
    encode(d, c.vector(), out);
}

std::optional<context> decode_context(byte_reader& in) {
  context::entries vector;
  auto n = in.varint();
  if (n > in.remaining() / min_entry_size)
    return std::nullopt;
  vector.reserve(n);
  for (; n > 0; --n) {
    auto inc = in.u64();
    vector.push_back({inc, in.varint()});
  }
  context::entries singles;
  n = in.varint();
  if (!in.ok() || n > in.remaining() / min_dot_size)
    return std::nullopt;
  singles.reserve(n);
  for (; n > 0; --n) {
    auto d = decode_dot(in, vector);
    if (!d)
      return std::nullopt;
    singles.push_back(*d);
  }
  return context::from_parts(std::move(vector), std::move(singles));
}

void encode(const dot& d, const context::entries& vector, byte_writer& out) {
  auto i = lower_bound_inc(vector, d.inc);
  if (i != vector.end() && i->inc == d.inc) {
    out.varint(static_cast<uint64_t>(i - vector.begin()) + 1);
  } else {
    out.varint(0);
    out.u64(d.inc);
  }
  out.varint(d.counter);
}

std::optional<dot> decode_dot(byte_reader& in, const context::entries& vector) {
  auto index = in.varint();
  if (index > vector.size())
    return std::nullopt;
  auto inc = index == 0 ? in.u64() : vector[index - 1].inc;
  dot result{inc, in.varint()};
  if (!in.ok() || !valid(result))
    return std::nullopt;
  return result;
}

} // namespace covey::core
