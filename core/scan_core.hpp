// What a scan waits for: pages of several homes, merged as far as all reach.

#pragma once

#include "core/consistency.hpp"
#include "core/record.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace covey::core {

/// One page of a scan over slots that share their homes. The caller reads from
/// the homes that each call names, reports each once, and answers when told to.
/// Pages of different homes end at different keys: the result ends where the
/// shortest does, so that what it covers was answered by enough homes.
class scan_core {
public:
  struct action {
    home_set read = 0;
    bool answer = false;
    bool fail = false;
  };
  /// A key and its merged record; views point into the pages collected here.
  using row = std::pair<std::string_view, record>;

  /// `order`: the homes that may be asked, best first; the others count as
  /// failed. `hash_tags`: the keyspace's rule, for the slots of keys.
  scan_core(requirement need, const home_order& order,
            conflict_policy policy, bool hash_tags)
    : need_(std::move(need)), order_(order), policy_(policy),
      hash_tags_(hash_tags) {}

  action start();
  action page_from(uint8_t home, std::string bytes);
  action failed(uint8_t home);
  /// The homes asked take longer than usual: asks one more.
  action slow();

  const std::vector<row>& rows() const {
    return rows_;
  }
  /// Where the next page starts; slot_count means that there is none.
  uint32_t next_slot() const {
    return next_slot_;
  }
  std::string_view next_after_key() const {
    return next_after_key_;
  }
  home_set answers() const {
    return answered_;
  }
  const requirement& need() const {
    return need_;
  }

private:
  action ask();
  bool conclude();

  requirement need_;
  home_order order_;
  conflict_policy policy_;
  bool hash_tags_;
  home_set asked_ = 0;
  home_set answered_ = 0;
  home_set failed_ = 0;
  bool closed_ = false;
  std::vector<std::string> pages_;
  std::vector<row> rows_;
  uint32_t next_slot_ = 0;
  std::string_view next_after_key_;
};

} // namespace covey::core
