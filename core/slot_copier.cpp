#include "core/slot_copier.hpp"

#include "core/check.hpp"

#include <algorithm>
#include <utility>

namespace covey::core {

slot_copier::slot_copier(const std::vector<group_slot>& slots,
                         std::map<uint32_t, std::vector<uint32_t>> keyspaces,
                         size_t window, uint64_t retry_ms)
  : keyspaces_(std::move(keyspaces)), window_(window), retry_ms_(retry_ms) {
  for (const auto& x : slots) {
    COVEY_CHECK(keyspaces_.count(x.group) != 0);
    COVEY_CHECK(!keyspaces_[x.group].empty());
    waiting_.emplace(x, 0);
  }
  total_ = waiting_.size();
}

void slot_copier::begin(uint64_t now_ms, const source_finder& sources) {
  sums_.stuck = 0;
  for (auto i = waiting_.begin();
       i != waiting_.end() && under_way_.size() < window_;) {
    if (i->second > now_ms) {
      ++i;
      continue;
    }
    auto from = sources(i->first);
    if (from.empty()) {
      ++sums_.stuck;
      ++i;
      continue;
    }
    copy x;
    x.sources = std::move(from);
    under_way_.emplace(i->first, std::move(x));
    i = waiting_.erase(i);
  }
}

slot_copier::work slot_copier::next(uint64_t now_ms,
                                    const source_finder& sources) {
  begin(now_ms, sources);
  work result;
  for (auto& [what, x] : under_way_) {
    if (x.ticket != 0)
      continue;
    x.ticket = ++last_ticket_;
    auto who = x.sources[x.source];
    if (x.comparing)
      result.comparisons.push_back({x.ticket, what, who});
    else
      result.pages.push_back(
        {x.ticket, what, keyspaces_[what.group][x.keyspace], who, x.after});
  }
  return result;
}

slot_copier::copies::iterator slot_copier::find(uint64_t ticket) {
  if (ticket == 0)
    return under_way_.end();
  return std::find_if(under_way_.begin(), under_way_.end(), [&](auto& x) {
    return x.second.ticket == ticket;
  });
}

void slot_copier::stored(uint64_t ticket, const std::string& after,
                         uint64_t records, uint64_t bytes) {
  auto at = find(ticket);
  if (at == under_way_.end() || at->second.comparing)
    return;
  sums_.records += records;
  sums_.bytes += bytes;
  auto& x = at->second;
  x.ticket = 0;
  x.after = after;
  if (!after.empty())
    return;
  if (++x.keyspace < keyspaces_[at->first.group].size())
    return;
  x.keyspace = 0;
  if (++x.source < x.sources.size())
    return;
  x.source = 0;
  x.comparing = true;
}

bool slot_copier::compared(uint64_t ticket, bool equal, uint64_t now_ms) {
  auto at = find(ticket);
  if (at == under_way_.end() || !at->second.comparing)
    return false;
  if (!equal) {
    put_back(at, now_ms);
    return false;
  }
  auto& x = at->second;
  x.ticket = 0;
  if (++x.source < x.sources.size())
    return false;
  under_way_.erase(at);
  return true;
}

void slot_copier::failed(uint64_t ticket, uint64_t now_ms) {
  if (auto at = find(ticket); at != under_way_.end())
    put_back(at, now_ms);
}

void slot_copier::lost(member_index m, uint64_t now_ms) {
  for (auto i = under_way_.begin(); i != under_way_.end();) {
    auto at = i++;
    const auto& from = at->second.sources;
    if (std::find(from.begin(), from.end(), m) != from.end())
      put_back(at, now_ms);
  }
}

void slot_copier::put_back(copies::iterator at, uint64_t now_ms) {
  waiting_[at->first] = now_ms + retry_ms_;
  under_way_.erase(at);
}

slot_copier::progress slot_copier::so_far() const {
  auto result = sums_;
  result.slots = total_;
  result.under_way = under_way_.size();
  result.done = total_ - waiting_.size() - under_way_.size();
  return result;
}

} // namespace covey::core
