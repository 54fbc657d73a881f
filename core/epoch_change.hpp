// Changes of an epoch: each makes the next epoch of one, or says why not.

#pragma once

#include "core/epoch.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace covey::core {

struct add_keyspace {
  keyspace what;
};

/// What is not given stays. What would move or rewrite data is refused.
struct alter_keyspace {
  std::string name;
  std::optional<consistency> default_read;
  std::optional<consistency> default_write;
  std::optional<bool> strict_puts;
  std::optional<uint64_t> default_ttl_s;
  std::optional<replication_spec> replication;
  std::optional<conflict_policy> policy;
  std::optional<bool> hash_tags;
};

/// `who` is new: its id was never a member's. Its state is not looked at.
struct add_member {
  member who;
};

/// It hands over its slots, then goes.
struct leave_member {
  uuid id;
};

/// It is gone for good.
struct remove_member {
  uuid id;
};

/// `who` is new, as in add_member, and takes the place of `old`.
struct replace_member {
  uuid old;
  member who;
};

struct set_weight {
  uuid id;
  uint32_t weight = 1;
};

/// The change under way, of this member, is done: who was joining is up, who
/// was leaving is removed, the weight holds.
struct finish_change {
  uuid id;
};

/// Gives up the change of this member, under way or waiting: who was joining
/// is removed, who was leaving is up.
struct cancel_change {
  uuid id;
};

/// Starts the next generation among these alone; all others are removed, and
/// unfinished changes are given up. Only for a majority that is gone for good:
/// what the others alone held is lost.
struct force_generation {
  std::vector<uuid> survivors;
};

using epoch_change
  = std::variant<add_keyspace, alter_keyspace, add_member, leave_member,
                 remove_member, replace_member, set_weight, finish_change,
                 cancel_change, force_generation>;

/// The next epoch, or one line that says why there is none.
struct changed_epoch {
  std::optional<epoch> next;
  std::string error;
};

/// Pure. `from` is sound (`validate`); then `next` is, and so is what it will
/// be once its changes are finished, and it continues `from`.
changed_epoch make_next(const epoch& from, const epoch_change& change);

/// What `to` has that `from` had not, in a few words for logs and plans:
/// "keyspace carts of replication 3; member n4 is joining".
std::string difference(const epoch& from, const epoch& to);

} // namespace covey::core
