#include "core/cluster_view.hpp"

#include "core/check.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace covey::core {

namespace {

bool same_homes(const preference_list& x, const preference_list& y) {
  return x.homes == y.homes
         && std::all_of(x.begin(), x.begin() + x.homes, [&](member_index m) {
              return y.is_home(m);
            });
}

/// Another answer to where a record lies, or to what becomes of two.
bool same_rules(const placed_keyspace& x, const placed_keyspace& y) {
  return x.group == y.group && x.policy == y.policy
         && x.hash_tags == y.hash_tags;
}

/// Whether rings of both lie alike: of a member they look at nothing else.
bool same_places(const std::vector<member>& xs, const std::vector<member>& ys) {
  return std::equal(xs.begin(), xs.end(), ys.begin(), ys.end(),
                    [](const member& x, const member& y) {
                      return x.name == y.name && x.rack == y.rack
                             && x.data_centre == y.data_centre
                             && x.weight == y.weight
                             && holds_slots(x) == holds_slots(y);
                    });
}

std::shared_ptr<const slot_group> make_group(const epoch& e, const keyspace& ks,
                                             const slot_group* before) {
  auto result = std::make_shared<slot_group>(slot_group{
    ring{e.members, ks.replication}, std::vector<epoch_id>(slot_count, e.id)});
  if (before != nullptr)
    for (uint32_t i = 0; i < slot_count; ++i) {
      auto slot = static_cast<uint16_t>(i);
      if (same_homes(result->homes.at(slot), before->homes.at(slot)))
        result->changed_in[slot] = before->changed_in[slot];
    }
  return result;
}

} // namespace

cluster_view::cluster_view(std::shared_ptr<const core::epoch> first)
  : epoch_(std::move(first)) {
  build(nullptr);
}

cluster_view::cluster_view(const cluster_view& before,
                           std::shared_ptr<const core::epoch> next)
  : epoch_(std::move(next)) {
  COVEY_CHECK(why_not_follows(before.epoch(), epoch()).empty());
  build(&before);
}

void cluster_view::build(const cluster_view* before) {
  std::map<uint32_t, std::shared_ptr<const slot_group>> groups;
  std::map<uint32_t, const slot_group*> known;
  auto moved = before == nullptr
               || !same_places(before->epoch().members, epoch_->members);
  if (before != nullptr)
    for (const auto& ks : before->keyspaces_) {
      known[ks.group] = ks.slots.get();
      if (!moved)
        groups[ks.group] = ks.slots;
    }
  keyspaces_.reserve(epoch_->keyspaces.size());
  for (const auto& ks : epoch_->keyspaces) {
    placed_keyspace x;
    static_cast<keyspace&>(x) = ks;
    x.id = keyspace_id(ks.name);
    x.group = group_id(ks.replication);
    x.since = epoch_->id;
    auto& group = groups[x.group];
    if (!group) {
      auto i = known.find(x.group);
      group = make_group(*epoch_, ks, i != known.end() ? i->second : nullptr);
    }
    x.slots = group;
    if (before != nullptr)
      if (const auto* old = before->find_keyspace(x.id);
          old != nullptr && same_rules(*old, x))
        x.since = old->since;
    keyspaces_.push_back(std::move(x));
  }
}

std::optional<member_index> cluster_view::member_of(const uuid& id) const {
  return epoch_->find_member(id);
}

const placed_keyspace*
cluster_view::find_keyspace(std::string_view name) const {
  for (const auto& x : keyspaces_)
    if (x.name == name)
      return &x;
  return nullptr;
}

const placed_keyspace* cluster_view::find_keyspace(uint32_t id) const {
  for (const auto& x : keyspaces_)
    if (x.id == id)
      return &x;
  return nullptr;
}

std::string why_not_follows(const epoch& before, const epoch& next) {
  if (!continues(before, next))
    return "it is no later one of this cluster with the same members in their "
           "places";
  for (const auto& ks : before.keyspaces)
    if (next.find_keyspace(ks.name) == nullptr)
      return "it lacks keyspace " + ks.name;
  return {};
}

} // namespace covey::core
