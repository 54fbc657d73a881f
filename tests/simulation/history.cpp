#include "tests/simulation/history.hpp"

#include <algorithm>

namespace covey::simulation {

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

bool history::accounted(size_t put, const std::set<size_t>& seen,
                        const get_event& get) const {
  std::vector<size_t> todo{put};
  std::set<size_t> visited{put};
  while (!todo.empty()) {
    auto i = todo.back();
    todo.pop_back();
    // A delete that took effect leaves nothing to see.
    if (seen.count(i) != 0 || puts_[i].tombstone)
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

std::set<size_t> history::replaced_before(size_t put) const {
  std::set<size_t> result;
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

std::vector<std::string> history::check(bool once) const {
  std::vector<std::string> result;
  auto complain = [&](const get_event& get, const std::string& what) {
    result.push_back("get of " + get.key + " at "
                     + std::to_string(get.invoked_us / 1000) + ".."
                     + std::to_string(get.answered_us / 1000) + " ms " + what);
  };
  auto complain_of_replaced
    = [&](const get_event& get, const std::set<size_t>& seen) {
        for (auto i : seen) {
          if (seen.size() > 1)
            for (auto j : replaced_before(i))
              if (seen.count(j) != 0 && !puts_[j].repeated)
                complain(get, "returns " + puts_[j].value + " beside "
                                + puts_[i].value + ", which replaced it");
          auto next = replaced_by_.find(i);
          if (puts_[i].repeated || next == replaced_by_.end())
            continue;
          for (auto j : next->second)
            if (puts_[j].result == outcome::acknowledged
                && puts_[j].answered_us <= get.invoked_us)
              complain(get, "returns " + puts_[i].value + ", which "
                              + puts_[j].value + " replaced, acknowledged at "
                              + std::to_string(puts_[j].answered_us / 1000)
                              + " ms");
        }
      };
  std::vector<std::set<size_t>> sets;
  for (const auto& get : gets_) {
    std::set<size_t> seen;
    for (const auto& value : get.values) {
      auto i = find(value);
      if (i == puts_.size() || puts_[i].key != get.key)
        complain(get, "returns " + value + ", which nobody wrote");
      else if (!seen.insert(i).second)
        complain(get, "returns " + value + " twice");
      else if (puts_[i].result == outcome::refused)
        complain(get, "returns " + value + ", which was refused");
    }
    if (once)
      complain_of_replaced(get, seen);
    sets.push_back(std::move(seen));
  }
  for (size_t g = 0; g < gets_.size(); ++g) {
    const auto& get = gets_[g];
    for (size_t p = 0; p < puts_.size(); ++p) {
      const auto& put = puts_[p];
      auto due = put.key == get.key && put.result == outcome::acknowledged
                 && put.answered_us <= get.invoked_us
                 && (put.by_homes || get.invoked_us >= handed_over_us_);
      if (due && !accounted(p, sets[g], get))
        complain(get, "misses " + put.value + ", acknowledged at "
                        + std::to_string(put.answered_us / 1000) + " ms");
    }
    for (size_t e = 0; e < gets_.size(); ++e) {
      if (gets_[e].key != get.key || gets_[e].answered_us > get.invoked_us)
        continue;
      for (auto i : sets[e])
        if (!accounted(i, sets[g], get))
          complain(get,
                   "goes backwards: it misses " + puts_[i].value + ", read at "
                     + std::to_string(gets_[e].answered_us / 1000) + " ms");
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

} // namespace covey::simulation
