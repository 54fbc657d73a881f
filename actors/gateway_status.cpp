// What the gateway tells about its node.

#include "actors/gateway.hpp"

#include <algorithm>
#include <utility>

namespace covey {

namespace {

void add(wire::StatusReply& out, const std::string& name, uint64_t value) {
  auto* row = out.add_statistics();
  row->set_name(name);
  row->set_value(value);
}

void add_counters(const node_counters& c, wire::StatusReply& out) {
  add(out, "requests.in_flight", c.inflight);
  add(out, "requests.limit", c.load_limit);
  add(out, "requests.puts", c.puts);
  add(out, "requests.gets", c.gets);
  add(out, "requests.refused", c.refused);
  add(out, "requests.failed", c.failed);
  add(out, "requests.forwarded", c.forwards);
  add(out, "requests.read_repairs", c.repairs);
  add(out, "requests.read_repairs_dropped", c.repairs_dropped);
  add(out, "requests.extra_reads", c.extra_reads);
  add(out, "requests.joined_gets", c.joined_gets);
  add(out, "requests.digest_misses", c.digest_misses);
  add(out, "clients", c.clients);
  add(out, "clients.dropped", c.clients_dropped);
  add(out, "clients.answers_refused", c.client_answers_refused);
  add(out, "shards.batches", c.batches);
  add(out, "shards.filter_skips", c.filter_skips);
  add(out, "shards.incarnations_started", c.incarnations);
  add(out, "flusher.flushes", c.flushes);
  add(out, "flusher.writes", c.flushed_writes);
  add(out, "links.bursts_sent", c.bursts_sent);
  add(out, "links.frames_sent", c.frames_sent);
  add(out, "links.answers_refused", c.peer_answers_refused);
  add(out, "answers.refused", c.answers_refused);
  add(out, "answers.late", c.answers_late);
  add(out, "supervisor.restarts", c.restarts);
  add(out, "members.suspects", c.member_suspects);
  add(out, "members.downs", c.member_downs);
  add(out, "members.accusations", c.accusations);
  add(out, "members.refutations", c.refutations);
  add(out, "members.pauses", c.pauses);
  add(out, "epochs.newest_generation", c.epoch_generation);
  add(out, "epochs.newest_number", c.epoch_number);
  add(out, "gossip.messages_sent", c.gossip_messages);
  add(out, "gossip.bytes_sent", c.gossip_bytes);
  add(out, "gossip.rows_refused", c.gossip_refused);
  add(out, "epochs.adopted", c.epochs_adopted);
  add(out, "epochs.stale_operations", c.stale_operations);
  add(out, "epochs.requests_planned_anew", c.replanned);
  add(out, "epochs.waited_for", c.waited_for_epoch);
}

void add_liveness(const node_context& node, const core::cluster_view& view,
                  const core::liveness_view& liveness, core::member_index m,
                  wire::MemberStatus& row) {
  const auto& gauge = node.peers[m];
  row.set_heartbeat(gauge.heartbeat);
  row.set_heartbeat_age_ms(gauge.heartbeat_age_ms);
  row.set_load(gauge.load);
  row.set_unflushed_ms(gauge.unflushed_ms);
  if (m >= liveness.members.size())
    return;
  const auto& x = liveness.members[m];
  row.set_health(static_cast<uint32_t>(x.state));
  row.set_since_us(x.since_us);
  row.set_run(x.run);
  row.set_stalled(x.stalled);
  row.set_catching_up(x.catching_up);
  for (auto accuser : x.accusers)
    row.add_accusers(view.at(accuser).name);
}

void add_hints(const node_context& node, const core::cluster_view& view,
               wire::StatusReply& out) {
  uint64_t pending = 0;
  uint64_t bytes = 0;
  for (const auto& x : node.hints) {
    pending += x.rows;
    bytes += x.bytes;
  }
  add(out, "hints.pending", pending);
  add(out, "hints.bytes", bytes);
  add(out, "hints.stored", node.counters.hints_stored);
  add(out, "hints.replayed", node.counters.hints_replayed);
  add(out, "hints.dropped", node.counters.hints_dropped);
  add(out, "repair.marked_slots", node.repair_marks);
  add(out, "repair.exchanges", node.counters.exchanges);
  add(out, "repair.records_sent", node.counters.exchange_sent);
  add(out, "repair.records_fetched", node.counters.exchange_fetched);
  add(out, "repair.bytes_sent", node.counters.exchange_bytes);
  for (core::member_index i = 0; i < view.members(); ++i)
    if (node.hints[i].rows > 0) {
      const auto& name = view.at(i).name;
      add(out, "hints.pending." + name, node.hints[i].rows);
      add(out, "hints.bytes." + name, node.hints[i].bytes);
    }
}

/// How long ago the comparisons began that all slots shared with a peer, and
/// with all peers, have come through; while there is none, how many peers lack
/// it.
void add_comparisons(const node_context& node, const core::cluster_view& view,
                     wire::StatusReply& out) {
  uint64_t oldest_s = 0;
  uint64_t never = 0;
  auto now_us = node.wall_us();
  for (core::member_index i = 0; i < view.members(); ++i) {
    const auto& gauge = node.peers[i];
    uint64_t at_us = gauge.compared_us;
    if (i == node.self || !gauge.shares_slots)
      continue;
    if (at_us == 0) {
      ++never;
      continue;
    }
    auto age_s = (now_us - std::min(now_us, at_us)) / 1'000'000;
    oldest_s = std::max(oldest_s, age_s);
    add(out, "repair.compared_s_ago." + view.at(i).name, age_s);
  }
  add(out, "repair.never_compared_peers", never);
  if (never == 0)
    add(out, "repair.compared_s_ago", oldest_s);
}

} // namespace

caf::typed_response_promise<wire::RepairReply>
gateway_state::ask_repair(const wire::RepairRequest& in) {
  auto promise = self->make_response_promise<wire::RepairReply>();
  auto refuse = [promise, id = in.id()](const caf::error&) mutable {
    wire::RepairReply out;
    out.set_id(id);
    out.set_code(static_cast<uint32_t>(errc::unavailable));
    out.set_text("the node does not repair now");
    promise.deliver(std::move(out));
  };
  if (!repairs) {
    refuse(caf::error{});
    return promise;
  }
  self->request(repairs, std::chrono::seconds(5), in)
    .then(
      [promise](wire::RepairReply& reply) mutable {
        promise.deliver(std::move(reply));
      },
      refuse);
  return promise;
}

caf::typed_response_promise<wire::StatusReply>
gateway_state::ask_status(const wire::StatusRequest& in) {
  auto promise = self->make_response_promise<wire::StatusReply>();
  if (statuses.size() >= config.max_statuses) {
    wire::StatusReply refused;
    refused.set_id(in.id());
    refused.set_code(static_cast<uint32_t>(errc::overloaded));
    refused.set_text("as many ask for the node's status as may");
    promise.deliver(std::move(refused));
    return promise;
  }
  statuses.emplace_back(in.id(), promise);
  if (statuses.size() > 1)
    return promise;
  auto reply = [this](const statistic_list& engine) {
    auto out = status(engine);
    for (auto& [id, waiting] : std::exchange(statuses, {})) {
      out.set_id(id);
      waiting.deliver(out);
    }
  };
  self->request(flusher, std::chrono::seconds(2), stats_atom::value)
    .then(reply, [reply](const caf::error&) {
      reply({});
    });
  return promise;
}

wire::StatusReply gateway_state::status(const statistic_list& engine) const {
  wire::StatusReply out;
  const auto& epoch = view->epoch();
  out.set_cluster(epoch.cluster);
  out.set_node(node->me().name);
  out.set_epoch_generation(epoch.id.generation);
  out.set_epoch_number(epoch.id.number);
  out.set_run(node->run);
  out.set_clock_us(node->wall_us());
  out.set_uptime_s((node->wall_us() - started_us) / 1'000'000);
  out.set_version(config.version);
  out.set_durability(config.durability);
  const auto& ring = view->keyspaces().front().homes();
  for (size_t i = 0; i < epoch.members.size(); ++i) {
    const auto& m = epoch.members[i];
    if (m.state == core::member_state::removed)
      continue;
    auto* row = out.add_members();
    row->set_name(m.name);
    row->set_address(m.host + ":" + std::to_string(m.port));
    row->set_rack(m.rack);
    row->set_data_centre(m.data_centre);
    row->set_weight(m.weight);
    row->set_up(i == node->self || node->peers[i].up);
    row->set_round_trip_us(node->peers[i].round_trip_us);
    row->set_slots(ring.slots_of(static_cast<core::member_index>(i)));
    row->set_id(core::to_string(m.id));
    add_liveness(*node, *view, *liveness, static_cast<core::member_index>(i),
                 *row);
  }
  for (const auto& ks : epoch.keyspaces) {
    auto* row = out.add_keyspaces();
    row->set_name(ks.name);
    row->set_replication(core::to_string(ks.replication));
    row->set_policy(ks.policy == core::conflict_policy::lww ? "lww"
                                                            : "siblings");
    row->set_default_read(core::to_string(ks.default_read));
    row->set_default_write(core::to_string(ks.default_write));
    row->set_default_ttl_s(ks.default_ttl_s);
    row->set_hash_tags(ks.hash_tags);
    row->set_write_quorum(ks.strict_puts ? "strict" : "sloppy");
  }
  add_counters(node->counters, out);
  add_hints(*node, *view, out);
  add_comparisons(*node, *view, out);
  add(out, "trees.unready_slots", node->trees.unready);
  add(out, "trees.dirty_slots", node->trees.dirty);
  add(out, "trees.bytes", node->trees.bytes);
  add(out, "answers.bytes", node->answers->held());
  add(out, "answers.limit_bytes", node->answers->limit());
  add(out, "clients.bytes_under_way", node->answers_under_way->held());
  for (const auto& statistic : engine.values)
    add(out, "engine." + statistic.first, statistic.second);
  return out;
}

wire::RingReply gateway_state::ring(const wire::RingRequest& in) const {
  wire::RingReply out;
  out.set_id(in.id());
  const auto* ks = view->find_keyspace(in.keyspace());
  if (ks == nullptr) {
    out.set_code(static_cast<uint32_t>(errc::unknown_keyspace));
    return out;
  }
  if (in.key().empty()) {
    out.set_code(static_cast<uint32_t>(errc::empty_key));
    return out;
  }
  auto slot = core::slot_of(in.key(), ks->hash_tags);
  auto list = ks->at(slot);
  out.set_slot(slot);
  for (uint32_t i = 0; i < list.size; ++i) {
    const auto& member = view->at(list[i]);
    if (i < list.homes)
      out.add_homes(member.name);
    else
      out.add_fallbacks(member.name);
  }
  return out;
}

} // namespace covey
