// The comparison of a node's trees with those of one peer.

#pragma once

#include "core/exchange_messages.hpp"
#include "core/record.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace covey::core {

enum class side : uint8_t { own = 0, peer = 1 };

struct exchange_config {
  /// Slots that the first question sums up.
  uint32_t range_slots = 64;
  /// Questions under way, to both sides together.
  uint32_t max_open = 8;
  /// Keys of differing leaves that are looked at together, about.
  uint64_t cohort_keys = 65'536;
  uint32_t cohort_slots = 1'024;
  /// Between the two looks at a key that differs: writes in flight arrive.
  uint64_t pause_ms = 200;
  /// How long a question may stay unanswered.
  uint64_t patience_ms = 10'000;
  /// Rounds without a repair, and rounds in all, after which slots that differ
  /// still are left to a later exchange.
  uint32_t idle_rounds = 3;
  uint32_t max_rounds = 64;
};

struct exchange_ask {
  side whom = side::own;
  exchange_question question;
};

/// A record that one side lacks, or has an older version of.
struct exchange_repair {
  uint64_t id = 0;
  /// Who is to be given the record of the other side.
  side stale = side::own;
  uint32_t keyspace = 0;
  uint16_t slot = 0;
  std::string key;
};

/// Slots whose replicas have, at both nodes, all that either had at `began_ms`.
struct equal_slots {
  std::vector<uint16_t> slots;
  uint64_t began_ms = 0;
};

struct exchange_progress {
  /// Slots to compare, and those of them that were.
  uint64_t slots = 0;
  uint64_t compared = 0;
  /// Of those: trees differed.
  uint64_t differing = 0;
  /// Keys found stale at either side.
  uint64_t stale_keys = 0;
  /// Slots that a later exchange has to compare: trees not ready, questions
  /// not answered, records not stored, or always changing.
  uint64_t left = 0;
};

/// Asks both sides the same questions, from coarse to fine (Merkle 1987; as in
/// DeCandia et al. (Dynamo) 2007, section 4.7): sums of ranges of slots, roots
/// of the slots in ranges that differ, leaves of slots that differ, at the
/// lesser of both depths, keys of leaves that differ. Keys that differ are
/// looked at again after a pause; one that differs still and has not changed
/// is stale where merging the two versions makes another one (traps.md 35).
/// Slots that were repaired are then compared again.
///
/// A value told of answers and time. The caller, in turn:
/// 1. asks what `next_ask` says, while it may, and reports every answer with
///    `answered`, or else `failed`;
/// 2. hands over what `next_repair` says, and reports each with `repaired`;
/// 3. calls `tick` now and then, until `done`.
class exchange {
public:
  /// `shared`: the slots that both are homes of, sorted. `wanted`: those to
  /// compare, sorted, a subset. `policies`: of the keyspaces of the group.
  exchange(const exchange_config& config, std::vector<uint16_t> shared,
           std::vector<uint16_t> wanted,
           std::map<uint32_t, conflict_policy> policies, uint64_t now_ms);

  std::optional<exchange_ask> next_ask(uint64_t now_ms);
  /// Answers to questions that are not open are ignored.
  void answered(side from, exchange_answer answer, uint64_t now_ms);
  void failed(side from, uint64_t question, uint64_t now_ms);

  std::optional<exchange_repair> next_repair();
  void repaired(uint64_t id, bool durable, uint64_t now_ms);

  void tick(uint64_t now_ms);
  bool done() const {
    return step_ == step::done;
  }
  /// Slots found equal since the last call.
  std::vector<equal_slots> take_equal() {
    return std::exchange(equal_, {});
  }
  const exchange_progress& progress() const {
    return progress_;
  }

private:
  enum class step : uint8_t {
    sums,
    roots,
    leaves,
    keys,
    pause,
    versions,
    repairs,
    done
  };

  /// One question to both sides, which may answer it in pieces.
  struct inquiry {
    exchange_question question;
    struct way {
      size_t part = 0;
      std::string after;
      bool done = false;
      std::vector<slot_root> roots;
      std::vector<part_answer> parts;
    };
    std::array<way, 2> ways;
  };
  struct open_question {
    uint64_t inquiry = 0;
    side whom = side::own;
    uint64_t asked_ms = 0;
  };
  /// A key at both sides; no version hash where it is absent.
  struct difference {
    std::optional<uint64_t> own;
    std::optional<uint64_t> peer;
  };
  struct slot_state {
    uint8_t depth = 0;
    std::vector<uint32_t> leaves;
    std::map<uint64_t, difference> keys;
    /// Something was not answered, or not stored.
    bool failed = false;
    /// Something changed meanwhile, was repaired, or was too much for now.
    bool again = false;
  };
  using named_key = std::pair<uint32_t, std::string>;
  using versions_of_key = std::array<const exchanged_key*, 2>;

  void begin_round(std::vector<uint16_t> wanted, uint64_t now_ms);
  void add_ranges(question_kind kind, const std::vector<slot_range>& ranges);
  void add_inquiry(question_kind kind, std::vector<slot_range> ranges,
                   std::vector<slot_part> parts);
  size_t shared_in(const slot_range& r) const;
  /// False for an answer that is none to what was asked.
  bool accept(inquiry& x, side from, exchange_answer& answer) const;
  exchange_question question_for(const inquiry& x, side whom) const;
  /// Gives up what `number` asks about.
  void drop(uint64_t number);
  void finish(inquiry& x);
  void compare_sums(const inquiry& x);
  void compare_roots(const inquiry& x);
  static void compare_leaves(const part_answer& own, const part_answer& peer,
                             slot_state& s);
  static void compare_keys(const part_answer& own, const part_answer& peer,
                           slot_state& s);
  void compare_versions(const slot_part& part, const part_answer& own,
                        const part_answer& peer, slot_state& s);
  void judge(uint16_t slot, const named_key& name, const versions_of_key& v,
             slot_state& s);
  void add_repair(uint16_t slot, const named_key& name, side stale);
  /// Goes to the next step once nothing of this one is open.
  void go_on(uint64_t now_ms);
  void begin_cohort(uint64_t now_ms);
  void ask_leaves();
  void ask_keys();
  void ask_versions();
  void end_cohort();
  void tell_equal();
  void end_round(uint64_t now_ms);

  exchange_config config_;
  std::vector<uint16_t> shared_;
  std::map<uint32_t, conflict_policy> policies_;
  step step_ = step::sums;
  uint64_t round_began_ms_ = 0;
  uint32_t round_ = 0;
  uint32_t idle_ = 0;
  uint64_t round_repairs_ = 0;
  uint64_t last_id_ = 0;
  uint64_t pause_until_ms_ = 0;
  std::map<uint64_t, inquiry> inquiries_;
  std::deque<std::pair<uint64_t, side>> to_ask_;
  std::map<uint64_t, open_question> open_;
  std::vector<slot_range> unequal_ranges_;
  /// Slots that differ, with the depth to compare at.
  std::deque<std::pair<uint16_t, uint8_t>> unequal_;
  std::map<uint16_t, slot_state> cohort_;
  std::deque<exchange_repair> repairs_;
  std::map<uint64_t, uint16_t> repairing_;
  std::vector<uint16_t> equal_now_;
  std::vector<uint16_t> again_;
  std::vector<equal_slots> equal_;
  exchange_progress progress_;
};

} // namespace covey::core
