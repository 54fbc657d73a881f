// How many requests a client has under way to one node.

#pragma once

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace covey::client {

/// Requests beyond what a node answers in time only make all of them late, and
/// what they fill, its sockets, has no one to refuse them. So the window begins
/// small and grows with the answers that came in time while it was full: by one
/// with each that was quick, which doubles it in a round trip, and by a quarter
/// in a round trip else (slow start and congestion avoidance, RFC 5681; what
/// tells them apart is the wait, since many clients may fill the node
/// together). Once answers take longer than a quarter of the time that requests
/// were given, it is set to what the node answers in that time (Little's law).
class send_window {
public:
  using time_point = caf::actor_clock::time_point;
  using duration = time_point::duration;

  /// Worth waiting: this part of the time that a request was given.
  static constexpr int worthwhile = 4;
  /// Quick: this part of it. There is no queue to speak of.
  static constexpr int quick = 64;
  /// Else the window grows by one with so many full windows of answers.
  static constexpr size_t patience = 4;
  /// Answers are judged together: so many, or those of the longer time.
  static constexpr uint32_t enough = 8;
  static constexpr std::chrono::milliseconds shortest{200};
  static constexpr std::chrono::milliseconds longest{1000};

  /// Begins with `first` requests: many clients may meet a node at once.
  explicit send_window(size_t first = 1) : size_(first) {}

  size_t size() const {
    return size_;
  }
  /// Answers are late: no use in keeping more waiting than are under way.
  bool late() const {
    return late_;
  }
  /// A request that has `left` of its time would be answered too late, as
  /// answers have come of late: it takes the turn of one that would not.
  bool hopeless(time_point now, duration left) const {
    return now < since_ + 2 * longest && left < wait_ + wait_ / 2;
  }
  /// A request that was sent `waited` ago and given `given` in all has ended;
  /// `served`: by an answer other than a refusal. `full`: as many as the window
  /// allows were under way.
  void on_answer(time_point now, duration waited, duration given, bool served,
                 bool full) {
    if (answers_ == 0)
      since_ = std::max(since_, now - waited);
    ++answers_;
    served_ += served ? 1 : 0;
    waited_ += std::min(waited, given);
    waited_served_ += served ? waited : duration{0};
    given_ += given;
    if (full && served && waited * worthwhile < given)
      grow(waited * quick < given);
    auto length = now - since_;
    if ((answers_ >= enough && length >= shortest) || length >= longest)
      judge(now, length);
  }

private:
  void grow(bool at_once) {
    if (!at_once && ++grown_ < patience * size_)
      return;
    grown_ = 0;
    ++size_;
  }

  void judge(time_point now, duration length) {
    late_ = waited_ * worthwhile > given_;
    if (late_)
      size_ = std::max<size_t>(1, served_ * (given_ / answers_ / worthwhile)
                                    / length);
    wait_ = served_ > 0 ? waited_served_ / served_ : duration{0};
    since_ = now;
    answers_ = served_ = 0;
    waited_ = given_ = waited_served_ = duration{0};
  }

  size_t size_;
  /// Answers on the way to the next step.
  size_t grown_ = 0;
  bool late_ = false;
  time_point since_;
  uint32_t answers_ = 0;
  uint32_t served_ = 0;
  /// On average, of those served that were judged last.
  duration wait_{0};
  duration waited_served_{0};
  duration waited_{0};
  duration given_{0};
};

} // namespace covey::client
