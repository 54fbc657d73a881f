// How a node goes on with a new epoch.

#include "actors/supervisor.hpp"

namespace covey {

void supervisor_state::adopt(const epoch_ptr& next) {
  auto before = node->newest_view();
  // Whoever brings epochs may bring one twice.
  if (stopping || !(before->id() < next->id))
    return;
  if (auto why = core::why_not_follows(before->epoch(), *next); !why.empty()) {
    node->log->error("supervisor refuses epoch {}.{}: {}", next->id.generation,
                     next->id.number, why);
    return;
  }
  // Here, since it takes milliseconds, and the thread of the network is not
  // this one; once, for all that hold a view.
  auto view = std::make_shared<const core::cluster_view>(*before, next);
  node->replace_view(view);
  node->log->info("supervisor: epoch {}.{}, {} members, {} keyspaces",
                  next->id.generation, next->id.number, next->members.size(),
                  next->keyspaces.size());
  for (size_t i = 0; i < children.size(); ++i)
    if (config.children[i].holds_view)
      self->send(caf::actor_cast<view_holder_actor>(children[i]),
                 epoch_atom::value, view_ptr{view});
}

} // namespace covey
