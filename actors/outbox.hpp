// When an actor sends what it has gathered: as soon as its mailbox is empty.

#pragma once

#include "messages/handles.hpp"

#include <caf/send.hpp>

namespace covey {

/// Calls `flush` now if nothing else waits in the mailbox, else once what waits
/// has been handled: a `go` to itself, at most one under way. Never a timer.
template <class Self, class Flush>
void flush_when_idle(Self* self, bool& armed, Flush flush) {
  if (armed)
    return;
  if (self->mailbox().empty()) {
    flush();
    return;
  }
  armed = true;
  self->send(self, go_atom::value);
}

} // namespace covey
