#include "core/purge.hpp"

#include <algorithm>

namespace covey::core {

namespace {

constexpr uint64_t us_per_ms = 1000;

bool is_gone(const sibling& s, uint64_t watermark_ms) {
  return s.tombstone
         || (s.expires_at_ms != 0 && s.expires_at_ms < watermark_ms);
}

} // namespace

std::optional<uint64_t> gone_at(const record& r) {
  if (r.siblings.empty())
    return std::nullopt;
  uint64_t result = 0;
  for (const auto& s : r.siblings) {
    if (!s.tombstone && s.expires_at_ms == 0)
      return std::nullopt;
    result = std::max({result, s.stamp / us_per_ms, s.expires_at_ms});
  }
  return result;
}

std::optional<uint64_t> next_expiry(const record& r) {
  std::optional<uint64_t> result;
  for (const auto& s : r.siblings)
    if (!s.tombstone && s.expires_at_ms != 0
        && (!result || s.expires_at_ms < *result))
      result = s.expires_at_ms;
  return result;
}

bool expire(record& r, uint64_t now_ms) {
  auto any = false;
  for (auto& s : r.siblings)
    if (!s.tombstone && s.expires_at_ms != 0 && s.expires_at_ms <= now_ms) {
      s.tombstone = true;
      s.value = {};
      any = true;
    }
  return any;
}

admission admit(const record* stored, const record& incoming,
                uint64_t watermark_ms, const carrier& by) {
  auto is_old = incoming.highest_stamp() / us_per_ms < watermark_ms;
  if (!is_old || incoming.siblings.empty())
    return admission::merge;
  if (stored == nullptr && may_purge(incoming, watermark_ms))
    return admission::purged;
  if (!by.background || by.watermark_ms >= watermark_ms)
    return admission::merge;
  auto known = [&](const sibling& s) {
    return stored != nullptr && stored->seen.covers(s.id);
  };
  auto alive = [&](const sibling& s) {
    return !is_gone(s, watermark_ms);
  };
  const auto& all = incoming.siblings;
  return std::any_of(all.begin(), all.end(), alive)
             && std::none_of(all.begin(), all.end(), known)
           ? admission::outdated
           : admission::merge;
}

uint64_t watermark_proof::advance(const purge_evidence& x, uint64_t margin_ms) {
  switch (step_) {
    case step::idle:
      // One margin for writes of older stamps to be coordinated, one for what
      // carries them to arrive, be kept as a hint, or be refused.
      if (x.now_ms > 2 * margin_ms) {
        candidate_ms_ = x.now_ms - 2 * margin_ms;
        go(step::settling, x.now_ms);
      }
      break;
    case step::settling:
      if (x.carriers_ms >= since_ms_)
        go(step::gathering, x.now_ms);
      break;
    case step::gathering:
      if (x.equal_ms > since_ms_)
        go(step::spreading, x.now_ms);
      break;
    case step::spreading:
      if (x.equal_ms > since_ms_)
        go(step::draining, x.now_ms);
      break;
    case step::draining:
      if (x.carriers_ms >= since_ms_ + margin_ms)
        go(step::expiring, x.now_ms);
      break;
    case step::expiring:
      if (x.now_ms >= since_ms_ + margin_ms) {
        proven_ms_ = std::max(proven_ms_, candidate_ms_);
        go(step::idle, x.now_ms);
      }
      break;
  }
  return proven_ms_;
}

} // namespace covey::core
