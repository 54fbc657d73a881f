// Actors that run on the thread of the network.

#pragma once

#include <caf/io/middleman.hpp>
#include <caf/stateful_actor.hpp>

namespace covey {

/// An actor whose messages are handled by the middleman's event loop, if the
/// system has one: what arrives from the network then goes through the actors
/// of the data path, and back, without a change of threads. It must not block
/// for longer than the loop may be silent. Without a middleman (in tests and in
/// the simulation) it is an actor like any other.
///
/// Spawned detached it has a thread of its own as usual.
template <class State, class Base>
class loop_actor : public caf::stateful_actor<State, Base> {
public:
  using super = caf::stateful_actor<State, Base>;

  template <class... Ts>
  explicit loop_actor(caf::actor_config& cfg, Ts&&... xs)
    : super(cfg, std::forward<Ts>(xs)...) {
    auto& sys = this->system();
    if (sys.has_middleman())
      loop_ = &sys.middleman().backend();
  }

  using super::enqueue;

  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* where) override {
    super::enqueue(std::move(what), loop_ != nullptr ? loop_ : where);
  }

  /// The loop keeps what brokers are, and hands everything else on.
  caf::resumable::subtype_t subtype() const override {
    return loop_ != nullptr ? caf::resumable::io_actor : super::subtype();
  }

private:
  caf::execution_unit* loop_ = nullptr;
};

/// What functions that implement such an actor take first.
template <class Handle, class State>
using loop_pointer = loop_actor<State, typename Handle::base>*;

} // namespace covey
