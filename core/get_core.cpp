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

size_t get_core::next_unasked() const {
  size_t i = 0;
  while (i < order_.size() && (asked_ & bit(order_[i])) != 0)
    ++i;
  return i;
}

get_core::action get_core::start() {
  // Moving a string may move short bytes: the views need a stable home.
  records_.reserve(order_.size());
  action result;
  result.read = need_.choose(order_);
  asked_ = result.read;
  if (result.read == 0) {
    closed_ = true;
    result.fail = true;
  }
  return result;
}

get_core::action get_core::record_from(uint8_t home, std::string bytes) {
  if ((asked_ & bit(home)) == 0 || ((answered_ | failed_) & bit(home)) != 0
      || merged_done_ || closed_)
    return {};
  if (!bytes.empty() && !decode_record(bytes))
    return failed(home);
  records_.emplace_back(home, std::move(bytes));
  answered_ |= bit(home);
  return need_.met(answered_) ? conclude() : action{};
}

get_core::action get_core::failed(uint8_t home) {
  if ((asked_ & bit(home)) == 0 || ((answered_ | failed_) & bit(home)) != 0
      || merged_done_ || closed_)
    return {};
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
  // The next one by preference that brings the level nearer.
  std::vector<uint8_t> candidates;
  for (auto home : order_)
    if ((failed_ & bit(home)) == 0)
      candidates.push_back(home);
  result.read = need_.choose(candidates) & ~asked_;
  asked_ |= result.read;
  return result;
}

get_core::action get_core::slow() {
  action result;
  if (closed_)
    return result;
  if (merged_done_) {
    // A repair that hangs: any other home will do as well.
    for (auto home : order_)
      if (((current_ | repairing_ | failed_) & bit(home)) == 0) {
        result.repair = bit(home);
        repairing_ |= result.repair;
        break;
      }
    return result;
  }
  if (auto i = next_unasked(); i < order_.size()) {
    result.read = bit(order_[i]);
    asked_ |= result.read;
  }
  return result;
}

get_core::action get_core::conclude() {
  merged_done_ = true;
  std::vector<record> parsed;
  parsed.reserve(records_.size());
  for (auto& [home, bytes] : records_)
    parsed.push_back(bytes.empty() ? record{} : *decode_record(bytes));
  merged_ = parsed.front();
  for (size_t i = 1; i < parsed.size(); ++i)
    merged_ = merge(merged_, parsed[i], policy_);
  home_set stale = 0;
  for (size_t i = 0; i < parsed.size(); ++i) {
    if (same_version(parsed[i], merged_))
      current_ |= bit(records_[i].first);
    else
      stale |= bit(records_[i].first);
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
    std::vector<uint8_t> candidates;
    for (auto i : order_)
      if ((failed_ & bit(i)) == 0)
        candidates.push_back(i);
    result.repair = need_.choose(candidates) & ~current_ & ~repairing_;
    repairing_ |= result.repair;
  }
  return judge_repair(result);
}

} // namespace covey::core
