// Answers gathered by who asked, so that each gets one message.

#pragma once

#include <utility>
#include <vector>

namespace covey {

/// Items by handle, in the order in which the handles were first seen. Few
/// handles at a time: a search looks at all of them.
template <class Handle, class Item>
class grouped {
public:
  void add(const Handle& to, Item item) {
    for (auto& group : groups_)
      if (group.first == to) {
        group.second.push_back(std::move(item));
        return;
      }
    groups_.emplace_back(to, std::vector<Item>{});
    groups_.back().second.push_back(std::move(item));
  }

  /// Calls `f(handle, items)` for each and forgets them.
  template <class F>
  void take_all(F f) {
    for (auto& [to, items] : groups_)
      f(to, std::move(items));
    groups_.clear();
  }

private:
  std::vector<std::pair<Handle, std::vector<Item>>> groups_;
};

} // namespace covey
