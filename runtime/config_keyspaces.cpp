// The knobs of [cluster] and [keyspaces.NAME], which end in the epoch.

#include "runtime/config_section.hpp"

#include <utility>

namespace covey::runtime {

namespace {

using problem = std::string;

std::string plain_text(const knob_value& x) {
  if (auto number = std::get_if<int64_t>(&x))
    return std::to_string(*number);
  return std::get<std::string>(x);
}

problem store_replication(core::keyspace& k, const knob_value& x) {
  auto parsed = core::parse_replication(plain_text(x));
  if (!parsed)
    return R"(is not a replication; write 3, or "dc1:3,dc2:2", )"
           "with 1 to 16 replicas in all";
  k.replication = std::move(*parsed);
  return {};
}

problem store_level(core::consistency& out, const knob_value& x) {
  auto parsed = core::parse_consistency(plain_text(x));
  if (!parsed || parsed->level == core::consistency_level::keyspace_default)
    return "is not a consistency level; write ONE, TWO, THREE, QUORUM, ALL, "
           "LOCAL_ONE, LOCAL_QUORUM, EACH_QUORUM or a number from 1 to 16";
  out = *parsed;
  return {};
}

/// Adds a knob whose value lives in a core::keyspace.
template <class Store, class Load>
knob& add(std::vector<knob>& out, std::string key, knob_type type,
          std::string help, Store store, Load load) {
  knob k;
  k.section = keyspace_section;
  k.key = std::move(key);
  k.type = type;
  k.help = std::move(help);
  k.store = [store](config_draft& draft, const std::string& instance,
                    const knob_value& x) -> problem {
    return store(draft.keyspaces[instance], x);
  };
  k.load = [load](const config_draft& draft, const std::string& instance) {
    auto i = draft.keyspaces.find(instance);
    return knob_value{
      load(i == draft.keyspaces.end() ? core::keyspace{} : i->second)};
  };
  out.push_back(std::move(k));
  return out.back();
}

} // namespace

void add_cluster_knobs(std::vector<knob>& out) {
  knob name;
  name.section = "cluster";
  name.key = "name";
  name.help = "Name of the cluster; nodes of others are turned away.";
  name.store
    = [](config_draft& draft, const std::string&, const knob_value& x) {
        draft.cluster = std::get<std::string>(x);
        return problem{};
      };
  name.load = [](const config_draft& draft, const std::string&) {
    return knob_value{draft.cluster};
  };
  out.push_back(std::move(name));
  knob members;
  members.section = "cluster";
  members.key = "members";
  members.type = knob_type::list;
  members.help = "Every node of the cluster, the same list on each: "
                 R"("NAME=HOST:PORT rack=R dc=D weight=W", )"
                 "all after the port optional; empty for this node alone.";
  members.store
    = [](config_draft& draft, const std::string&, const knob_value& x) {
        draft.members = std::get<text_list>(x);
        return problem{};
      };
  members.load = [](const config_draft& draft, const std::string&) {
    return knob_value{draft.members};
  };
  out.push_back(std::move(members));
}

void add_keyspace_knobs(std::vector<knob>& out) {
  using core::keyspace;
  add(out, "replication", knob_type::number_or_text,
      R"(Replicas of every key: 3, or "dc1:3,dc2:2".)", store_replication,
      [](const keyspace& k) {
        return core::to_string(k.replication);
      })
    .default_note
    = "3, or the number of members if that is less";
  auto& policy = add(
    out, "policy", knob_type::choice, "What becomes of concurrent writes.",
    [](keyspace& k, const knob_value& x) -> problem {
      k.policy = std::get<std::string>(x) == "lww"
                   ? core::conflict_policy::lww
                   : core::conflict_policy::siblings;
      return {};
    },
    [](const keyspace& k) -> std::string {
      return k.policy == core::conflict_policy::lww ? "lww" : "siblings";
    });
  policy.choices = {"siblings", "lww"};
  add(
    out, "read", knob_type::number_or_text,
    "Consistency of reads that state none.",
    [](keyspace& k, const knob_value& x) {
      return store_level(k.default_read, x);
    },
    [](const keyspace& k) {
      return core::to_string(k.default_read);
    });
  add(
    out, "write", knob_type::number_or_text,
    "Consistency of writes that state none.",
    [](keyspace& k, const knob_value& x) {
      return store_level(k.default_write, x);
    },
    [](const keyspace& k) {
      return core::to_string(k.default_write);
    });
  auto& quorum = add(
    out, "write-quorum", knob_type::choice,
    "Whether writes that state neither may count fallbacks.",
    [](keyspace& k, const knob_value& x) -> problem {
      k.strict_puts = std::get<std::string>(x) == "strict";
      return {};
    },
    [](const keyspace& k) -> std::string {
      return k.strict_puts ? "strict" : "sloppy";
    });
  quorum.choices = {"sloppy", "strict"};
  auto& ttl = add(
    out, "ttl-s", knob_type::number,
    "Age at which values expire by themselves; 0 for never.",
    [](keyspace& k, const knob_value& x) -> problem {
      k.default_ttl_s = static_cast<uint64_t>(std::get<int64_t>(x));
      return {};
    },
    [](const keyspace& k) {
      return static_cast<int64_t>(k.default_ttl_s);
    });
  ttl.unit = "seconds";
  ttl.max = static_cast<int64_t>(core::max_default_ttl_s);
  add(
    out, "hash-tags", knob_type::flag,
    "Places a key by its part in {braces} alone, if it has one.",
    [](keyspace& k, const knob_value& x) -> problem {
      k.hash_tags = std::get<bool>(x);
      return {};
    },
    [](const keyspace& k) {
      return k.hash_tags;
    });
}

} // namespace covey::runtime
