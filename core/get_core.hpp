// What a get waits for: a value that is told events and says what to do.

#pragma once

#include "core/consistency.hpp"
#include "core/record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace covey::core {

/// One get over the homes of a slot. The caller's part:
/// 1. do what each call returns: read from those homes, write the merged record
///    to those homes, answer the client (at most one of answer and fail, once);
/// 2. report each home asked to read once, as record or failed; each home asked
///    to repair once, as repaired or repair_failed; when a read takes longer
///    than usual, report that too;
/// 3. forget the request when `settled`, or at its deadline.
///
/// At levels that overlap themselves the answer waits until the merged record
/// is durable on enough homes to meet the level, so that reads never go
/// backwards (traps.md 16). A merge that changes nothing writes nothing.
class get_core {
public:
  struct action {
    home_set read = 0;
    home_set repair = 0;
    bool answer = false;
    bool fail = false;
  };

  /// `order`: the homes that may be asked, best first; the others count as
  /// failed.
  get_core(requirement need, std::vector<uint8_t> order, conflict_policy policy)
    : need_(std::move(need)), order_(std::move(order)), policy_(policy) {}

  action start();
  /// `bytes`: the record of `home`, empty if it has none.
  action record_from(uint8_t home, std::string bytes);
  action failed(uint8_t home);
  action repaired(uint8_t home);
  action repair_failed(uint8_t home);
  /// The homes asked take longer than usual: reads from one more, or repairs
  /// one more.
  action slow();

  /// The merged record; views point into the records collected here. Only once
  /// an action said `repair` or `answer`.
  const record& merged() const {
    return merged_;
  }
  /// Its bytes, for repairs.
  const std::string& merged_bytes() const {
    return merged_bytes_;
  }

  bool answered() const {
    return closed_;
  }
  /// Marks the client as answered for a reason from outside (deadline).
  void close() {
    closed_ = true;
  }
  bool settled() const {
    return closed_ && repairing_ == 0;
  }
  home_set answers() const {
    return answered_;
  }
  const requirement& need() const {
    return need_;
  }

private:
  action ask_more();
  action conclude();
  action judge_repair(action so_far);
  /// A home that may be asked and was not yet; order_.size() if none is left.
  size_t next_unasked() const;
  home_set usable() const;

  requirement need_;
  std::vector<uint8_t> order_;
  conflict_policy policy_;
  home_set asked_ = 0;
  home_set answered_ = 0;
  home_set failed_ = 0;
  /// Homes that hold the merged record on disk, and those being given it.
  home_set current_ = 0;
  home_set repairing_ = 0;
  bool merged_done_ = false;
  bool closed_ = false;
  /// Place and bytes of each record collected. A list: views into it must stay.
  std::vector<std::pair<uint8_t, std::string>> records_;
  record merged_;
  std::string merged_bytes_;
};

} // namespace covey::core
