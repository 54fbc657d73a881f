#include "runtime/wiring.hpp"

#include "core/hash.hpp"

#include <memory>
#include <random>

namespace covey::runtime {

namespace {

using role = child_spec::kind;

template <class Handle>
caf::strong_actor_ptr erase(const Handle& handle) {
  return caf::actor_cast<caf::strong_actor_ptr>(handle);
}

/// Where the children of each sort start in the supervisor's order.
struct positions {
  size_t shards;
  size_t replicas;
  size_t coordinators;
  size_t keeper;
  size_t gateway;
  size_t gossiper;
  size_t hints;
  size_t repairs;
  size_t links;
};

template <class Handle>
std::vector<Handle> pick(const started_children& children, size_t from,
                         size_t n) {
  std::vector<Handle> result;
  for (size_t i = from; i < from + n; ++i)
    result.push_back(caf::actor_cast<Handle>(children[i]));
  return result;
}

/// Draws seeds for the children; a restarted child gets a new one.
using seed_source = std::shared_ptr<std::mt19937_64>;

void add_storage(caf::actor_system& sys, const node_context_ptr& node,
                 const wiring_options& options, const seed_source& seeds,
                 std::vector<child_spec>& out) {
  out.push_back(
    {"flusher", role::plain, true, 0,
     [&sys, node, options](const started_children&) {
       return erase(options.detached_flusher
                      ? sys.spawn<caf::detached>(flusher, options.flusher, node)
                      : sys.spawn(flusher, options.flusher, node));
     }});
  for (uint32_t i = 0; i < node->shards; ++i)
    out.push_back(
      {"storage-shard/" + std::to_string(i), role::shard, true, 0,
       [&sys, node, options, seeds, i](const started_children& earlier) {
         auto config = options.shard;
         config.shard = i;
         config.seed = (*seeds)();
         auto f = caf::actor_cast<flusher_actor>(earlier.front());
         return erase(
           options.detached_shards
             ? sys.spawn<caf::detached>(storage_shard, config, node, f)
             : sys.spawn(storage_shard, config, node, f));
       },
       true});
  for (uint32_t i = 0; i < node->shards; ++i)
    out.push_back({"replica/" + std::to_string(i), role::plain, false, 0,
                   [&sys, node, options, i](const started_children& earlier) {
                     auto config = options.replica;
                     config.shard = i;
                     return erase(sys.spawn(
                       replica, config, node,
                       caf::actor_cast<storage_shard_actor>(earlier[1 + i])));
                   },
                   true});
}

void add_requests(caf::actor_system& sys, const node_context_ptr& node,
                  const wiring_options& options, const seed_source& seeds,
                  const positions& at, std::vector<child_spec>& out) {
  for (uint32_t i = 0; i < options.coordinators; ++i)
    out.push_back(
      {"coordinator/" + std::to_string(i), role::plain, false, 0,
       [&sys, node, options, at](const started_children& earlier) {
         return erase(
           sys.spawn(coordinator, options.coordinator, node,
                     pick<replica_actor>(earlier, at.replicas, node->shards)));
       },
       true});
  out.push_back(
    {"epoch-keeper", role::keeper, false, 0,
     [&sys, node, options, seeds, at](const started_children& earlier) {
       auto config = options.keeper;
       config.seed = (*seeds)();
       auto shard = caf::actor_cast<storage_shard_actor>(earlier[at.shards]);
       return erase(sys.spawn(epoch_keeper, config, node,
                              caf::actor_cast<row_keeper_actor>(shard)));
     }});
  out.push_back(
    {"gateway", role::gateway, false, 0,
     [&sys, node, options, seeds, at](const started_children& earlier) {
       auto config = options.gateway;
       config.seed = (*seeds)();
       return erase(
         sys.spawn(gateway, config, node,
                   pick<coordinator_actor>(earlier, at.coordinators,
                                           options.coordinators),
                   caf::actor_cast<flusher_actor>(earlier.front()),
                   caf::actor_cast<epoch_keeper_actor>(earlier[at.keeper])));
     },
     true});
}

void add_gossiper(caf::actor_system& sys, const node_context_ptr& node,
                  const wiring_options& options, const seed_source& seeds,
                  const positions& at, std::vector<child_spec>& out) {
  out.push_back(
    {"gossiper", role::plain, false, 0,
     [&sys, node, options, seeds, at](const started_children& earlier) {
       auto config = options.gossip;
       config.seed = (*seeds)();
       return erase(
         sys.spawn(gossiper, config, node,
                   pick<coordinator_actor>(earlier, at.coordinators,
                                           options.coordinators),
                   caf::actor_cast<local_gateway_actor>(earlier[at.gateway]),
                   caf::actor_cast<hint_store_actor>(earlier[at.hints]),
                   caf::actor_cast<anti_entropy_actor>(earlier[at.repairs])));
     },
     true});
}

void add_hints(caf::actor_system& sys, const node_context_ptr& node,
               const wiring_options& options, const positions& at,
               std::vector<child_spec>& out) {
  out.push_back({"hint-store", role::plain, false, 0,
                 [&sys, node, options, at](const started_children& earlier) {
                   return erase(sys.spawn(hint_store, options.hints, node,
                                          pick<storage_shard_actor>(
                                            earlier, at.shards, node->shards)));
                 },
                 true});
}

void add_anti_entropy(caf::actor_system& sys, const node_context_ptr& node,
                      const wiring_options& options, const seed_source& seeds,
                      const positions& at, std::vector<child_spec>& out) {
  out.push_back(
    {"anti-entropy", role::plain, false, 0,
     [&sys, node, options, seeds, at](const started_children& earlier) {
       auto config = options.repair;
       config.seed = (*seeds)();
       anti_entropy_collaborators with;
       with.trees = pick<tree_source_actor>(earlier, at.shards, node->shards);
       with.shards
         = pick<storage_shard_actor>(earlier, at.shards, node->shards);
       with.replicas = pick<replica_actor>(earlier, at.replicas, node->shards);
       with.gateway = caf::actor_cast<local_gateway_actor>(earlier[at.gateway]);
       return erase(sys.spawn(anti_entropy, config, node, with));
     },
     true});
}

child_spec link_to(caf::actor_system& sys, const node_context_ptr& node,
                   const wiring_options& options, const seed_source& seeds,
                   const positions& at, core::member_index peer) {
  auto connector = options.connector;
  return {
    "peer-link/" + node->newest_view()->at(peer).name,
    role::link,
    false,
    peer,
    [&sys, node, options, seeds, at, peer,
     connector](const started_children& earlier) {
      auto config = options.link;
      config.peer = peer;
      config.seed = (*seeds)();
      peer_link_collaborators with;
      with.connector = connector(peer);
      with.shards = pick<storage_shard_actor>(earlier, at.shards, node->shards);
      with.replicas = pick<replica_actor>(earlier, at.replicas, node->shards);
      with.coordinators = pick<coordinator_actor>(earlier, at.coordinators,
                                                  options.coordinators);
      with.gossiper = caf::actor_cast<gossiper_actor>(earlier[at.gossiper]);
      with.knocker = options.knocker;
      with.hints = caf::actor_cast<hint_store_actor>(earlier[at.hints]);
      with.repairs = caf::actor_cast<anti_entropy_actor>(earlier[at.repairs]);
      with.keeper = caf::actor_cast<epoch_keeper_actor>(earlier[at.keeper]);
      return erase(sys.spawn(peer_link, config, node, with));
    },
    true};
}

positions positions_of(const node_context& node,
                       const wiring_options& options) {
  positions at{};
  at.shards = 1;
  at.replicas = at.shards + node.shards;
  at.coordinators = at.replicas + node.shards;
  at.keeper = at.coordinators + options.coordinators;
  at.gateway = at.keeper + 1;
  at.hints = at.gateway + 1;
  at.repairs = at.hints + 1;
  at.gossiper = at.repairs + 1;
  at.links = at.gossiper + 1;
  return at;
}

} // namespace

std::shared_ptr<node_context>
make_node_context(view_ptr view, core::member_index self, uint32_t shards) {
  auto node = std::make_shared<node_context>(std::move(view), self, shards);
  auto seed = node->newest_view();
  node->token_key = core::hash64("context of " + seed->epoch().cluster);
  node->seed_hash = core::epoch_hash(seed->epoch());
  return node;
}

std::vector<child_spec> wire_node(caf::actor_system& sys,
                                  const node_context_ptr& node,
                                  const wiring_options& options) {
  auto seeds = std::make_shared<std::mt19937_64>(options.seed);
  auto at = positions_of(*node, options);
  std::vector<child_spec> result;
  add_storage(sys, node, options, seeds, result);
  add_requests(sys, node, options, seeds, at, result);
  add_hints(sys, node, options, at, result);
  add_anti_entropy(sys, node, options, seeds, at, result);
  add_gossiper(sys, node, options, seeds, at, result);
  auto view = node->newest_view();
  for (core::member_index peer = 0; peer < view->members(); ++peer)
    if (peer != node->self
        && view->at(peer).state != core::member_state::removed)
      result.push_back(link_to(sys, node, options, seeds, at, peer));
  result.push_back(
    {"ticker", role::ticker, false, 0,
     [&sys, node, options, at](const started_children& earlier) {
       std::vector<ticked_actor> woken;
       for (size_t i = 0; i < earlier.size(); ++i) {
         auto ticked
           = (i >= at.shards && i < at.replicas) || i >= at.coordinators;
         if (ticked)
           woken.push_back(caf::actor_cast<ticked_actor>(earlier[i]));
       }
       return erase(sys.spawn(ticker, options.ticker, woken));
     }});
  return result;
}

std::function<child_spec(core::member_index)>
link_maker(caf::actor_system& sys, const node_context_ptr& node,
           const wiring_options& options) {
  auto seeds = std::make_shared<std::mt19937_64>(~options.seed);
  return [&sys, node, options, seeds,
          at = positions_of(*node, options)](core::member_index peer) {
    return link_to(sys, node, options, seeds, at, peer);
  };
}

} // namespace covey::runtime
