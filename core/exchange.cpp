// The steps of an exchange: questions, answers, rounds.

#include "core/exchange.hpp"

#include "core/check.hpp"

#include <algorithm>

namespace covey::core {

namespace {

/// Leaves hold about so many keys.
constexpr uint64_t keys_a_leaf = 64;
/// Of one question, about: what an answer holds.
constexpr uint64_t max_sums = 4096;
constexpr uint64_t max_keys = 2048;

constexpr std::array<side, 2> both{side::own, side::peer};

size_t index(side x) {
  return static_cast<size_t>(x);
}

bool has_parts(question_kind kind) {
  return kind != question_kind::sums && kind != question_kind::roots;
}

uint32_t leaf_of(uint64_t key_hash, uint8_t depth) {
  return depth == 0 ? 0 : static_cast<uint32_t>(key_hash >> (64 - depth));
}

/// Is this what was asked about `part`?
bool fits(const part_answer& a, const slot_part& part, question_kind kind) {
  if (!a.ok)
    return true;
  if (kind == question_kind::leaves)
    return a.sums.size() == size_t{1} << part.depth && a.next.empty();
  return std::all_of(a.keys.begin(), a.keys.end(), [&](const auto& k) {
    return kind == question_kind::keys
             ? std::binary_search(part.leaves.begin(), part.leaves.end(),
                                  leaf_of(k.key_hash, part.depth))
             : std::binary_search(part.keys.begin(), part.keys.end(),
                                  k.key_hash);
  });
}

} // namespace

exchange::exchange(const exchange_config& config, std::vector<uint16_t> shared,
                   std::vector<uint16_t> wanted,
                   std::map<uint32_t, conflict_policy> policies,
                   uint64_t now_ms)
  : config_(config), shared_(std::move(shared)),
    policies_(std::move(policies)) {
  progress_.slots = wanted.size();
  begin_round(std::move(wanted), now_ms);
  go_on(now_ms);
}

size_t exchange::shared_in(const slot_range& r) const {
  auto first = std::lower_bound(shared_.begin(), shared_.end(), r.first);
  auto end = std::upper_bound(shared_.begin(), shared_.end(), r.last);
  return static_cast<size_t>(end - first);
}

// -- questions ----------------------------------------------------------------

void exchange::begin_round(std::vector<uint16_t> wanted, uint64_t now_ms) {
  step_ = step::sums;
  round_began_ms_ = now_ms;
  round_repairs_ = 0;
  // A range holds no slot that is shared and not wanted: the peer sums up all
  // that are shared.
  std::vector<slot_range> ranges;
  auto next = wanted.begin();
  auto gap = true;
  for (auto slot : shared_) {
    if (next == wanted.end() || slot != *next) {
      gap = true;
      continue;
    }
    ++next;
    if (gap
        || ranges.back().first / config_.range_slots
             != slot / config_.range_slots)
      ranges.push_back({slot, slot});
    ranges.back().last = slot;
    gap = false;
  }
  add_ranges(question_kind::sums, ranges);
}

void exchange::add_ranges(question_kind kind,
                          const std::vector<slot_range>& ranges) {
  std::vector<slot_range> some;
  size_t slots = 0;
  for (const auto& r : ranges) {
    auto more = shared_in(r);
    auto full
      = some.size() == max_exchange_ranges
        || (kind == question_kind::roots && slots + more > max_exchange_roots);
    if (full && !some.empty()) {
      add_inquiry(kind, std::exchange(some, {}), {});
      slots = 0;
    }
    some.push_back(r);
    slots += more;
  }
  if (!some.empty())
    add_inquiry(kind, std::move(some), {});
}

void exchange::add_inquiry(question_kind kind, std::vector<slot_range> ranges,
                           std::vector<slot_part> parts) {
  auto number = ++last_id_;
  auto& x = inquiries_[number];
  x.question.kind = kind;
  x.question.ranges = std::move(ranges);
  x.question.parts = std::move(parts);
  for (auto whom : both)
    to_ask_.emplace_back(number, whom);
}

exchange_question exchange::question_for(const inquiry& x, side whom) const {
  auto result = x.question;
  const auto& way = x.ways[index(whom)];
  result.parts.erase(result.parts.begin(),
                     result.parts.begin() + static_cast<ptrdiff_t>(way.part));
  if (!result.parts.empty())
    result.parts.front().after = way.after;
  return result;
}

std::optional<exchange_ask> exchange::next_ask(uint64_t now_ms) {
  if (to_ask_.empty() || open_.size() >= config_.max_open)
    return std::nullopt;
  auto [number, whom] = to_ask_.front();
  to_ask_.pop_front();
  exchange_ask result{whom, question_for(inquiries_.at(number), whom)};
  result.question.id = ++last_id_;
  open_[result.question.id] = {number, whom, now_ms};
  return result;
}

// -- answers ------------------------------------------------------------------

bool exchange::accept(inquiry& x, side from, exchange_answer& answer) const {
  auto& way = x.ways[index(from)];
  const auto& q = x.question;
  if (!has_parts(q.kind)) {
    size_t expected = 0;
    for (const auto& r : q.ranges)
      expected += q.kind == question_kind::sums ? 1 : shared_in(r);
    if (answer.roots.size() != expected)
      return false;
    way.roots = std::move(answer.roots);
    way.done = true;
    return true;
  }
  if (answer.parts.empty() || way.part + answer.parts.size() > q.parts.size())
    return false;
  for (size_t i = 0; i < answer.parts.size(); ++i) {
    auto& a = answer.parts[i];
    // Only the last one may go on.
    if (!fits(a, q.parts[way.part], q.kind)
        || (!a.next.empty() && i + 1 < answer.parts.size()))
      return false;
    auto goes_on = !way.after.empty();
    way.after = a.ok ? a.next : std::string{};
    if (goes_on) {
      auto& known = way.parts.back();
      known.ok = known.ok && a.ok;
      std::move(a.keys.begin(), a.keys.end(), std::back_inserter(known.keys));
    } else {
      way.parts.push_back(std::move(a));
    }
    if (way.after.empty())
      ++way.part;
  }
  way.done = way.part == q.parts.size();
  return true;
}

void exchange::answered(side from, exchange_answer answer, uint64_t now_ms) {
  auto i = open_.find(answer.id);
  if (i == open_.end() || i->second.whom != from)
    return;
  auto number = i->second.inquiry;
  auto& x = inquiries_.at(number);
  open_.erase(i);
  if (!accept(x, from, answer)) {
    drop(number);
  } else if (!x.ways[index(from)].done) {
    to_ask_.emplace_front(number, from);
  } else if (x.ways[0].done && x.ways[1].done) {
    auto whole = std::move(x);
    inquiries_.erase(number);
    finish(whole);
  }
  go_on(now_ms);
}

void exchange::failed(side from, uint64_t question, uint64_t now_ms) {
  auto i = open_.find(question);
  if (i == open_.end() || i->second.whom != from)
    return;
  drop(i->second.inquiry);
  go_on(now_ms);
}

void exchange::drop(uint64_t number) {
  const auto& q = inquiries_.at(number).question;
  for (const auto& part : q.parts)
    cohort_[part.slot].failed = true;
  for (const auto& r : q.ranges)
    progress_.left += shared_in(r);
  inquiries_.erase(number);
  for (auto i = open_.begin(); i != open_.end();)
    i = i->second.inquiry == number ? open_.erase(i) : std::next(i);
  to_ask_.erase(std::remove_if(to_ask_.begin(), to_ask_.end(),
                               [number](const auto& x) {
                                 return x.first == number;
                               }),
                to_ask_.end());
}

// -- steps --------------------------------------------------------------------

void exchange::tick(uint64_t now_ms) {
  std::vector<std::pair<side, uint64_t>> late;
  for (const auto& [id, x] : open_)
    if (now_ms >= x.asked_ms + config_.patience_ms)
      late.emplace_back(x.whom, id);
  for (const auto& [whom, id] : late)
    failed(whom, id, now_ms);
  go_on(now_ms);
}

void exchange::go_on(uint64_t now_ms) {
  while (step_ != step::done && inquiries_.empty()) {
    switch (step_) {
      case step::sums:
        step_ = step::roots;
        add_ranges(question_kind::roots, std::exchange(unequal_ranges_, {}));
        break;
      case step::roots:
        begin_cohort(now_ms);
        break;
      case step::leaves:
        step_ = step::keys;
        ask_keys();
        break;
      case step::keys:
        step_ = step::pause;
        pause_until_ms_ = now_ms + config_.pause_ms;
        break;
      case step::pause: {
        auto differ
          = std::any_of(cohort_.begin(), cohort_.end(), [](const auto& x) {
              return !x.second.keys.empty();
            });
        if (differ && now_ms < pause_until_ms_)
          return;
        step_ = step::versions;
        ask_versions();
        break;
      }
      case step::versions:
        step_ = step::repairs;
        break;
      case step::repairs:
        if (!repairing_.empty())
          return;
        end_cohort();
        begin_cohort(now_ms);
        break;
      case step::done:
        break;
    }
  }
}

void exchange::begin_cohort(uint64_t now_ms) {
  tell_equal();
  uint64_t keys = 0;
  while (!unequal_.empty() && cohort_.size() < config_.cohort_slots) {
    auto [slot, depth] = unequal_.front();
    keys += keys_a_leaf << depth;
    if (!cohort_.empty() && keys > config_.cohort_keys)
      break;
    cohort_[slot].depth = depth;
    unequal_.pop_front();
  }
  if (cohort_.empty()) {
    end_round(now_ms);
    return;
  }
  if (round_ == 0)
    progress_.differing += cohort_.size();
  step_ = step::leaves;
  ask_leaves();
}

void exchange::ask_leaves() {
  std::vector<slot_part> parts;
  uint64_t sums = 0;
  for (auto& [slot, s] : cohort_) {
    // The root of such a tree is its only leaf.
    if (s.depth == 0) {
      s.leaves = {0};
      continue;
    }
    auto more = uint64_t{1} << s.depth;
    if (!parts.empty()
        && (parts.size() == max_exchange_parts || sums + more > max_sums)) {
      add_inquiry(question_kind::leaves, {}, std::exchange(parts, {}));
      sums = 0;
    }
    parts.push_back({slot, s.depth, {}, {}, {}});
    sums += more;
  }
  if (!parts.empty())
    add_inquiry(question_kind::leaves, {}, std::move(parts));
}

void exchange::ask_keys() {
  std::vector<slot_part> parts;
  uint64_t keys = 0;
  for (const auto& [slot, s] : cohort_) {
    if (s.failed || s.leaves.empty())
      continue;
    auto more = s.leaves.size() * keys_a_leaf;
    if (!parts.empty()
        && (parts.size() == max_exchange_parts || keys + more > max_keys)) {
      add_inquiry(question_kind::keys, {}, std::exchange(parts, {}));
      keys = 0;
    }
    parts.push_back({slot, s.depth, s.leaves, {}, {}});
    keys += more;
  }
  if (!parts.empty())
    add_inquiry(question_kind::keys, {}, std::move(parts));
}

void exchange::ask_versions() {
  std::vector<slot_part> parts;
  size_t keys = 0;
  auto ask = [&] {
    if (!parts.empty())
      add_inquiry(question_kind::versions, {}, std::exchange(parts, {}));
    keys = 0;
  };
  for (const auto& [slot, s] : cohort_) {
    if (s.failed)
      continue;
    auto fresh = true;
    for (const auto& row : s.keys) {
      if (keys == max_exchange_keys
          || (fresh && parts.size() == max_exchange_parts)) {
        ask();
        fresh = true;
      }
      if (fresh)
        parts.push_back({slot, s.depth, {}, {}, {}});
      fresh = false;
      auto& part = parts.back();
      auto leaf = leaf_of(row.first, s.depth);
      if (part.leaves.empty() || part.leaves.back() != leaf)
        part.leaves.push_back(leaf);
      part.keys.push_back(row.first);
      ++keys;
    }
  }
  ask();
}

void exchange::end_cohort() {
  for (const auto& [slot, s] : cohort_) {
    if (s.failed)
      ++progress_.left;
    else if (s.again)
      again_.push_back(slot);
    else
      equal_now_.push_back(slot);
    if (round_ == 0)
      ++progress_.compared;
  }
  cohort_.clear();
}

void exchange::tell_equal() {
  if (equal_now_.empty())
    return;
  std::sort(equal_now_.begin(), equal_now_.end());
  equal_.push_back({std::exchange(equal_now_, {}), round_began_ms_});
}

void exchange::end_round(uint64_t now_ms) {
  ++round_;
  idle_ = round_repairs_ == 0 ? idle_ + 1 : 0;
  auto wanted = std::exchange(again_, {});
  if (wanted.empty() || idle_ >= config_.idle_rounds
      || round_ >= config_.max_rounds) {
    progress_.left += wanted.size();
    progress_.compared = progress_.slots;
    step_ = step::done;
    return;
  }
  std::sort(wanted.begin(), wanted.end());
  begin_round(std::move(wanted), now_ms);
}

} // namespace covey::core
