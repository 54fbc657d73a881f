#include "core/record.hpp"

#include "core/check.hpp"
#include "core/hash.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>

namespace covey::core {

namespace {

bool id_less(const sibling& x, const sibling& y) {
  return x.id < y.id;
}

bool rank_less(const sibling& x, const sibling& y) {
  return std::tie(x.stamp, x.id) < std::tie(y.stamp, y.id);
}

bool newer(const executed_request& x, const executed_request& y) {
  return std::tie(y.stamp, y.id) < std::tie(x.stamp, x.id);
}

/// One of two siblings of the same dot, whatever their order. An expired value
/// turns into a tombstone under its dot, and the tombstone is the later state.
const sibling& later_state(const sibling& x, const sibling& y) {
  auto key = [](const sibling& s) {
    return std::tie(s.tombstone, s.stamp, s.expires_at_ms, s.request, s.value);
  };
  return key(x) < key(y) ? y : x;
}

/// The siblings that survive when `x` meets `y`, before requests are looked at.
std::vector<sibling> join_siblings(const record& x, const record& y) {
  std::vector<sibling> result;
  result.reserve(x.siblings.size() + y.siblings.size());
  auto i = x.siblings.begin();
  auto j = y.siblings.begin();
  while (i != x.siblings.end() || j != y.siblings.end()) {
    if (j == y.siblings.end() || (i != x.siblings.end() && i->id < j->id)) {
      if (!y.seen.covers(i->id))
        result.push_back(*i);
      ++i;
    } else if (i == x.siblings.end() || j->id < i->id) {
      if (!x.seen.covers(j->id))
        result.push_back(*j);
      ++j;
    } else {
      result.push_back(later_state(*i++, *j++));
    }
  }
  return result;
}

/// True if `r` may have had `e` and dropped it for newer ones.
bool may_have_forgotten(const record& r, const executed_request& e) {
  return r.executed.size() >= record::max_executed
         && newer(r.executed.back(), e);
}

/// `e`, which only one of two records remembers, as both together know it. If
/// the other covers its dot without ever having taken it in, then through the
/// context of a writer that knew it.
executed_request joined(executed_request e, const record& other) {
  e.superseded |= !may_have_forgotten(other, e) && other.seen.covers(e.id);
  return e;
}

/// All entries of both, newest first, not yet cut to `max_executed`.
std::vector<executed_request> join_executed(const record& x, const record& y) {
  std::vector<executed_request> result;
  result.reserve(x.executed.size() + y.executed.size());
  auto i = x.executed.begin();
  auto j = y.executed.begin();
  while (i != x.executed.end() || j != y.executed.end()) {
    if (j == y.executed.end() || (i != x.executed.end() && newer(*i, *j))) {
      result.push_back(joined(*i++, y));
    } else if (i == x.executed.end() || newer(*j, *i)) {
      result.push_back(joined(*j++, x));
    } else {
      result.push_back(*i++);
      result.back().superseded |= j++->superseded;
    }
  }
  return result;
}

/// True if the request of `s` has been replaced, under any of its dots, or is
/// alive under a smaller dot.
bool repeats(const sibling& s, const record& r) {
  if (!s.request)
    return false;
  return std::any_of(r.executed.begin(), r.executed.end(),
                     [&s](const executed_request& e) {
                       return e.superseded && e.request == s.request;
                     })
         || std::any_of(r.siblings.begin(), r.siblings.end(),
                        [&s](const sibling& other) {
                          return other.request == s.request && other.id < s.id;
                        });
}

/// Removes siblings that repeat a request, with all of them in view.
void collapse(record& r) {
  auto repeated = [&r](const sibling& s) {
    return repeats(s, r);
  };
  if (std::none_of(r.siblings.begin(), r.siblings.end(), repeated))
    return;
  std::vector<sibling> kept;
  std::remove_copy_if(r.siblings.begin(), r.siblings.end(),
                      std::back_inserter(kept), repeated);
  r.siblings = std::move(kept);
}

void remember(record& r, const sibling& s) {
  if (!s.request)
    return;
  executed_request e{s.request, s.id, s.stamp, false};
  r.executed.insert(
    std::upper_bound(r.executed.begin(), r.executed.end(), e, newer), e);
}

void bound(record& r) {
  if (r.executed.size() > record::max_executed)
    r.executed.resize(record::max_executed);
  if (r.seen.singles().size() <= record::max_singles)
    return;
  r.seen.limit_singles(record::max_singles);
  // What a client reads it must be able to replace.
  for (const auto& s : r.siblings)
    r.seen.add(s.id);
}

/// Leaves the highest (stamp, dot) of all siblings alone.
void keep_winner(std::vector<sibling>& siblings) {
  if (siblings.size() < 2)
    return;
  auto winner = siblings.front();
  for (const auto& s : siblings) {
    if (s.id == winner.id)
      winner = later_state(s, winner);
    else if (rank_less(winner, s))
      winner = s;
  }
  siblings.assign(1, winner);
}

} // namespace

uint64_t record::highest_stamp() const {
  uint64_t result = 0;
  for (const auto& s : siblings)
    result = std::max(result, s.stamp);
  return result;
}

std::optional<executed_request> find_executed(const record& r,
                                              const request_id& id) {
  std::optional<executed_request> result;
  if (!id)
    return result;
  auto superseded = false;
  auto consider = [&result](const executed_request& e) {
    if (!result || e.id < result->id)
      result = e;
  };
  for (const auto& e : r.executed) {
    if (e.request == id) {
      consider(e);
      superseded |= e.superseded;
    }
  }
  // A sibling outlives the memory of its request.
  for (const auto& s : r.siblings)
    if (s.request == id)
      consider({id, s.id, s.stamp, false});
  if (result)
    result->superseded = superseded;
  return result;
}

void apply(record& r, const write& w, conflict_policy policy) {
  COVEY_CHECK(!r.seen.covers(w.fresh.id) && !w.seen.covers(w.fresh.id));
  COVEY_CHECK(!find_executed(r, w.fresh.request));
  // One dot of a request suffices: all of its dots carry the same write.
  for (auto& e : r.executed)
    e.superseded |= w.seen.covers(e.id);
  if (policy == conflict_policy::siblings) {
    collapse(r);
    r.siblings.erase(std::remove_if(r.siblings.begin(), r.siblings.end(),
                                    [&w](const sibling& s) {
                                      return w.seen.covers(s.id);
                                    }),
                     r.siblings.end());
  }
  r.seen.join(w.seen);
  r.seen.advance(w.fresh.id);
  r.siblings.insert(
    std::upper_bound(r.siblings.begin(), r.siblings.end(), w.fresh, id_less),
    w.fresh);
  if (policy == conflict_policy::lww)
    keep_winner(r.siblings);
  remember(r, w.fresh);
  bound(r);
}

record merge(const record& x, const record& y, conflict_policy policy) {
  record result;
  result.seen = x.seen;
  result.seen.join(y.seen);
  result.executed = join_executed(x, y);
  if (policy == conflict_policy::siblings) {
    result.siblings = join_siblings(x, y);
    collapse(result);
  } else {
    // Who is covered does not matter: were the highest write removed by a
    // lower one here and kept there, two records could empty each other.
    result.siblings = x.siblings;
    result.siblings.insert(result.siblings.end(), y.siblings.begin(),
                           y.siblings.end());
    keep_winner(result.siblings);
  }
  bound(result);
  return result;
}

bool same_version(const record& x, const record& y) {
  return x.seen == y.seen
         && std::equal(x.siblings.begin(), x.siblings.end(), y.siblings.begin(),
                       y.siblings.end(),
                       [](const sibling& a, const sibling& b) {
                         return a.id == b.id;
                       });
}

// DO NOT REORDER: leaves of Merkle trees are compared across nodes.
uint64_t version_hash(const record& r) {
  auto dots
    = r.seen.vector().size() + r.seen.singles().size() + r.siblings.size();
  auto size = 8 * (3 + 2 * dots);
  // Every write hashes two versions: nearly all fit in here.
  std::array<char, 512> few;
  std::string many;
  auto* out = few.data();
  if (size > few.size()) {
    many.resize(size);
    out = many.data();
  }
  std::string_view bytes{out, size};
  auto write = [&out](uint64_t x) {
    for (int shift = 56; shift >= 0; shift -= 8)
      *out++ = static_cast<char>(x >> shift);
  };
  auto write_dot = [&write](const dot& d) {
    write(d.inc);
    write(d.counter);
  };
  write(r.seen.vector().size());
  for (const auto& d : r.seen.vector())
    write_dot(d);
  write(r.seen.singles().size());
  for (const auto& d : r.seen.singles())
    write_dot(d);
  write(r.siblings.size());
  for (const auto& s : r.siblings)
    write_dot(s.id);
  return hash64(bytes);
}

void strip_values(record& r) {
  for (auto& s : r.siblings) {
    s.value = {};
    s.request = {};
  }
  r.executed.clear();
}

void bound_clock(record& r, const std::vector<incarnation>& retired,
                 size_t limit) {
  for (auto inc : retired) {
    if (r.seen.vector().size() <= limit)
      return;
    auto used = std::any_of(r.siblings.begin(), r.siblings.end(),
                            [inc](const sibling& s) {
                              return s.id.inc == inc;
                            });
    if (!used && r.seen.counter(inc) > 0)
      r.seen.forget(inc);
  }
}

} // namespace covey::core
