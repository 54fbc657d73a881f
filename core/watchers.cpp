#include "core/watchers.hpp"

#include "core/hash.hpp"

#include <algorithm>

namespace covey::core {

watch_circle::watch_circle(const std::vector<uuid>& members,
                           const std::vector<bool>& removed)
  : place_(members.size(), nowhere) {
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < members.size(); ++i) {
    if (i >= removed.size() || !removed[i])
      circle_.push_back(static_cast<member_index>(i));
    hashes.push_back(hash64(to_string(members[i])));
  }
  std::sort(
    circle_.begin(), circle_.end(), [&](member_index x, member_index y) {
      return std::tie(hashes[x], members[x]) < std::tie(hashes[y], members[y]);
    });
  for (size_t i = 0; i < circle_.size(); ++i)
    place_[circle_[i]] = static_cast<uint32_t>(i);
}

std::vector<member_index> watch_circle::watched_by(member_index m) const {
  auto n = circle_.size();
  std::vector<member_index> result;
  if (place_[m] == nowhere)
    return result;
  for (size_t i = 1; i < n && i <= max_watchers; ++i)
    result.push_back(circle_[(place_[m] + n - i) % n]);
  std::sort(result.begin(), result.end());
  return result;
}

bool watch_circle::watches(member_index watcher, member_index m) const {
  auto n = circle_.size();
  if (place_[watcher] == nowhere || place_[m] == nowhere)
    return false;
  auto distance = (place_[watcher] + n - place_[m]) % n;
  return distance != 0 && distance <= max_watchers;
}

} // namespace covey::core
