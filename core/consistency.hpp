// Consistency levels and their arithmetic.

#pragma once

#include "core/epoch.hpp"
#include "core/home_order.hpp"
#include "core/home_set.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey::core {

/// What a level asks of the homes of one slot: `count` answers from each of
/// some sets. Values of at most 16 homes.
class requirement {
public:
  struct part {
    home_set among = 0;
    uint32_t count = 0;
  };

  /// True once the homes in `answered` are enough.
  bool met(home_set answered) const;
  /// True while it can still be met when the homes in `failed` never answer.
  bool possible(home_set failed) const;
  /// A smallest set of homes that meets it, chosen from the front of `order`
  /// (places in the preference list, best first). Empty if none does.
  home_set choose(const home_order& order) const;
  /// Answers asked for in total, for messages to people.
  uint32_t needed() const;
  /// True for a level at which two requirements of the same keyspace always
  /// share a home: reads then see what was acknowledged, never go backwards,
  /// and are repaired before they are answered.
  bool overlaps_itself() const {
    return overlaps_itself_;
  }

  std::vector<part> parts;

private:
  friend std::optional<requirement>
  requirement_of(const consistency&, const std::vector<std::string>&,
                 std::string_view);
  friend std::optional<requirement>
  requirement_of_move(const consistency&, const std::vector<std::string>&,
                      home_set, home_set, std::string_view);
  bool overlaps_itself_ = false;
};

/// The requirement of `level` for homes in the data centres `data_centres` (one
/// entry a home, in order) as seen from `local`. Nothing if it cannot be met by
/// design: a number above the homes, or a LOCAL level where no home is local.
/// QUORUM is a majority of all homes, EACH_QUORUM one of each data centre,
/// LOCAL_QUORUM one of the local. `level` must not be `keyspace_default`.
std::optional<requirement>
requirement_of(const consistency& level,
               const std::vector<std::string>& data_centres,
               std::string_view local);

/// The requirement of a write to a slot that moves: `level` among the homes of
/// before, and `level` among those of after (traps.md 28: not one more than
/// usual, but both). The sets are of places of `data_centres`. Nothing if it
/// cannot be met by design in one of them.
std::optional<requirement>
requirement_of_move(const consistency& level,
                    const std::vector<std::string>& data_centres,
                    home_set before, home_set after, std::string_view local);

} // namespace covey::core
