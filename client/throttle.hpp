// How much of what a client asks is sent to a node that refuses it.

#pragma once

#include <caf/actor_clock.hpp>

#include <algorithm>
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
/// its recovery is noticed. Where it serves nothing of what we send, and many
/// clients that ask seldom are each refused now and then, that little is too
/// much: then nothing is sent for a while that doubles each time, with jitter,
/// until something is served. Source: "Handling Overload" in Site Reliability
/// Engineering (O'Reilly, 2016), client-side throttling.
class throttle {
public:
  using time_point = caf::actor_clock::time_point;

  /// What the node did is remembered for one to two of these.
  static constexpr std::chrono::milliseconds window{1000};
  /// Requests a window that are not held back whatever the node does.
  static constexpr double allowance = 1;
  static constexpr double multiple = 2;

  /// Of these in a row, with nothing served between and for a while, the last
  /// begins a silence.
  static constexpr unsigned strikes = 2;
  static constexpr std::chrono::milliseconds drought{500};
  static constexpr std::chrono::milliseconds least_silence{100};
  static constexpr std::chrono::milliseconds most_silence{4000};

  /// Nothing is sent now.
  bool silent(time_point now) const {
    return now < silent_until_;
  }
  /// False if a request is refused here. `draw`: evenly from [0, 1).
  bool admits(time_point now, double draw) {
    if (silent(now))
      return false;
    turn(now);
    auto asked = static_cast<double>(now_.asked + before_.asked);
    auto served = static_cast<double>(now_.served + before_.served);
    if (draw >= (asked - multiple * served - allowance) / (asked + 1))
      return true;
    ++now_.asked;
    return false;
  }
  /// A request has ended; `served`: by an answer other than `overloaded`.
  /// `draw`: as above.
  void on_answer(time_point now, bool served, double draw) {
    judge(now, served, draw);
    turn(now);
    ++now_.asked;
    now_.served += served ? 1 : 0;
  }

private:
  struct counts {
    uint64_t asked = 0;
    uint64_t served = 0;
  };

  void judge(time_point now, bool served, double draw) {
    if (served) {
      refused_in_a_row_ = silences_ = 0;
      served_ = now;
      silent_until_ = {};
      return;
    }
    // What was sent before the silence says nothing of what it has changed.
    if (silent(now) || ++refused_in_a_row_ < strikes || now < served_ + drought)
      return;
    auto doublings = std::min(silences_++, 10u);
    auto most = std::min(least_silence * (1 << doublings), most_silence);
    silent_until_
      = now
        + std::chrono::duration_cast<time_point::duration>(most * (0.5 + draw));
  }

  void turn(time_point now) {
    if (now < since_ + window)
      return;
    before_ = now < since_ + 2 * window ? now_ : counts{};
    now_ = counts{};
    since_ = now;
  }

  unsigned refused_in_a_row_ = 0;
  unsigned silences_ = 0;
  time_point served_;
  time_point silent_until_;
  time_point since_;
  counts now_;
  counts before_;
};

} // namespace covey::client
