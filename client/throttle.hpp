// How much of what a client asks is sent to a node that refuses it.

#pragma once

#include <caf/actor_clock.hpp>

#include <chrono>
#include <cstdint>

namespace covey::client {

/// A refusal costs an overloaded node nearly as much as an answer. So what
/// would be refused anyway is refused at the client, with a probability that
/// follows what became of the last seconds' requests:
///   max(0, (asked - 2 * served - allowance) / (asked + 1)),
/// where `asked` are those that were served, refused by the node, or refused
/// here; what is still under way counts for nothing.
/// The node then gets about twice what it serves, and a little always, so that
/// its recovery is noticed. Source: "Handling Overload" in Site Reliability
/// Engineering (O'Reilly, 2016), client-side throttling.
class throttle {
public:
  using time_point = caf::actor_clock::time_point;

  /// What the node did is remembered for one to two of these.
  static constexpr std::chrono::milliseconds window{500};
  /// Requests a window that are not held back whatever the node does.
  static constexpr double allowance = 4;
  static constexpr double multiple = 2;

  /// False if a request is refused here. `draw`: evenly from [0, 1).
  bool admits(time_point now, double draw) {
    turn(now);
    auto asked = static_cast<double>(now_.asked + before_.asked);
    auto served = static_cast<double>(now_.served + before_.served);
    if (draw >= (asked - multiple * served - allowance) / (asked + 1))
      return true;
    ++now_.asked;
    return false;
  }
  /// The node answered a request; `served`: anything but `overloaded`.
  void on_answer(time_point now, bool served) {
    turn(now);
    ++now_.asked;
    now_.served += served ? 1 : 0;
  }

private:
  struct counts {
    uint64_t asked = 0;
    uint64_t served = 0;
  };

  void turn(time_point now) {
    if (now < since_ + window)
      return;
    before_ = now < since_ + 2 * window ? now_ : counts{};
    now_ = counts{};
    since_ = now;
  }

  time_point since_;
  counts now_;
  counts before_;
};

} // namespace covey::client
