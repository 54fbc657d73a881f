#include "core/epoch_change.hpp"

#include "core/check.hpp"

#include <algorithm>

namespace covey::core {

namespace {

/// Makes the changes to `next`; each returns what is wrong, or nothing.
class changer {
public:
  explicit changer(const epoch& from) : next(from) {
    ++next.id.number;
  }

  std::string operator()(const add_keyspace& x) {
    if (next.find_keyspace(x.what.name) != nullptr)
      return "keyspace " + x.what.name + " exists already; use another name";
    auto at
      = std::lower_bound(next.keyspaces.begin(), next.keyspaces.end(), x.what,
                         [](const keyspace& a, const keyspace& b) {
                           return a.name < b.name;
                         });
    next.keyspaces.insert(at, x.what);
    return {};
  }

  std::string operator()(const alter_keyspace& x) {
    auto i = std::find_if(next.keyspaces.begin(), next.keyspaces.end(),
                          [&](const keyspace& k) {
                            return k.name == x.name;
                          });
    if (i == next.keyspaces.end())
      return "no keyspace is called " + x.name + "; add it first";
    auto& k = *i;
    auto label = "keyspace " + x.name + ": ";
    if (x.replication
        && (x.replication->total != k.replication.total
            || x.replication->per_data_centre != k.replication.per_data_centre))
      return label
             + "its replication cannot be altered, since all its data would "
               "have to move; add another keyspace and copy";
    if (x.policy && *x.policy != k.policy)
      return label
             + "its conflict policy cannot be altered, since what is stored "
               "was merged under the old one; add another keyspace and copy";
    if (x.hash_tags && *x.hash_tags != k.hash_tags)
      return label
             + "its hash-tag rule cannot be altered, since keys would lie in "
               "other slots; add another keyspace and copy";
    auto before = k;
    k.default_read = x.default_read.value_or(k.default_read);
    k.default_write = x.default_write.value_or(k.default_write);
    k.strict_puts = x.strict_puts.value_or(k.strict_puts);
    k.default_ttl_s = x.default_ttl_s.value_or(k.default_ttl_s);
    if (same(before.default_read, k.default_read)
        && same(before.default_write, k.default_write)
        && before.strict_puts == k.strict_puts
        && before.default_ttl_s == k.default_ttl_s)
      return label + "it is like that already; nothing was altered";
    return {};
  }

  std::string operator()(const add_member& x) {
    return join(x.who, {change_kind::join, x.who.id, {}, 0, next.id});
  }

  std::string operator()(const leave_member& x) {
    return part(x.id, change_kind::leave);
  }

  std::string operator()(const remove_member& x) {
    return part(x.id, change_kind::remove);
  }

  std::string operator()(const replace_member& x) {
    auto* old = find(x.old);
    if (old == nullptr)
      return unknown(x.old);
    if (auto error = need_up(*old); !error.empty())
      return error;
    old->state = member_state::leaving;
    return join(x.who, {change_kind::replace, x.who.id, x.old, 0, next.id});
  }

  std::string operator()(const set_weight& x) {
    auto* m = find(x.id);
    if (m == nullptr)
      return unknown(x.id);
    if (auto error = need_up(*m); !error.empty())
      return error;
    if (m->weight == x.weight)
      return "member " + m->name + " has weight " + std::to_string(x.weight)
             + " already; nothing was altered";
    next.changes.push_back({change_kind::weight, x.id, {}, x.weight, next.id});
    return {};
  }

  std::string operator()(const finish_change& x) {
    if (next.changes.empty() || next.changes.front().member != x.id)
      return "no change of member " + to_string(x.id) + " is under way";
    auto c = next.changes.front();
    next.changes.erase(next.changes.begin());
    auto& m = *find(c.member);
    switch (c.kind) {
      case change_kind::join:
        m.state = member_state::up;
        break;
      case change_kind::replace:
        m.state = member_state::up;
        find(c.other)->state = member_state::removed;
        break;
      case change_kind::weight:
        m.weight = c.weight;
        break;
      default:
        m.state = member_state::removed;
    }
    return {};
  }

  std::string operator()(const cancel_change& x) {
    auto i = std::find_if(next.changes.begin(), next.changes.end(),
                          [&](const member_change& c) {
                            return c.member == x.id;
                          });
    if (i == next.changes.end())
      return "no change of member " + to_string(x.id) + " is unfinished";
    auto c = *i;
    next.changes.erase(i);
    auto& m = *find(c.member);
    if (m.state == member_state::joining)
      m.state = member_state::removed;
    else
      m.state = member_state::up;
    if (c.kind == change_kind::replace)
      find(c.other)->state = member_state::up;
    return {};
  }

  std::string operator()(const force_generation& x) {
    for (auto& id : x.survivors) {
      auto* m = find(id);
      if (m == nullptr)
        return unknown(id);
      if (!votes(*m))
        return "member " + m->name
               + " holds no data of its own; name survivors that do";
    }
    for (auto& m : next.members) {
      auto survives = std::find(x.survivors.begin(), x.survivors.end(), m.id)
                      != x.survivors.end();
      m.state = survives ? member_state::up : member_state::removed;
    }
    next.changes.clear();
    ++next.id.generation;
    return {};
  }

  epoch next;

private:
  static bool same(const consistency& x, const consistency& y) {
    return x.level == y.level && x.count == y.count;
  }

  static std::string unknown(const uuid& id) {
    return "no member has id " + to_string(id) + "; 'covey members' lists them";
  }

  member* find(const uuid& id) {
    auto i = next.find_member(id);
    return i ? &next.members[*i] : nullptr;
  }

  std::string need_up(const member& m) const {
    auto waits = std::any_of(next.changes.begin(), next.changes.end(),
                             [&](const member_change& c) {
                               return c.member == m.id || c.other == m.id;
                             });
    if (m.state == member_state::up && !waits)
      return {};
    if (m.state == member_state::removed)
      return "member " + m.name + " was removed";
    return "member " + m.name
           + " is being changed already; wait for that or cancel it";
  }

  std::string join(const member& who, const member_change& change) {
    // An id that comes back would bring old votes and old data with it.
    if (auto* known = find(who.id))
      return "id " + to_string(who.id) + " is or was that of member "
             + known->name + "; a new member takes a new id";
    next.members.push_back(who);
    next.members.back().state = member_state::joining;
    next.changes.push_back(change);
    return {};
  }

  std::string part(const uuid& id, change_kind kind) {
    auto* m = find(id);
    if (m == nullptr)
      return unknown(id);
    if (auto error = need_up(*m); !error.empty())
      return error;
    m->state = member_state::leaving;
    next.changes.push_back({kind, id, {}, 0, next.id});
    return {};
  }
};

const char* to_string(member_state x) {
  switch (x) {
    case member_state::joining:
      return "joining";
    case member_state::leaving:
      return "leaving";
    case member_state::removed:
      return "removed";
    default:
      return "up";
  }
}

bool same_keyspace(const keyspace& x, const keyspace& y) {
  return x.default_read.level == y.default_read.level
         && x.default_read.count == y.default_read.count
         && x.default_write.level == y.default_write.level
         && x.default_write.count == y.default_write.count
         && x.strict_puts == y.strict_puts
         && x.default_ttl_s == y.default_ttl_s;
}

} // namespace

changed_epoch make_next(const epoch& from, const epoch_change& change) {
  changer with{from};
  changed_epoch result;
  result.error = std::visit(with, change);
  if (!result.error.empty())
    return result;
  auto problems = validate(with.next);
  if (problems.empty())
    problems = validate(target_of(with.next));
  if (!problems.empty()) {
    result.error = problems.front();
    return result;
  }
  COVEY_CHECK(continues(from, with.next));
  result.next = std::move(with.next);
  return result;
}

std::string difference(const epoch& from, const epoch& to) {
  std::string result;
  auto add = [&](const std::string& text) {
    result += (result.empty() ? "" : "; ") + text;
  };
  for (auto& k : to.keyspaces) {
    const auto* old = from.find_keyspace(k.name);
    if (old == nullptr)
      add("keyspace " + k.name + " of replication " + to_string(k.replication));
    else if (!same_keyspace(*old, k))
      add("other defaults of keyspace " + k.name);
  }
  for (size_t i = 0; i < to.members.size(); ++i) {
    const auto& m = to.members[i];
    auto fresh = i >= from.members.size();
    if (fresh || from.members[i].state != m.state)
      add("member " + m.name + " is " + to_string(m.state));
    else if (from.members[i].weight != m.weight)
      add("member " + m.name + " has weight " + std::to_string(m.weight));
  }
  for (auto& c : to.changes)
    if (c.kind == change_kind::weight && c.since == to.id)
      if (auto i = to.find_member(c.member))
        add("member " + to.members[*i].name + " is to have weight "
            + std::to_string(c.weight));
  return result.empty() ? "a change was given up" : result;
}

} // namespace covey::core
