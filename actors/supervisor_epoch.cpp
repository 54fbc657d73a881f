// The supervisor's part in epochs: the node goes on with one, and peers are let
// in by it.

#include "actors/supervisor.hpp"

#include <algorithm>

namespace covey {

namespace {

std::string to_string(const core::epoch_id& x) {
  return std::to_string(x.generation) + "." + std::to_string(x.number);
}

} // namespace

void supervisor_state::adopt(const epoch_ptr& next) {
  auto before = node->newest_view();
  // Whoever brings epochs may bring one twice.
  if (stopping || !(before->id() < next->id))
    return;
  if (auto why = core::why_not_follows(before->epoch(), *next); !why.empty()) {
    node->log->error("supervisor refuses epoch {}: {}", to_string(next->id),
                     why);
    return;
  }
  // Here, since it takes milliseconds, and the thread of the network is not
  // this one; once, for all that hold a view.
  view_ptr view = std::make_shared<const core::cluster_view>(*before, next);
  node->replace_view(view);
  ++node->counters.epochs_adopted;
  node->log->info("supervisor: epoch {}, {} members, {} keyspaces",
                  to_string(next->id), next->members.size(),
                  next->keyspaces.size());
  for (size_t i = 0; i < children.size(); ++i)
    if (config.children[i].holds_view)
      self->send(caf::actor_cast<view_holder_actor>(children[i]),
                 epoch_atom::value, view);
  renew_links(*view);
}

void supervisor_state::renew_links(const core::cluster_view& view) {
  using kind = child_spec::kind;
  std::vector<bool> wanted(view.members());
  for (core::member_index m = 0; m < view.members(); ++m)
    wanted[m]
      = m != node->self && view.at(m).state != core::member_state::removed;
  std::vector<size_t> ended;
  for (size_t i = 0; i < config.children.size(); ++i)
    if (config.children[i].role == kind::link) {
      if (!wanted[config.children[i].peer])
        ended.push_back(i);
      wanted[config.children[i].peer] = false;
    }
  auto adds = config.make_link
              && std::find(wanted.begin(), wanted.end(), true) != wanted.end();
  if (ended.empty() && !adds)
    return;
  auto at = static_cast<size_t>(std::find_if(config.children.begin(),
                                             config.children.end(),
                                             [](const child_spec& x) {
                                               return x.role == kind::ticker;
                                             })
                                - config.children.begin());
  stop_from(at);
  for (auto i = ended.rbegin(); i != ended.rend(); ++i) {
    node->log->info("supervisor stops {}", config.children[*i].name);
    end_child(children[*i]);
    auto place = static_cast<ptrdiff_t>(*i);
    children.erase(children.begin() + place);
    config.children.erase(config.children.begin() + place);
    restarts.erase(restarts.begin() + place);
    --at;
  }
  for (core::member_index m = 0; adds && m < view.members(); ++m) {
    if (!wanted[m])
      continue;
    auto place = static_cast<ptrdiff_t>(at++);
    config.children.insert(config.children.begin() + place,
                           config.make_link(m));
    restarts.insert(restarts.begin() + place, 0);
  }
  start_from(children.size());
}

void supervisor_state::greet(wire::PeerHello& in) {
  auto view = node->newest_view();
  auto who = in.node().substr(0, 64);
  std::string why;
  auto from = view->member_of({in.member_high(), in.member_low()});
  if (in.target() != node->me().name)
    why = "this is " + node->me().name;
  else if (!from && view->epoch().find_member(in.node()))
    why = "member " + who + " of epoch " + to_string(view->id())
          + " has another id: its data directory was replaced, or it is of "
            "another cluster";
  else if (!from)
    why = "no member of epoch " + to_string(view->id()) + " is called " + who;
  else if (view->at(*from).state == core::member_state::removed)
    why = who + " was removed from the cluster";
  if (!from
      && view->id() < core::epoch_id{in.epoch_generation(), in.epoch_number()})
    ++node->epochs_missed;
  if (why.empty()) {
    auto link = find<local_peer_link_actor>(child_spec::kind::link, *from);
    if (link)
      self->delegate(link, std::move(in));
    return;
  }
  node->log->error("supervisor refuses a peer that calls itself {} and looks "
                   "for {}: {}",
                   who, in.target().substr(0, 64), why);
  wire::PeerWelcome out;
  out.set_session(in.session());
  out.set_code(static_cast<uint32_t>(errc::wrong_cluster));
  out.set_text(why);
  if (auto to = caf::actor_cast<peer_link_actor>(self->current_sender()))
    self->send(to, std::move(out));
}

} // namespace covey
