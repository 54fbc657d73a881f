// What a get waits for: a value that is told events and says what to do.

#pragma once

#include "core/consistency.hpp"
#include "core/record.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace covey::core {

/// One get over the homes of a slot. One home is read in full, the others that
/// the level needs are asked for digests (`version_hash`); a home whose digest
/// differs from all records collected is read in full as well. The caller's
/// part:
/// 1. do what each call returns: read the record of some homes, the digest (or
///    the record: small ones are not worth a digest) of others, write the
///    merged record to some, answer the client (at most one of answer and fail,
///    once);
/// 2. report each home asked to read once, as record, digest or failed; each
///    home asked to repair once, as repaired or repair_failed; when a read
///    takes longer than usual, report that too;
/// 3. forget the request when `settled`, or at its deadline.
///
/// At levels that overlap themselves the answer waits until the merged record
/// is durable on enough homes to meet the level, so that reads never go
/// backwards (traps.md 16). A merge that changes nothing writes nothing.
class get_core {
public:
  struct action {
    home_set read = 0;
    home_set digest = 0;
    home_set repair = 0;
    bool answer = false;
    bool fail = false;
  };

  /// `order`: the homes that may be asked, best first; the others count as
  /// failed.
  get_core(requirement need, const home_order& order, conflict_policy policy)
    : need_(std::move(need)), order_(order), policy_(policy) {}

  action start();
  /// `bytes`: the record of `home`, empty if it has none.
  action record_from(uint8_t home, std::string bytes);
  /// `hash`: the `version_hash` of the record of `home`, which was asked for
  /// its digest.
  action digest_from(uint8_t home, uint64_t hash);
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
  /// True while records or digests are waited for.
  bool reading() const {
    return !merged_done_ && !closed_;
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
  /// Homes asked to read that have not answered.
  home_set awaited() const {
    return full_awaited_ | digest_awaited_;
  }
  /// Homes that are being given the merged record.
  home_set repairing() const {
    return repairing_;
  }
  const requirement& need() const {
    return need_;
  }

private:
  struct collected {
    std::string bytes;
    record parsed;
    std::optional<uint64_t> hash;
  };

  action ask_more();
  /// After an answer: what is known now, and what follows.
  action progress();
  /// Finds the records that digests stand for.
  void match_digests();
  std::optional<size_t> record_of_hash(uint64_t hash);
  /// Reads in full those whose digests match nothing.
  void fetch_differing(action& what);
  void ask_in_full(home_set homes, action& what);
  void ask_for_digests(home_set homes, action& what);
  void resolve(uint8_t home, size_t index);
  action conclude();
  action judge_repair(action so_far);
  /// The first by preference among `homes`; none if it is empty.
  home_set first_of(home_set homes) const;
  home_set usable() const;

  requirement need_;
  home_order order_;
  conflict_policy policy_;
  home_set asked_ = 0;
  home_set full_awaited_ = 0;
  home_set digest_awaited_ = 0;
  home_set answered_ = 0;
  home_set failed_ = 0;
  /// Homes whose record is among those collected, and which.
  home_set resolved_ = 0;
  std::array<uint8_t, home_order::capacity> index_of_{};
  std::array<uint64_t, home_order::capacity> digests_{};
  /// Homes that hold the merged record on disk, and those being given it.
  home_set current_ = 0;
  home_set repairing_ = 0;
  bool got_record_ = false;
  bool merged_done_ = false;
  bool closed_ = false;
  /// Different records. Room for all is taken at once: views into it must stay.
  std::vector<collected> records_;
  record merged_;
  std::string merged_bytes_;
};

} // namespace covey::core
