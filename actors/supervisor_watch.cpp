// What a supervisor tells programs outside: its children, and their crashes.

#include "actors/supervisor.hpp"
#include "messages/errors.hpp"

namespace covey {

namespace {

void add_members(const core::epoch& epoch, wire::NodeState& out) {
  for (const auto& m : epoch.members) {
    if (m.state == core::member_state::removed)
      continue;
    auto* member = out.add_members();
    member->set_name(m.name);
    member->set_host(m.host);
    member->set_port(m.port);
    member->set_rack(m.rack);
    member->set_data_centre(m.data_centre);
    member->set_weight(m.weight);
  }
}

} // namespace

wire::Children supervisor_state::list_children() const {
  wire::Children out;
  for (size_t i = 0; i < config.children.size(); ++i) {
    auto* child = out.add_children();
    child->set_name(config.children[i].name);
    child->set_restarts(restarts[i]);
    child->set_essential(config.children[i].essential);
  }
  return out;
}

void supervisor_state::watch(const wire::WatchRequest& in) {
  auto who = caf::actor_cast<node_watcher_actor>(self->current_sender());
  // Nobody to answer.
  if (!who)
    return;
  wire::NodeState out;
  out.set_nonce(in.nonce());
  auto known = watchers.count(who.address()) > 0;
  if (!known && watchers.size() >= config.max_watchers) {
    out.set_code(static_cast<uint32_t>(errc::overloaded));
    out.set_text(std::to_string(watchers.size())
                 + " programs watch this node, the most that it takes");
    self->send(who, std::move(out));
    return;
  }
  if (!known) {
    // Once for each: what ends is forgotten.
    self->monitor(who);
    watchers.emplace(who.address(), who);
    node->log->debug("supervisor is watched by {}", in.agent().substr(0, 64));
  }
  auto view = node->newest_view();
  const auto& epoch = view->epoch();
  out.set_cluster(epoch.cluster);
  out.set_node(node->me().name);
  out.set_run(node->run);
  out.set_epoch_generation(epoch.id.generation);
  out.set_epoch_number(epoch.id.number);
  if (in.wants_children())
    *out.mutable_children() = std::move(*list_children().mutable_children());
  auto has_epoch = in.epoch_generation() == epoch.id.generation
                   && in.epoch_number() == epoch.id.number;
  if (in.wants_members() && !has_epoch)
    add_members(epoch, out);
  self->send(who, std::move(out));
}

void supervisor_state::tell(const wire::ChildEvent& event) {
  for (const auto& [address, who] : watchers)
    self->send(who, event);
}

} // namespace covey
