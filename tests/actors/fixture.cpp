#include "tests/actors/fixture.hpp"

#include "core/hash.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/sinks/null_sink.h>

namespace covey::test {

namespace {

std::shared_ptr<const core::epoch> make_epoch() {
  auto result = std::make_shared<core::epoch>();
  result->id = {1, 1};
  result->cluster = "test";
  for (const auto* name : {"n1", "n2", "n3"})
    result->members.push_back(node_fixture::make_member(name));
  result->keyspaces.push_back(node_fixture::make_keyspace("default", 3));
  result->keyspaces.push_back(node_fixture::make_keyspace("lww", 3));
  result->keyspaces.back().policy = core::conflict_policy::lww;
  result->keyspaces.push_back(node_fixture::make_keyspace("pair", 2));
  return result;
}

} // namespace

core::member node_fixture::make_member(const std::string& name) {
  core::member result;
  result.id = {core::hash64(name), 1};
  result.name = name;
  result.host = name + ".example";
  result.port = 7001;
  result.rack = "r1";
  result.data_centre = "dc1";
  return result;
}

core::keyspace node_fixture::make_keyspace(const std::string& name,
                                           uint32_t replicas) {
  core::keyspace result;
  result.name = name;
  result.replication.total = replicas;
  return result;
}

view_ptr
node_fixture::next_view(const std::function<void(core::epoch&)>& change) {
  auto next = std::make_shared<core::epoch>(view->epoch());
  ++next->id.number;
  change(*next);
  CAF_REQUIRE(core::validate(*next).empty());
  view = std::make_shared<const core::cluster_view>(*view, next);
  return view;
}

node_fixture::node_fixture() {
  become(0, 1);
}

node_fixture::~node_fixture() {
  for (const auto& handle : kept)
    caf::anon_send_exit(handle, caf::exit_reason::kill);
  sched.run();
}

void node_fixture::become(core::member_index me, uint32_t shard_count) {
  view = std::make_shared<const core::cluster_view>(make_epoch());
  node = std::make_shared<node_context>(view, me, shard_count);
  node->token_key = 99;
  node->seed_hash = core::epoch_hash(view->epoch());
  node->wall_us = [this] {
    return now_us;
  };
  node->log = std::make_shared<spdlog::logger>(
    "test", std::make_shared<spdlog::sinks::null_sink_mt>());
}

played_asker& node_fixture::play_asker() {
  auto* x = &askers.emplace_back();
  auto behave = [x]() -> replica_asker_actor::behavior_type {
    return {[x](replica_answers& in) {
      x->froms.push_back(in.from);
      for (auto& a : in.answers)
        x->answers.push_back(std::move(a));
    }};
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_client_asker& node_fixture::play_client_asker() {
  auto* x = &client_askers.emplace_back();
  auto behave = [x]() -> client_asker_actor::behavior_type {
    return {[x](client_answers& in) {
      for (auto& a : in.answers)
        x->answers.push_back(std::move(a));
    }};
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_replica& node_fixture::play_replica() {
  auto* x = &replicas.emplace_back();
  auto behave = [x]() -> replica_actor::behavior_type {
    return {
      [x](replica_ops& in) {
        x->from = in.from;
        for (auto& op : in.ops)
          x->ops.push_back(std::move(op));
      },
      [](epoch_atom, const view_ptr&) {},
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_shard& node_fixture::play_shard() {
  auto* x = &shards.emplace_back();
  auto behave = [x]() -> storage_shard_actor::behavior_type {
    return {
      [x](const kept_rows_query& query) {
        kept_rows out;
        for (const auto& name : query.names)
          if (auto i = x->rows.find(name); i != x->rows.end())
            out.rows.emplace_back(*i);
        return out;
      },
      [x](const kept_rows& in) {
        ++x->saves;
        if (!x->saves_rows)
          return false;
        for (const auto& [name, bytes] : in.rows)
          x->rows[name] = bytes;
        return true;
      },
      [x](replica_ops& in) {
        x->from = in.from;
        for (auto& op : in.ops)
          x->ops.push_back(std::move(op));
      },
      [](epoch_atom, const view_ptr&) {},
      [x](flushed_atom, uint64_t sequence) {
        x->flushed.push_back(sequence);
      },
      [x](renew_atom) {
        ++x->renewals;
      },
      [x](known_atom, const known_counters& in) {
        x->told.insert(x->told.end(), in.dots.begin(), in.dots.end());
      },
      [x](known_atom, const incarnation_list& in) {
        x->asked = in.incarnations;
        return known_counters{x->known};
      },
      [](go_atom) {},
      [](tick_atom) {},
      [x](const hint_query& query) {
        hint_page page;
        if (query.max_bytes > 0 && query.after.empty())
          page.rows = x->hints;
        return page;
      },
      [x](const hint_removal& done) {
        for (const auto& [row, version] : done.rows)
          for (size_t i = 0; i < x->hints.size(); ++i)
            if (x->hints[i].row == row && x->hints[i].version == version)
              x->hints.erase(x->hints.begin() + static_cast<ptrdiff_t>(i--));
      },
      [x](const repair_mark_query&) {
        return repair_mark_list{x->marks};
      },
      [x](const repair_mark_removal& done) {
        x->unmarked.push_back(done);
        for (const auto& mark : done.marks)
          for (size_t i = 0; i < x->marks.size(); ++i)
            if (x->marks[i].slot == mark.slot)
              x->marks.erase(x->marks.begin() + static_cast<ptrdiff_t>(i--));
      },
      [](const roots_query&) {
        return roots_page{};
      },
      [](const leaves_query&) {
        return leaves_page{};
      },
      [](const versions_query&) {
        return versions_page{};
      },
      [x](drain_atom) {
        ++x->drains;
        return x->clean;
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_flusher& node_fixture::play_flusher() {
  auto* x = &flushers.emplace_back();
  auto behave
    = [x](flusher_actor::pointer ptr) -> flusher_actor::behavior_type {
    return {
      [x, ptr](flush_atom, uint32_t shard, uint64_t sequence) {
        x->wishes.push_back({ptr->current_sender(), shard, sequence});
      },
      [](go_atom) {},
      [x](stats_atom) {
        ++x->statuses;
        return statistic_list{{{"commits", 5}}};
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_coordinator& node_fixture::play_coordinator() {
  auto* x = &coordinators.emplace_back();
  auto behave = [x]() -> coordinator_actor::behavior_type {
    return {
      [x](client_ops& in) {
        x->from = in.from;
        for (auto& op : in.ops)
          x->ops.push_back(std::move(op));
      },
      [](replica_answers&) {},
      [x](peer_up_atom, uint16_t member, const replica_actor& link) {
        x->links.push_back("+" + std::to_string(member));
        x->link = link;
      },
      [x](peer_down_atom, uint16_t member) {
        x->links.push_back("-" + std::to_string(member));
      },
      [](view_atom, const liveness_ptr&) {},
      [](epoch_atom, const view_ptr&) {},
      [](go_atom) {},
      [](hurry_atom) {},
      [x](tick_atom) {
        ++x->ticks;
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_anti_entropy& node_fixture::play_anti_entropy() {
  auto* x = &anti_entropies.emplace_back();
  auto behave = [x]() -> anti_entropy_actor::behavior_type {
    return {
      [x](const exchange_frame& frame) {
        x->frames.push_back(frame);
      },
      [](replica_answers&) {},
      [x](peer_up_atom, uint16_t member, const exchange_link_actor& link) {
        x->links.push_back("+" + std::to_string(member));
        x->link = link;
      },
      [x](peer_down_atom, uint16_t member) {
        x->links.push_back("-" + std::to_string(member));
      },
      [](view_atom, const liveness_ptr&) {},
      [](epoch_atom, const view_ptr&) {},
      [](tick_atom) {},
      [x](const wire::RepairRequest& in) {
        x->wishes.push_back(in);
        wire::RepairReply out;
        out.set_id(in.id());
        out.set_compared(7);
        return out;
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_hint_store& node_fixture::play_hint_store() {
  auto* x = &hint_stores.emplace_back();
  auto behave = [x]() -> hint_store_actor::behavior_type {
    return {
      [](replica_answers&) {},
      [x](peer_up_atom, uint16_t member, const replica_actor&) {
        x->links.push_back("+" + std::to_string(member));
      },
      [x](peer_down_atom, uint16_t member) {
        x->links.push_back("-" + std::to_string(member));
      },
      [](view_atom, const liveness_ptr&) {},
      [](epoch_atom, const view_ptr&) {},
      [](tick_atom) {},
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_epoch_keeper& node_fixture::play_epoch_keeper() {
  auto* x = &keepers.emplace_back();
  auto behave = [x]() -> epoch_keeper_actor::behavior_type {
    return {
      [x](const gossip_frame& in) {
        x->frames.push_back(in);
      },
      [x](peer_up_atom, uint16_t member, const gossip_link_actor&, uint64_t) {
        x->links.push_back("+" + std::to_string(member));
      },
      [x](peer_down_atom, uint16_t member) {
        x->links.push_back("-" + std::to_string(member));
      },
      [](epoch_atom, const epoch_sink_actor&) {},
      [x](const epoch_proposal& what) {
        x->proposals.push_back(what);
        return x->outcome;
      },
      [](tick_atom) {},
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_remote& node_fixture::play_remote() {
  auto* x = &remotes.emplace_back();
  auto behave = [x]() -> peer_link_actor::behavior_type {
    return {
      [x](burst_atom, uint64_t session, uint64_t taken,
          const std::string& bytes) {
        x->bursts.push_back({session, taken, bytes});
      },
      [](const wire::PeerHello&) {},
      [x](const wire::PeerWelcome& in) {
        x->welcomes.push_back(in);
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_portal& node_fixture::play_portal() {
  auto* x = &portals.emplace_back();
  auto behave = [x]() -> supervisor_actor::behavior_type {
    return {
      [x](const wire::PeerHello& in) {
        x->hellos.push_back(in);
      },
      [](const wire::ClientHello&) {},
      [](gateway_atom) {
        return gateway_actor{};
      },
      [](children_atom) {
        return wire::Children{};
      },
      [](const wire::WatchRequest&) {},
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_connector& node_fixture::play_connector() {
  auto* x = &connectors.emplace_back();
  auto behave = [x]() -> connector_actor::behavior_type {
    return {
      [x](dial_atom, const std::string& host,
          uint16_t port) -> caf::result<supervisor_actor> {
        x->dialled.push_back(host + ":" + std::to_string(port));
        if (x->portal)
          return x->portal;
        if (x->silent)
          return caf::delegated<supervisor_actor>{};
        return caf::make_error(errc::unavailable, x->why);
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_gossiper& node_fixture::play_gossiper() {
  auto* x = &gossipers.emplace_back();
  auto behave = [x]() -> gossiper_actor::behavior_type {
    return {
      [x](const gossip_frame& frame) {
        x->frames.push_back(frame);
      },
      [x](peer_up_atom, uint16_t m, const gossip_link_actor& link,
          uint64_t run) {
        x->news.push_back("+" + std::to_string(m) + " run "
                          + std::to_string(run));
        x->link = link;
      },
      [x](peer_down_atom, uint16_t m) {
        x->news.push_back("-" + std::to_string(m));
      },
      [x](refused_atom, uint16_t m, bool refused) {
        x->news.push_back(std::to_string(m)
                          + (refused ? " refuses" : " does not refuse"));
      },
      [](epoch_atom, const view_ptr&) {},
      [](tick_atom) {},
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_knocker& node_fixture::play_knocker() {
  auto* x = &knockers.emplace_back();
  auto behave = [x]() -> knocker_actor::behavior_type {
    return {
      [x](knock_atom, const std::string& host,
          uint16_t port) -> caf::result<bool> {
        x->knocks.push_back(host + ":" + std::to_string(port));
        if (x->silent)
          return caf::delegated<bool>{};
        return x->refuses;
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

played_client& node_fixture::play_client() {
  auto* x = &clients.emplace_back();
  auto behave = [x]() -> client_session_actor::behavior_type {
    return {
      [x](const wire::ClientWelcome& in) {
        x->welcomes.push_back(in);
      },
      [x](burst_atom, const std::string& bytes) {
        x->bursts.push_back(bytes);
      },
    };
  };
  x->handle = keep(sys.spawn(behave));
  return *x;
}

void node_fixture::pass_ms(uint64_t ms) {
  now_us += ms * 1000;
  sched.advance_time(std::chrono::milliseconds(ms));
  sched.run();
}

void node_fixture::flush(const played_flusher& flusher, size_t i) {
  CAF_REQUIRE(i < flusher.wishes.size());
  tell(flusher.wishes[i].from, flushed_atom::value, flusher.wishes[i].sequence);
}

const core::placed_keyspace&
node_fixture::keyspace(const std::string& name) const {
  const auto* result = view->find_keyspace(name);
  CAF_REQUIRE(result != nullptr);
  return *result;
}

core::preference_list node_fixture::homes_of(const std::string& ks,
                                             const std::string& key) const {
  return keyspace(ks).at(core::slot_of(key, false));
}

std::string node_fixture::key_where(
  const std::string& ks,
  const std::function<bool(const core::preference_list&)>& wanted,
  size_t n) const {
  for (auto i = 0;; ++i) {
    auto key = "key" + std::to_string(i);
    if (wanted(homes_of(ks, key)) && n-- == 0)
      return key;
  }
}

std::string node_fixture::key_at_home(const std::string& ks, size_t n) const {
  return key_where(
    ks,
    [&](const auto& list) {
      return list.is_home(node->self);
    },
    n);
}

std::string node_fixture::key_elsewhere(const std::string& ks, size_t n) const {
  return key_where(
    ks,
    [&](const auto& list) {
      return !list.is_home(node->self);
    },
    n);
}

replica_op node_fixture::operation(replica_verb verb, const std::string& key,
                                   const std::string& bytes,
                                   const std::string& ks) {
  replica_op op;
  op.id = ++last_id;
  op.verb = verb;
  op.epoch = view->id();
  op.deadline_us = now_us + 1'000'000;
  op.keyspace = core::keyspace_id(ks);
  op.slot = core::slot_of(key, false);
  op.key = key;
  op.bytes = bytes;
  return op;
}

client_op node_fixture::request(client_verb verb, const std::string& key,
                                const std::string& value,
                                const std::string& ks) {
  client_op op;
  op.id = ++last_id;
  op.verb = verb;
  op.keyspace = core::keyspace_id(ks);
  op.deadline_us = now_us + 1'000'000;
  op.key = key;
  op.value = value;
  op.request = {1, last_id};
  op.epoch = view->id();
  return op;
}

} // namespace covey::test
