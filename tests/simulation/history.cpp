#include "tests/simulation/history.hpp"

#include <algorithm>

namespace covey::simulation {

struct history::findings {
  std::set<std::string> lines;

  void add(const get_event& get, const std::string& what) {
    lines.insert("get of " + get.key + " at "
                 + std::to_string(get.invoked_us / 1000) + ".."
                 + std::to_string(get.answered_us / 1000) + " ms " + what);
  }
};

/// What later gets have to account for: writes and reads in the order in which
/// they were answered.
struct history::demands {
  struct entry {
    uint64_t answered_us = 0;
    std::vector<size_t> puts;
    uint64_t stamp = 0;
    /// Zero: an acknowledgement; else when a get that saw it was answered.
    uint64_t read_us = 0;
  };
  std::vector<entry> all;

  void sort() {
    std::stable_sort(all.begin(), all.end(), [](const auto& x, const auto& y) {
      return x.answered_us < y.answered_us;
    });
  }
  static std::string because(const put_event& put, uint64_t read_us) {
    if (read_us == 0)
      return "misses " + put.value + ", acknowledged at "
             + std::to_string(put.answered_us / 1000) + " ms";
    return "goes backwards: it misses " + put.value + ", read at "
           + std::to_string(read_us / 1000) + " ms";
  }
};

size_t history::add(put_event put) {
  auto i = puts_.size();
  by_value_[put.value] = i;
  for (auto replaced : put.replaces)
    replaced_by_[replaced].push_back(i);
  puts_.push_back(std::move(put));
  return i;
}

size_t history::find(const std::string& value) const {
  auto i = by_value_.find(value);
  return i != by_value_.end() ? i->second : puts_.size();
}

uint64_t history::due_us(const put_event& put) const {
  if (put.by_homes)
    return put.answered_us;
  auto next = std::lower_bound(handed_over_us_.begin(), handed_over_us_.end(),
                               put.answered_us);
  return next != handed_over_us_.end() ? *next : UINT64_MAX;
}

bool history::leaves_nothing(const put_event& put, uint64_t by_us) const {
  auto may_have_expired
    = put.ttl_us > 0
      && put.invoked_us + put.ttl_us <= by_us + rules_.clock_spread_us;
  return put.tombstone || may_have_expired;
}

bool history::accounted(size_t put, const values& seen,
                        const get_event& get) const {
  std::vector<size_t> todo{put};
  values visited{put};
  while (!todo.empty()) {
    auto i = todo.back();
    todo.pop_back();
    if (seen.count(i) != 0 || leaves_nothing(puts_[i], get.answered_us))
      return true;
    auto next = replaced_by_.find(i);
    if (next == replaced_by_.end())
      continue;
    for (auto j : next->second) {
      auto possible = puts_[j].result != outcome::refused
                      && puts_[j].invoked_us <= get.answered_us;
      if (possible && visited.insert(j).second)
        todo.push_back(j);
    }
  }
  return false;
}

history::values history::replaced_before(size_t put) const {
  values result;
  std::vector<size_t> todo{put};
  while (!todo.empty()) {
    auto i = todo.back();
    todo.pop_back();
    for (auto j : puts_[i].replaces)
      if (result.insert(j).second)
        todo.push_back(j);
  }
  return result;
}

size_t history::replacement_due(size_t put, const get_event& get) const {
  std::vector<size_t> todo{put};
  values visited{put};
  while (!todo.empty()) {
    auto next = replaced_by_.find(todo.back());
    todo.pop_back();
    if (next == replaced_by_.end())
      continue;
    for (auto j : next->second) {
      const auto& later = puts_[j];
      if (later.result == outcome::refused || later.invoked_us > get.invoked_us)
        continue;
      if (later.result == outcome::acknowledged
          && rules_.overlaps[later.access][get.access]
          && due_us(later) <= get.invoked_us)
        return j;
      if (visited.insert(j).second)
        todo.push_back(j);
    }
  }
  return puts_.size();
}

history::values history::look_at(const get_event& get, findings& out) const {
  values seen;
  for (const auto& value : get.values) {
    auto i = find(value);
    if (i == puts_.size() || puts_[i].key != get.key) {
      out.add(get, "returns " + value + ", which nobody wrote");
      continue;
    }
    const auto& put = puts_[i];
    if (!seen.insert(i).second)
      out.add(get, "returns " + value + " twice");
    if (put.result == outcome::refused)
      out.add(get, "returns " + value + ", which was refused");
    if (put.tombstone)
      out.add(get, "returns " + value + ", which is a delete");
    if (put.invoked_us > get.answered_us)
      out.add(get, "returns " + value + ", which is of the future");
    if (put.ttl_us > 0
        && put.deadline_us + put.ttl_us + rules_.clock_spread_us
             < get.invoked_us)
      out.add(get, "returns " + value + ", which has expired");
  }
  if (get.lww && seen.size() > 1)
    out.add(get, "returns several values where the last write wins");
  if (get.lww)
    return seen;
  for (auto i : seen) {
    for (auto j : seen.size() > 1 ? replaced_before(i) : values{})
      if (seen.count(j) != 0 && !puts_[j].repeated)
        out.add(get, "returns " + puts_[j].value + " beside " + puts_[i].value
                       + ", which replaced it");
    auto j = puts_[i].repeated ? puts_.size() : replacement_due(i, get);
    if (j < puts_.size())
      out.add(get, "returns " + puts_[i].value + ", which " + puts_[j].value
                     + " replaced");
  }
  return seen;
}

/// One key's gets at one access, in the order in which they began. What must be
/// accounted for shrinks as it goes: a demand that a later one has replaced
/// follows from that one.
void history::check_siblings(const std::vector<size_t>& order,
                             const std::vector<values>& seen, size_t access,
                             findings& out) const {
  demands due;
  const auto& key = gets_[order.front()].key;
  for (size_t p = 0; p < puts_.size(); ++p)
    if (puts_[p].key == key && puts_[p].result == outcome::acknowledged
        && rules_.overlaps[puts_[p].access][access])
      due.all.push_back({due_us(puts_[p]), {p}, 0, 0});
  for (auto g : order)
    if (const auto& get = gets_[g]; !get.scanned && !seen[g].empty()
                                    && rules_.overlaps[get.access][get.access]
                                    && rules_.overlaps[get.access][access])
      due.all.push_back({get.answered_us,
                         {seen[g].begin(), seen[g].end()},
                         0,
                         get.answered_us});
  due.sort();
  std::map<size_t, uint64_t> frontier;
  values settled;
  auto settle = [&](size_t p) {
    std::vector<size_t> todo{p};
    while (!todo.empty()) {
      auto i = todo.back();
      todo.pop_back();
      for (auto j : puts_[i].replaces)
        if (settled.insert(j).second) {
          frontier.erase(j);
          todo.push_back(j);
        }
    }
  };
  size_t next = 0;
  for (auto g : order) {
    const auto& get = gets_[g];
    if (get.access != access)
      continue;
    for (; next < due.all.size() && due.all[next].answered_us <= get.invoked_us;
         ++next)
      for (auto p : due.all[next].puts)
        if (settled.count(p) == 0
            && frontier.emplace(p, due.all[next].read_us).second)
          settle(p);
    for (auto i = frontier.begin(); i != frontier.end();) {
      auto p = i->first;
      if (!accounted(p, seen[g], get))
        out.add(get, demands::because(puts_[p], i->second));
      if (leaves_nothing(puts_[p], get.invoked_us)) {
        settled.insert(p);
        i = frontier.erase(i);
      } else {
        ++i;
      }
    }
  }
}

std::multimap<uint64_t, size_t>
history::by_stamp(const std::string& key) const {
  std::multimap<uint64_t, size_t> result;
  for (size_t p = 0; p < puts_.size(); ++p)
    if (const auto& put = puts_[p]; put.key == key && put.stamp != 0
                                    && put.result == outcome::acknowledged
                                    && !put.repeated)
      result.emplace(put.stamp, p);
  return result;
}

void history::check_stamps(const std::vector<size_t>& order,
                           const std::vector<values>& seen, size_t access,
                           findings& out) const {
  demands due;
  const auto& key = gets_[order.front()].key;
  const auto stamped = by_stamp(key);
  uint64_t may_be_gone = UINT64_MAX;
  for (size_t p = 0; p < puts_.size(); ++p) {
    const auto& put = puts_[p];
    if (put.key != key || put.result == outcome::refused)
      continue;
    if (put.tombstone || put.ttl_us > 0)
      may_be_gone = std::min(may_be_gone, put.invoked_us);
    if (put.result == outcome::acknowledged
        && rules_.overlaps[put.access][access])
      due.all.push_back({due_us(put), {p}, put.stamp, 0});
  }
  for (auto g : order)
    if (const auto& get = gets_[g]; !get.scanned
                                    && rules_.overlaps[get.access][get.access]
                                    && rules_.overlaps[get.access][access])
      due.all.push_back({get.answered_us, {}, get.stamp, get.answered_us});
  due.sort();
  size_t next = 0;
  demands::entry newest;
  for (auto g : order) {
    const auto& get = gets_[g];
    if (get.access != access)
      continue;
    for (; next < due.all.size() && due.all[next].answered_us <= get.invoked_us;
         ++next)
      if (due.all[next].stamp > newest.stamp)
        newest = due.all[next];
    auto stamp = get.stamp;
    if (!seen[g].empty()) {
      const auto& put = puts_[*seen[g].begin()];
      // Two homes may have executed a put that was sent twice.
      auto known = put.result == outcome::acknowledged && !put.repeated
                   && put.stamp != 0;
      if (get.scanned)
        stamp = known ? put.stamp : UINT64_MAX;
      else if (known && put.stamp != get.stamp)
        out.add(get, "returns " + put.value + ", which is not the newest");
    } else if (get.scanned) {
      stamp = UINT64_MAX;
    }
    if (stamp < newest.stamp)
      out.add(get, newest.read_us == 0
                     ? demands::because(puts_[newest.puts.front()], 0)
                     : "goes backwards: it misses what was read at "
                         + std::to_string(newest.read_us / 1000) + " ms");
    if (seen[g].empty() && newest.stamp != 0 && may_be_gone > get.answered_us)
      out.add(get, "finds nothing, though nobody deleted it");
    if (get.scanned)
      continue;
    // Its stamp tells whose value it must return, or whose absence.
    auto [first, last] = stamped.equal_range(get.stamp);
    auto explains = [&](const auto& x) {
      return seen[g].empty() ? leaves_nothing(puts_[x.second], get.answered_us)
                             : seen[g].count(x.second) != 0;
    };
    if (first != last && std::none_of(first, last, explains))
      out.add(get, "does not return " + puts_[first->second].value
                     + ", whose stamp it has");
  }
}

std::vector<std::string> history::check() const {
  findings out;
  for (const auto& put : puts_)
    if (put.strict && put.result == outcome::acknowledged && !put.by_homes)
      out.lines.insert("put of " + put.value
                       + " is strict, and fallbacks "
                         "acknowledged it");
  std::vector<values> seen;
  std::map<std::string, std::vector<size_t>> by_key;
  for (size_t g = 0; g < gets_.size(); ++g) {
    seen.push_back(look_at(gets_[g], out));
    by_key[gets_[g].key].push_back(g);
  }
  for (auto& [key, order] : by_key) {
    std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) {
      return gets_[x].invoked_us < gets_[y].invoked_us;
    });
    for (size_t access = 0; access < rules_.overlaps.size(); ++access) {
      if (gets_[order.front()].lww)
        check_stamps(order, seen, access, out);
      else
        check_siblings(order, seen, access, out);
    }
  }
  return {out.lines.begin(), out.lines.end()};
}

} // namespace covey::simulation
