#include "core/get_core.hpp"

#include <utility>

namespace covey::core {

namespace {

home_set bit(uint8_t home) {
  return home_set{1} << home;
}

} // namespace

home_set get_core::usable() const {
  home_set result = 0;
  for (auto home : order_)
    result |= bit(home);
  return result;
}

home_set get_core::first_of(home_set homes) const {
  for (auto home : order_)
    if ((homes & bit(home)) != 0)
      return bit(home);
  return 0;
}

void get_core::ask_in_full(home_set homes, action& what) {
  what.read |= homes;
  asked_ |= homes;
  full_awaited_ |= homes;
}

void get_core::ask_for_digests(home_set homes, action& what) {
  what.digest |= homes;
  asked_ |= homes;
  digest_awaited_ |= homes;
}

get_core::action get_core::start() {
  // Moving a string may move short bytes: the views need a stable home. One
  // more for what a digest of nothing stands for.
  records_.reserve(order_.size() + 1);
  action result;
  auto wanted = need_.choose(order_);
  if (wanted == 0) {
    closed_ = true;
    result.fail = true;
    return result;
  }
  auto full = first_of(wanted);
  ask_in_full(full, result);
  ask_for_digests(wanted & ~full, result);
  return result;
}

get_core::action get_core::record_from(uint8_t home, std::string bytes) {
  if ((awaited() & bit(home)) == 0 || !reading())
    return {};
  size_t i = 0;
  while (i < records_.size() && records_[i].bytes != bytes)
    ++i;
  if (i == records_.size()) {
    records_.emplace_back();
    records_[i].bytes = std::move(bytes);
    if (!records_[i].bytes.empty()) {
      auto parsed = decode_record(records_[i].bytes);
      if (!parsed) {
        records_.pop_back();
        return failed(home);
      }
      records_[i].parsed = std::move(*parsed);
    }
  }
  got_record_ = true;
  resolve(home, i);
  return progress();
}

get_core::action get_core::digest_from(uint8_t home, uint64_t hash) {
  if ((awaited() & bit(home)) == 0 || !reading())
    return {};
  // Not what it was asked for.
  if ((digest_awaited_ & bit(home)) == 0)
    return failed(home);
  digest_awaited_ &= ~bit(home);
  answered_ |= bit(home);
  digests_[home] = hash;
  return progress();
}

void get_core::resolve(uint8_t home, size_t index) {
  answered_ |= bit(home);
  resolved_ |= bit(home);
  // Its record may be under way, and is not needed any more.
  full_awaited_ &= ~bit(home);
  digest_awaited_ &= ~bit(home);
  index_of_[home] = static_cast<uint8_t>(index);
}

std::optional<size_t> get_core::record_of_hash(uint64_t hash) {
  for (size_t i = 0; i < records_.size(); ++i) {
    auto& x = records_[i];
    if (!x.hash)
      x.hash = version_hash(x.parsed);
    if (*x.hash == hash)
      return i;
  }
  // No record needs no fetching.
  if (hash != version_hash({}))
    return std::nullopt;
  records_.emplace_back();
  records_.back().hash = hash;
  return records_.size() - 1;
}

void get_core::match_digests() {
  for (auto home : order_)
    if ((answered_ & ~resolved_ & bit(home)) != 0)
      if (auto i = record_of_hash(digests_[home]))
        resolve(home, *i);
}

void get_core::fetch_differing(action& what) {
  // Before the first record there is nothing to differ from.
  if (got_record_)
    ask_in_full(answered_ & ~resolved_ & ~full_awaited_, what);
}

get_core::action get_core::progress() {
  match_digests();
  if (need_.met(resolved_))
    return conclude();
  action result;
  fetch_differing(result);
  return result;
}

get_core::action get_core::failed(uint8_t home) {
  if ((awaited() & bit(home)) == 0 || !reading())
    return {};
  full_awaited_ &= ~bit(home);
  digest_awaited_ &= ~bit(home);
  answered_ &= ~bit(home);
  failed_ |= bit(home);
  return ask_more();
}

get_core::action get_core::ask_more() {
  action result;
  if (!need_.possible(failed_ | (~usable() & 0xffff))) {
    closed_ = true;
    result.fail = true;
    return result;
  }
  // The next ones by preference that bring the level nearer.
  home_order candidates;
  for (auto home : order_)
    if ((failed_ & bit(home)) == 0)
      candidates.push_back(home);
  auto wanted = need_.choose(candidates);
  auto fresh = wanted & ~asked_;
  if (!got_record_ && full_awaited_ == 0) {
    // The record itself was lost: somebody else's, best of one not asked yet.
    auto full = first_of(fresh != 0 ? fresh : wanted);
    ask_in_full(full, result);
    fresh &= ~full;
  }
  ask_for_digests(fresh, result);
  return result;
}

get_core::action get_core::slow() {
  action result;
  if (closed_)
    return result;
  if (merged_done_) {
    // A repair that hangs: any other home will do as well.
    result.repair = first_of(usable() & ~(current_ | repairing_ | failed_));
    repairing_ |= result.repair;
    return result;
  }
  auto extra = first_of(usable() & ~asked_);
  if (got_record_)
    ask_for_digests(extra, result);
  else
    ask_in_full(extra, result);
  return result;
}

get_core::action get_core::conclude() {
  merged_done_ = true;
  merged_ = records_.front().parsed;
  for (size_t i = 1; i < records_.size(); ++i)
    merged_ = merge(merged_, records_[i].parsed, policy_);
  home_set stale = 0;
  for (auto home : order_) {
    if ((resolved_ & bit(home)) == 0)
      continue;
    if (same_version(records_[index_of_[home]].parsed, merged_))
      current_ |= bit(home);
    else
      stale |= bit(home);
  }
  action result;
  if (stale != 0)
    encode(merged_, merged_bytes_);
  result.repair = stale;
  repairing_ = stale;
  if (!need_.overlaps_itself() || need_.met(current_)) {
    closed_ = true;
    result.answer = true;
  }
  return result;
}

get_core::action get_core::judge_repair(action so_far) {
  if (closed_)
    return so_far;
  if (need_.met(current_)) {
    closed_ = true;
    so_far.answer = true;
  } else if (!need_.possible(failed_ | (~usable() & 0xffff))) {
    closed_ = true;
    so_far.fail = true;
  }
  return so_far;
}

get_core::action get_core::repaired(uint8_t home) {
  if ((repairing_ & bit(home)) == 0)
    return {};
  repairing_ &= ~bit(home);
  current_ |= bit(home);
  return judge_repair({});
}

get_core::action get_core::repair_failed(uint8_t home) {
  if ((repairing_ & bit(home)) == 0)
    return {};
  repairing_ &= ~bit(home);
  failed_ |= bit(home);
  action result;
  if (!closed_) {
    // Any homes will do: give it to those that were not read.
    home_order candidates;
    for (auto i : order_)
      if ((failed_ & bit(i)) == 0)
        candidates.push_back(i);
    result.repair = need_.choose(candidates) & ~current_ & ~repairing_;
    repairing_ |= result.repair;
  }
  return judge_repair(result);
}

} // namespace covey::core
