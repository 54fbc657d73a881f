// What makes an epoch unusable.

#include "core/epoch.hpp"
#include "core/name.hpp"

#include <algorithm>
#include <set>

namespace covey::core {

namespace {

constexpr uint32_t max_weight = 64;
// Keeps a member_index in range, and a ring within 16 million virtual nodes.
constexpr uint64_t max_total_weight = 65535;
constexpr uint32_t max_replicas = 16;

/// Collects the problems of one epoch.
class validator {
public:
  explicit validator(const epoch& x) : epoch_(x) {
    for (auto& m : x.members)
      if (holds_slots(m)) {
        ++members_in_[m.data_centre];
        ++holders_;
      }
    for (auto& c : x.changes)
      if (c.kind == change_kind::replace)
        replaced_.insert(c.other);
  }

  std::vector<std::string> run() {
    check_members();
    for (auto& m : epoch_.members)
      check_member(m);
    check_keyspaces();
    for (auto& k : epoch_.keyspaces)
      check_keyspace(k);
    check_changes();
    return std::move(problems_);
  }

private:
  void problem(std::string line) {
    problems_.push_back(std::move(line));
  }

  void check_name(const std::string& what, const std::string& name) {
    if (!is_name(name))
      problem(what + " \"" + name
              + "\": not a name; use 1 to 64 of A-Z a-z "
                "0-9 . _ -");
  }

  void check_members() {
    auto& xs = epoch_.members;
    if (holders_ == 0)
      problem("no members: configure at least one");
    if (xs.size() > max_members)
      problem(std::to_string(xs.size()) + " members, removed ones included: "
              + std::to_string(max_members) + " are the limit");
    uint64_t weight = 0;
    for (auto& m : xs)
      weight += std::max(m.weight, 1u);
    if (weight > max_total_weight)
      problem("the weights of the members sum up to " + std::to_string(weight)
              + ", above 65535; lower them");
    auto sorted = std::is_sorted(xs.begin(), xs.end(), [](auto& x, auto& y) {
      return x.name < y.name;
    });
    // Later epochs append.
    if (epoch_.id.number <= 1 && !sorted)
      problem("the members are not sorted by name: sort them");
  }

  void check_member(const member& x) {
    auto label = "member " + x.name;
    check_name("member", x.name);
    if (x.state > member_state::removed)
      problem(label + ": its state is none; it was damaged");
    if (x.state != member_state::removed && replaced_.count(x.id) == 0)
      check_place(label, x);
    if (!x.id)
      problem(label + ": has no id; give it one");
    else if (auto [i, fresh] = ids_.emplace(x.id, x.name); !fresh)
      problem(label + ": id " + to_string(x.id) + " is that of member "
              + i->second + " too; give each its own");
    if (x.weight < 1 || x.weight > max_weight)
      problem(label + ": weight " + std::to_string(x.weight)
              + " is outside 1 to 64; change it");
    if (!x.rack.empty())
      check_name(label + ": rack", x.rack);
    if (!x.data_centre.empty())
      check_name(label + ": data centre", x.data_centre);
  }

  void check_place(const std::string& label, const member& x) {
    if (!names_.insert(x.name).second)
      problem(label + ": two members have this name; rename one");
    auto address = x.host + ":" + std::to_string(x.port);
    if (auto [i, fresh] = addresses_.emplace(address, x.name); !fresh)
      problem(label + ": address " + address + " is that of member " + i->second
              + " too; give each its own");
  }

  void check_changes() {
    if (epoch_.changes.size() > max_changes)
      problem("more than " + std::to_string(max_changes)
              + " changes of members wait; let some finish first");
    std::map<uuid, member_state> expected;
    auto concerns = [&](const uuid& id, member_state state) {
      if (!expected.emplace(id, state).second)
        problem("two changes concern member " + to_string(id)
                + "; let the first finish");
    };
    for (auto& c : epoch_.changes) {
      auto joins
        = c.kind == change_kind::join || c.kind == change_kind::replace;
      if (c.kind < change_kind::join || c.kind > change_kind::weight)
        problem("a change is of no kind; it was damaged");
      else if (c.kind == change_kind::weight)
        concerns(c.member, member_state::up);
      else
        concerns(c.member,
                 joins ? member_state::joining : member_state::leaving);
      if (c.kind == change_kind::replace)
        concerns(c.other, member_state::leaving);
      if (c.kind == change_kind::weight ? c.weight < 1 || c.weight > max_weight
                                        : c.weight != 0)
        problem("weight " + std::to_string(c.weight)
                + " of a change is outside 1 to 64; change it");
      if (epoch_.id < c.since)
        problem("a change is of a later epoch than its own; it was damaged");
    }
    for (auto& m : epoch_.members) {
      auto i = expected.find(m.id);
      auto state = i != expected.end() ? i->second : m.state;
      auto idle
        = m.state == member_state::up || m.state == member_state::removed;
      if (state != m.state || (i == expected.end() && !idle))
        problem("member " + m.name
                + ": its state is not that of its change; it was damaged");
      if (i != expected.end())
        expected.erase(i);
    }
    for (auto& [id, state] : expected)
      problem("a change concerns member " + to_string(id)
              + ", which does not exist; it was damaged");
  }

  void check_keyspaces() {
    auto& xs = epoch_.keyspaces;
    if (xs.empty())
      problem("no keyspaces: configure at least one");
    if (!std::is_sorted(xs.begin(), xs.end(), [](auto& x, auto& y) {
          return x.name < y.name;
        }))
      problem("the keyspaces are not sorted by name: sort them");
  }

  void check_keyspace(const keyspace& x) {
    auto label = "keyspace " + x.name;
    check_name("keyspace", x.name);
    auto id = keyspace_id(x.name);
    if (auto [i, fresh] = keyspaces_.emplace(id, x.name); !fresh)
      problem(label + ": its id " + std::to_string(id) + " is that of keyspace "
              + i->second + " too; rename one");
    auto text = to_string(x.replication);
    auto group = group_id(x.replication);
    if (auto [i, fresh] = groups_.emplace(group, text);
        !fresh && i->second != text)
      problem(label + ": the group id of replication " + text
              + " is that of replication " + i->second + " too; change one");
    check_replication(label, x.replication);
    if (x.default_ttl_s > max_default_ttl_s)
      problem(label + ": values expire after " + std::to_string(x.default_ttl_s)
              + " s, above a hundred years; lower it");
    check_default(label + ": default read", x.default_read, x.replication);
    check_default(label + ": default write", x.default_write, x.replication);
  }

  void check_replication(const std::string& label, const replication_spec& x) {
    if (x.total > 0 && !x.per_data_centre.empty()) {
      problem(label + ": replication is both " + std::to_string(x.total)
              + " and " + to_string(x) + "; keep one");
      return;
    }
    // Summed wider than replicas() does: the numbers are not checked yet.
    uint64_t replicas = x.total;
    for (auto& [name, n] : x.per_data_centre) {
      replicas += n;
      check_data_centre(label, name, n);
    }
    if (replicas < 1 || replicas > max_replicas)
      problem(label + ": replication " + to_string(x) + " asks for "
              + std::to_string(replicas) + " replicas; ask for 1 to 16");
    else if (x.total > holders_)
      problem(label + ": replication " + to_string(x) + " is above the "
              + std::to_string(holders_) + " members; lower it or add members");
  }

  void check_data_centre(const std::string& label, const std::string& name,
                         uint32_t replicas) {
    auto i = members_in_.find(name);
    auto where = label + ": replication in data centre " + name;
    check_name(where, name);
    if (replicas == 0)
      problem(where + " is 0; leave the data centre out");
    else if (i == members_in_.end())
      problem(where + ": it has no members; add some or leave it out");
    else if (replicas > i->second)
      problem(where + ": " + std::to_string(replicas) + " is above its "
              + std::to_string(i->second)
              + " members; lower it or add members");
  }

  void check_default(const std::string& label, const consistency& x,
                     const replication_spec& replication) {
    auto counts = x.level == consistency_level::number;
    uint32_t needed = counts ? x.count : 0;
    if (x.level >= consistency_level::one
        && x.level <= consistency_level::three)
      needed = static_cast<uint32_t>(x.level);
    if (x.level == consistency_level::keyspace_default
        || x.level > consistency_level::number || (counts && x.count == 0))
      problem(label + " " + to_string(x)
              + ": not a consistency level of a keyspace; use QUORUM");
    else if (needed > replication.replicas())
      problem(label + " " + to_string(x) + " is above the replication "
              + to_string(replication) + "; lower it");
  }

  const epoch& epoch_;
  std::map<std::string, size_t> members_in_;
  size_t holders_ = 0;
  std::set<uuid> replaced_;
  std::set<std::string> names_;
  std::map<std::string, std::string> addresses_;
  std::map<uuid, std::string> ids_;
  std::map<uint32_t, std::string> keyspaces_;
  std::map<uint32_t, std::string> groups_;
  std::vector<std::string> problems_;
};

} // namespace

std::vector<std::string> validate(const epoch& x) {
  return validator{x}.run();
}

} // namespace covey::core
