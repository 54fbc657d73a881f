#include "core/member_table.hpp"

#include <algorithm>

namespace covey::core {

namespace {

/// Rows with news in one offer at most.
constexpr size_t max_news = 32;

std::tuple<uint64_t, uint64_t> age(const member_row& x) {
  return {x.run, x.version};
}

std::tuple<uint64_t, uint64_t> age(const member_digest& x) {
  return {x.run, x.version};
}

} // namespace

member_table::member_table(const std::vector<uuid>& members, member_index self,
                           size_t start)
  : self_(self), next_(start % members.size()), repeats_(6) {
  grow(members);
}

void member_table::grow(const std::vector<uuid>& members) {
  auto before = rows_.size();
  rows_.resize(members.size());
  lives_.resize(members.size());
  renewed_ms_.resize(members.size());
  news_.resize(members.size());
  for (size_t i = before; i < members.size(); ++i) {
    rows_[i].id = members[i];
    index_[members[i]] = static_cast<member_index>(i);
  }
  // A rumour that each member tells this often reaches all but a few; the rest
  // find it by their digests.
  repeats_ = 6;
  for (auto n = members.size(); n > 1; n /= 2)
    ++repeats_;
}

std::optional<member_index> member_table::find(const uuid& id) const {
  auto i = index_.find(id);
  if (i == index_.end())
    return std::nullopt;
  return i->second;
}

member_table::outcome member_table::merge(const member_row& in, uint64_t now_ms,
                                          uint64_t now_s) {
  auto m = find(in.id);
  if (!m || *m == self_ || in.run == 0 || !is_plausible_run(in.run, now_s))
    return outcome::refused;
  auto& row = rows_[*m];
  if (age(in) <= age(row))
    return outcome::old;
  if (in.run != row.run || in.accuses != row.accuses
      || in.catching_up != row.catching_up)
    news_[*m] = repeats_;
  row = in;
  renewed_ms_[*m] = now_ms;
  return lived(*m, in.run, in.heartbeat, now_ms) ? outcome::new_run
                                                 : outcome::newer;
}

bool member_table::lived(member_index m, uint64_t run, uint64_t heartbeat,
                         uint64_t now_ms) {
  auto& known = lives_[m];
  if (std::tie(run, heartbeat) <= std::tie(known.run, known.heartbeat))
    return false;
  auto is_new = run > known.run;
  known = {run, heartbeat, now_ms};
  return is_new;
}

void member_table::set_own(const member_row& row, bool news) {
  rows_[self_] = row;
  lives_[self_] = {row.run, row.heartbeat, 0};
  if (news)
    news_[self_] = repeats_;
}

gossip_message member_table::offer() {
  gossip_message out;
  out.rows.push_back(rows_[self_]);
  for (size_t i = 0; i < rows_.size() && out.rows.size() <= max_news; ++i) {
    if (news_[i] == 0)
      continue;
    --news_[i];
    if (i != self_)
      out.rows.push_back(rows_[i]);
  }
  auto n = std::min(rows_.size(), max_gossip_digests);
  for (size_t i = 0; i < n; ++i) {
    if (next_ != self_)
      out.digests.push_back(
        {rows_[next_].id, rows_[next_].run, rows_[next_].version});
    next_ = (next_ + 1) % rows_.size();
  }
  return out;
}

gossip_message member_table::answer(const gossip_message& in) const {
  gossip_message out;
  for (const auto& theirs : in.digests) {
    auto m = find(theirs.id);
    if (!m)
      continue;
    const auto& row = rows_[*m];
    if (age(row) > age(theirs)) {
      if (out.rows.size() < max_gossip_rows)
        out.rows.push_back(row);
    } else if (age(row) < age(theirs)
               && out.digests.size() < max_gossip_digests) {
      out.digests.push_back({row.id, row.run, row.version});
    }
  }
  // A gossiper that was restarted within its process begins with a version that
  // the others are past: its own row shows it.
  for (const auto& theirs : in.rows)
    if (auto m = find(theirs.id);
        m && age(rows_[*m]) > age(theirs) && out.rows.size() < max_gossip_rows)
      out.rows.push_back(rows_[*m]);
  return out;
}

} // namespace covey::core
