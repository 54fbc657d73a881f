#include "core/move_plan.hpp"

namespace covey::core {

namespace {

/// Homes of `x` that are none of `y`.
std::vector<member_index> only_in(const preference_list& x,
                                  const preference_list& y) {
  std::vector<member_index> result;
  for (uint32_t i = 0; i < x.homes; ++i)
    if (!y.is_home(x[i]))
      result.push_back(x[i]);
  return result;
}

} // namespace

std::vector<slot_move> plan_moves(const ring& before, const ring& after) {
  std::vector<slot_move> result;
  for (uint32_t i = 0; i < slot_count; ++i) {
    auto slot = static_cast<uint16_t>(i);
    auto comes = only_in(after.at(slot), before.at(slot));
    auto goes = only_in(before.at(slot), after.at(slot));
    for (size_t j = 0; j < comes.size(); ++j) {
      slot_move x;
      x.slot = slot;
      x.to = comes[j];
      if (j < goes.size())
        x.displaced = goes[j];
      result.push_back(x);
    }
  }
  return result;
}

move_counts count_moves(const std::vector<slot_move>& plan) {
  move_counts result;
  for (const auto& x : plan)
    ++result[{x.displaced, x.to}];
  return result;
}

bool is_fenced(const ring& before, const ring& after,
               const std::function<bool(member_index)>& adopted) {
  for (uint32_t i = 0; i < slot_count; ++i) {
    auto slot = static_cast<uint16_t>(i);
    auto homes = before.at(slot);
    if (only_in(after.at(slot), homes).empty()
        && only_in(homes, after.at(slot)).empty())
      continue;
    uint32_t yes = 0;
    for (uint32_t j = 0; j < homes.homes; ++j)
      yes += adopted(homes[j]) ? 1 : 0;
    if (yes < homes.homes / 2 + 1)
      return false;
  }
  return true;
}

} // namespace covey::core
