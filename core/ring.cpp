#include "core/ring.hpp"

#include "core/check.hpp"
#include "core/hash.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace covey::core {

namespace {

struct virtual_node {
  uint64_t position;
  member_index owner;
};

bool operator<(const virtual_node& x, const virtual_node& y) {
  return x.position != y.position ? x.position < y.position : x.owner < y.owner;
}

std::vector<virtual_node> virtual_nodes_of(const std::vector<member>& members) {
  size_t n = 0;
  for (auto& m : members)
    if (holds_slots(m))
      n += size_t{m.weight} * ring::virtual_nodes_per_weight;
  std::vector<virtual_node> result;
  result.reserve(n);
  std::string text;
  for (size_t i = 0; i < members.size(); ++i) {
    if (!holds_slots(members[i]))
      continue;
    auto last = members[i].weight * ring::virtual_nodes_per_weight;
    for (uint32_t j = 0; j < last; ++j) {
      text = members[i].name;
      text += '/';
      text += std::to_string(j);
      result.push_back({hash64(text), static_cast<member_index>(i)});
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// What the homes of one slot still need: of the whole cluster, or of one data
/// centre with `per_data_centre`.
struct scope {
  uint32_t homes = 0;
  uint32_t data_centres = 0;
  uint32_t racks = 0;
};

/// What the walk needs to know of the members, as small numbers.
struct topology {
  static constexpr uint32_t no_scope = ~uint32_t{0};

  topology(const std::vector<member>& members, const replication_spec& spec);

  std::vector<uint32_t> scope_of;
  std::vector<uint32_t> data_centre_of;
  std::vector<uint32_t> rack_of;
  std::vector<scope> scopes;
  size_t data_centres = 0;
  size_t racks = 0;
};

topology::topology(const std::vector<member>& members,
                   const replication_spec& spec) {
  std::map<std::string_view, uint32_t> scope_ids;
  for (auto& [name, replicas] : spec.per_data_centre) {
    scope_ids.emplace(name, static_cast<uint32_t>(scopes.size()));
    scopes.push_back({replicas, 0, 0});
  }
  if (spec.per_data_centre.empty())
    scopes.push_back({spec.total, 0, 0});
  std::map<std::string_view, uint32_t> data_centre_ids;
  std::map<std::pair<uint32_t, std::string_view>, uint32_t> rack_ids;
  for (auto& m : members) {
    if (!holds_slots(m)) {
      scope_of.push_back(no_scope);
      data_centre_of.push_back(0);
      rack_of.push_back(0);
      continue;
    }
    auto s = uint32_t{0};
    if (!spec.per_data_centre.empty()) {
      auto i = scope_ids.find(m.data_centre);
      s = i != scope_ids.end() ? i->second : no_scope;
    }
    auto dc = data_centre_ids.emplace(
      m.data_centre, static_cast<uint32_t>(data_centre_ids.size()));
    auto rack = rack_ids.emplace(
      std::make_pair(dc.first->second, std::string_view{m.rack}),
      static_cast<uint32_t>(rack_ids.size()));
    scope_of.push_back(s);
    data_centre_of.push_back(dc.first->second);
    rack_of.push_back(rack.first->second);
    if (s != no_scope) {
      scopes[s].data_centres += dc.second ? 1 : 0;
      scopes[s].racks += rack.second ? 1 : 0;
    }
  }
  data_centres = data_centre_ids.size();
  racks = rack_ids.size();
}

/// Chooses the homes of one slot after the other from members in the order in
/// which the walk meets them.
class chooser {
public:
  explicit chooser(const topology& t)
    : topology_(t), skipped_(t.scopes.size()), taken_(t.scope_of.size()),
      data_centre_used_(t.data_centres), rack_used_(t.racks) {}

  void start() {
    open_ = topology_.scopes;
    for (auto& xs : skipped_)
      xs.clear();
    homes_.clear();
    // Marks of earlier slots are outdated at once instead of erased.
    ++mark_;
  }

  /// Called once for each member, clockwise.
  void offer(member_index m) {
    auto s = topology_.scope_of[m];
    if (s == topology::no_scope || open_[s].homes == 0)
      return;
    if (!eligible(m)) {
      skipped_[s].push_back(m);
      return;
    }
    auto before = preference(s);
    take(m);
    if (preference(s) != before)
      fill_from_skipped(s);
  }

  bool is_home(member_index m) const {
    return taken_[m] == mark_;
  }

  const std::vector<member_index>& homes() const {
    return homes_;
  }

private:
  enum class prefers { new_data_centre, new_rack, any };

  prefers preference(uint32_t s) const {
    // The one data centre of a per-data-centre scope is new only once, so that
    // it never holds a member back.
    if (open_[s].data_centres > 0)
      return prefers::new_data_centre;
    return open_[s].racks > 0 ? prefers::new_rack : prefers::any;
  }

  bool eligible(member_index m) const {
    switch (preference(topology_.scope_of[m])) {
      case prefers::new_data_centre:
        return data_centre_used_[topology_.data_centre_of[m]] != mark_;
      case prefers::new_rack:
        return rack_used_[topology_.rack_of[m]] != mark_;
      default:
        return true;
    }
  }

  void take(member_index m) {
    auto& s = open_[topology_.scope_of[m]];
    --s.homes;
    if (std::exchange(data_centre_used_[topology_.data_centre_of[m]], mark_)
        != mark_)
      --s.data_centres;
    if (std::exchange(rack_used_[topology_.rack_of[m]], mark_) != mark_)
      --s.racks;
    taken_[m] = mark_;
    homes_.push_back(m);
  }

  void fill_from_skipped(uint32_t s) {
    auto& xs = skipped_[s];
    for (size_t i = 0; i < xs.size() && open_[s].homes > 0;) {
      if (is_home(xs[i]) || !eligible(xs[i])) {
        ++i;
        continue;
      }
      auto before = preference(s);
      take(xs[i]);
      // Members passed over just now may be welcome under the new preference.
      i = preference(s) != before ? 0 : i + 1;
    }
  }

  const topology& topology_;
  std::vector<scope> open_;
  std::vector<std::vector<member_index>> skipped_;
  std::vector<uint32_t> taken_;
  std::vector<uint32_t> data_centre_used_;
  std::vector<uint32_t> rack_used_;
  std::vector<member_index> homes_;
  uint32_t mark_ = 0;
};

} // namespace

bool preference_list::is_home(member_index m) const {
  return std::find(first, first + homes, m) != first + homes;
}

bool preference_list::takes_writes(member_index m) const {
  return std::find(first, first + writers, m) != first + writers;
}

ring::ring(const std::vector<member>& members, const replication_spec& spec)
  : homes_(spec.replicas()) {
  auto n = static_cast<uint32_t>(
    std::count_if(members.begin(), members.end(), holds_slots));
  COVEY_CHECK(homes_ > 0 && homes_ <= n);
  auto others = n - homes_;
  stride_ = homes_ + std::min(others, max_fallbacks);
  table_.reserve(size_t{stride_} * slot_count);
  auto nodes = virtual_nodes_of(members);
  topology shape{members, spec};
  chooser choice{shape};
  // The slot (plus one) in whose walk a member was met last.
  std::vector<uint32_t> met(members.size());
  std::vector<member_index> seen;
  size_t start = 0;
  for (uint32_t slot = 0; slot < slot_count; ++slot) {
    auto position = slot_position(static_cast<uint16_t>(slot));
    while (start < nodes.size() && nodes[start].position < position)
      ++start;
    choice.start();
    seen.clear();
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (choice.homes().size() == homes_ && seen.size() >= stride_)
        break;
      auto at = start + i;
      auto m = nodes[at < nodes.size() ? at : at - nodes.size()].owner;
      if (std::exchange(met[m], slot + 1) == slot + 1)
        continue;
      seen.push_back(m);
      choice.offer(m);
    }
    COVEY_CHECK(choice.homes().size() == homes_ && seen.size() >= stride_);
    table_.insert(table_.end(), choice.homes().begin(), choice.homes().end());
    for (size_t i = 0; table_.size() < size_t{stride_} * (slot + 1); ++i)
      if (!choice.is_home(seen[i]))
        table_.push_back(seen[i]);
  }
}

namespace {

/// The homes of both, those of `x` first.
std::vector<member_index> writers_of(const preference_list& x,
                                     const preference_list& y) {
  std::vector<member_index> result{x.begin(), x.begin() + x.homes};
  for (uint32_t i = 0; i < y.homes; ++i)
    if (!x.is_home(y[i]))
      result.push_back(y[i]);
  return result;
}

} // namespace

uint32_t most_writers(const ring& before, const ring& after) {
  size_t result = 0;
  for (uint32_t i = 0; i < slot_count; ++i) {
    auto slot = static_cast<uint16_t>(i);
    result
      = std::max(result, writers_of(before.at(slot), after.at(slot)).size());
  }
  return static_cast<uint32_t>(result);
}

ring::ring(const ring& before, const ring& after, move_phase phase) {
  const auto& reads = phase == move_phase::copying ? before : after;
  const auto& other = phase == move_phase::copying ? after : before;
  homes_ = reads.homes_;
  stride_ = max_writers + max_fallbacks;
  table_.reserve(size_t{stride_} * slot_count);
  shapes_.reserve(slot_count);
  for (uint32_t i = 0; i < slot_count; ++i) {
    auto slot = static_cast<uint16_t>(i);
    auto x = before.at(slot);
    auto y = after.at(slot);
    auto places = writers_of(reads.at(slot), other.at(slot));
    COVEY_CHECK(places.size() <= max_writers);
    shape s{static_cast<uint8_t>(places.size()), 0, 0, 0};
    for (size_t p = 0; p < places.size(); ++p) {
      if (x.is_home(places[p]))
        s.before |= home_set{1} << p;
      if (y.is_home(places[p]))
        s.after |= home_set{1} << p;
    }
    for (auto m : y) {
      auto known = std::find(places.begin(), places.end(), m) != places.end();
      if (!known && places.size() < s.writers + max_fallbacks)
        places.push_back(m);
    }
    s.size = static_cast<uint8_t>(places.size());
    places.resize(stride_);
    table_.insert(table_.end(), places.begin(), places.end());
    shapes_.push_back(s);
  }
}

preference_list ring::at(uint16_t slot) const {
  COVEY_CHECK(slot < slot_count);
  const auto* first = table_.data() + size_t{slot} * stride_;
  if (!shapes_.empty()) {
    const auto& s = shapes_[slot];
    return {first, homes_, s.writers, s.size, s.before, s.after};
  }
  auto all = (home_set{1} << homes_) - 1;
  return {first, homes_, homes_, stride_, all, all};
}

uint32_t ring::slots_of(member_index m) const {
  uint32_t result = 0;
  for (uint32_t slot = 0; slot < slot_count; ++slot)
    result += at(static_cast<uint16_t>(slot)).is_home(m) ? 1 : 0;
  return result;
}

} // namespace covey::core
