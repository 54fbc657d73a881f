#include "core/scan_core.hpp"

#include "core/scan_page.hpp"
#include "core/slot.hpp"

#include <map>
#include <tuple>

namespace covey::core {

scan_core::action scan_core::start() {
  // Views point into the pages, which must not move.
  pages_.reserve(order_.size());
  return ask();
}

scan_core::action scan_core::ask() {
  home_order candidates;
  for (auto home : order_)
    if ((failed_ >> home & 1) == 0)
      candidates.push_back(home);
  action result;
  auto wanted = need_.choose(candidates);
  if (wanted == 0) {
    closed_ = true;
    result.fail = true;
    return result;
  }
  result.read = wanted & ~asked_;
  asked_ |= result.read;
  return result;
}

scan_core::action scan_core::failed(uint8_t home) {
  auto bit = home_set{1} << home;
  if (closed_ || (asked_ & bit) == 0 || ((answered_ | failed_) & bit) != 0)
    return {};
  failed_ |= bit;
  return ask();
}

scan_core::action scan_core::slow() {
  action result;
  for (auto home : order_)
    if (auto bit = home_set{1} << home; !closed_ && (asked_ & bit) == 0) {
      asked_ |= bit;
      result.read = bit;
      break;
    }
  return result;
}

scan_core::action scan_core::page_from(uint8_t home, std::string bytes) {
  auto bit = home_set{1} << home;
  if (closed_ || (asked_ & bit) == 0 || ((answered_ | failed_) & bit) != 0)
    return {};
  if (!decode_page(bytes))
    return failed(home);
  answered_ |= bit;
  pages_.push_back(std::move(bytes));
  action result;
  if (!need_.met(answered_))
    return result;
  closed_ = true;
  result.answer = conclude();
  result.fail = !result.answer;
  return result;
}

bool scan_core::conclude() {
  using position = std::pair<uint32_t, std::string_view>;
  std::vector<scan_page> parsed;
  position end{slot_count + 1, {}};
  for (const auto& bytes : pages_) {
    parsed.push_back(*decode_page(bytes));
    end = std::min(
      end, position{parsed.back().next_slot, parsed.back().next_after_key});
  }
  std::map<position, record> merged;
  for (const auto& page : parsed)
    for (const auto& [key, bytes] : page.rows) {
      position at{slot_of(key, hash_tags_), key};
      if (at > end)
        break;
      auto rec = decode_record(bytes);
      if (!rec)
        return false;
      auto [i, fresh] = merged.try_emplace(at);
      i->second = fresh ? std::move(*rec) : merge(i->second, *rec, policy_);
    }
  for (auto& [at, rec] : merged)
    rows_.emplace_back(at.second, std::move(rec));
  std::tie(next_slot_, next_after_key_) = end;
  return true;
}

} // namespace covey::core
