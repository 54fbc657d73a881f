#include "core/watch.hpp"

#include <algorithm>

namespace covey::core {

watch::watch(const watch_config& config, std::vector<member_index> watched,
             uint64_t now_ms)
  : config_(config), watched_(std::move(watched)), last_awake_ms_(now_ms) {
  for (size_t i = 0; i < watched_.size(); ++i)
    peers_.push_back({phi_detector{detector_config(), now_ms}});
}

void watch::watch_only(std::vector<member_index> watched, uint64_t now_ms) {
  std::vector<peer> peers;
  for (auto m : watched) {
    auto* known = find(m);
    peers.push_back(known != nullptr
                      ? *known
                      : peer{phi_detector{detector_config(), now_ms}});
  }
  watched_ = std::move(watched);
  peers_ = std::move(peers);
}

phi_config watch::detector_config() const {
  return {config_.probe_ms, config_.probe_ms / 5, config_.threshold,
          config_.model};
}

const watch::peer* watch::find(member_index m) const {
  auto i = std::lower_bound(watched_.begin(), watched_.end(), m);
  if (i == watched_.end() || *i != m)
    return nullptr;
  return &peers_[static_cast<size_t>(i - watched_.begin())];
}

bool watch::awake(uint64_t now_ms) {
  auto away = now_ms > last_awake_ms_ + config_.pause_ms;
  last_awake_ms_ = now_ms;
  if (!away)
    return false;
  for (auto& p : peers_) {
    p.detector.forgive(now_ms);
    p.fresh = false;
    p.probe_now = true;
  }
  refused_.assign(refused_.size(), false);
  return true;
}

std::vector<watch::due> watch::probes(uint64_t now_ms) {
  std::vector<due> out;
  for (size_t i = 0; i < peers_.size(); ++i) {
    auto& p = peers_[i];
    if (!p.probe_now && now_ms < p.last_asked_ms + config_.probe_ms)
      continue;
    p.probe_now = false;
    p.last_asked_ms = now_ms;
    out.push_back({watched_[i], {++p.asked}});
  }
  return out;
}

bool watch::answered(member_index from, const probe_answer& answer,
                     uint64_t now_ms) {
  auto* p = find(from);
  if (p == nullptr || answer.sequence <= p->answered
      || answer.sequence > p->asked)
    return false;
  p->answered = answer.sequence;
  p->heartbeat = answer.heartbeat;
  p->fresh = true;
  p->detector.heard(now_ms);
  refused(from, false);
  return true;
}

void watch::connected(member_index m) {
  refused(m, false);
  if (auto* p = find(m))
    p->probe_now = true;
}

void watch::new_run(member_index m, uint64_t now_ms) {
  refused(m, false);
  if (auto* p = find(m)) {
    p->heartbeat = 0;
    p->detector.forgive(now_ms);
  }
}

void watch::refused(member_index m, bool is_refused) {
  if (refused_.size() <= m)
    refused_.resize(m + size_t{1});
  refused_[m] = is_refused;
}

bool watch::suspects(member_index m, uint64_t now_ms) const {
  const auto* p = find(m);
  return is_refused(m)
         || (p != nullptr
             && p->detector.alarmed(now_ms, config_.suspect_pause_ms));
}

bool watch::convicts(member_index m, uint64_t now_ms) const {
  const auto* p = find(m);
  return p != nullptr
         && (is_refused(m)
             || p->detector.alarmed(now_ms, config_.accuse_pause_ms));
}

bool watch::reaches_most(uint64_t now_ms) const {
  size_t reached = 1;
  for (size_t i = 0; i < peers_.size(); ++i)
    if (peers_[i].fresh && !suspects(watched_[i], now_ms))
      ++reached;
  return 2 * reached > peers_.size() + 1;
}

uint64_t watch::silence_ms(member_index m, uint64_t now_ms) const {
  const auto* p = find(m);
  return p != nullptr ? p->detector.silence_ms(now_ms) : 0;
}

uint64_t watch::heartbeat(member_index m) const {
  const auto* p = find(m);
  return p != nullptr ? p->heartbeat : 0;
}

} // namespace covey::core
