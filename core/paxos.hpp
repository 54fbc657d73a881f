// Single-decree Paxos: how the members decide which epoch is the next.
// Source: Lamport, Paxos Made Simple, 2001.

#pragma once

#include "core/backoff.hpp"
#include "core/epoch.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace covey::core {

/// Names one attempt of one proposer to decide: no two attempts share one, also
/// across restarts, since no two proposers share a life.
struct ballot {
  uint64_t round = 0;
  uuid member;
  /// Unique to the run of the process, and to the actor within it.
  uint64_t life = 0;

  explicit operator bool() const {
    return round != 0;
  }
};

inline bool operator==(const ballot& x, const ballot& y) {
  return x.round == y.round && x.member == y.member && x.life == y.life;
}
inline bool operator!=(const ballot& x, const ballot& y) {
  return !(x == y);
}
inline bool operator<(const ballot& x, const ballot& y) {
  return std::tie(x.round, x.member, x.life)
         < std::tie(y.round, y.member, y.life);
}

/// DO NOT REORDER: these numbers travel.
enum class paxos_verb : uint8_t {
  // From proposers.
  prepare = 1,
  /// With the value.
  accept = 2,
  // From acceptors.
  /// With what was accepted before, if there is such.
  promised = 3,
  accepted = 4,
  /// A higher ballot was promised: `other`.
  refused = 5,
};

struct paxos_message {
  paxos_verb verb = paxos_verb::prepare;
  /// The epoch that is being decided.
  epoch_id instance;
  /// Of the proposer's round, also in answers.
  ballot number;
  /// promised: under which `value` was accepted. refused: what was promised.
  ballot other;
  /// An epoch's bytes.
  std::string value;
};

/// What an acceptor must never forget.
struct acceptor_state {
  epoch_id instance;
  ballot promised;
  ballot accepted;
  std::string value;
};

/// Bytes, format 1 (docs/format/epoch.md).
std::string encode(const acceptor_state& x);
std::optional<acceptor_state> decode_acceptor_state(std::string_view bytes);

/// The vote of one member on one epoch.
class acceptor {
public:
  acceptor() = default;
  /// Goes on with what the disk remembers if that is of `instance`.
  acceptor(const epoch_id& instance, const acceptor_state& stored);

  struct answer {
    paxos_message message;
    /// `state()` must be on disk before `message` is sent. Also when it is as
    /// it was: it may be on its way to the disk only.
    bool save = false;
  };
  /// Nothing for other instances and for what is no proposer's. The caller asks
  /// no acceptor whose disk may have forgotten: amnesia decides twice.
  std::optional<answer> receive(const paxos_message& in);

  const acceptor_state& state() const {
    return state_;
  }

private:
  acceptor_state state_;
};

/// Learns what was chosen from answers to one ballot: chosen is what a majority
/// of the voters accepted under it.
class learner {
public:
  explicit learner(size_t voters = 0) : majority_(voters / 2 + 1) {}

  /// True once a majority has.
  bool accepted_by(const uuid& voter) {
    voters_.insert(voter);
    return voters_.size() >= majority_;
  }

private:
  size_t majority_;
  std::set<uuid> voters_;
};

struct proposer_config {
  /// A round that has not ended by then is given up.
  uint64_t round_ms = 1000;
  /// Between rounds, doubling, with jitter: proposers that duel give way.
  uint64_t retry_min_ms = 50;
  uint64_t retry_max_ms = 2000;
};

/// Gets one epoch decided: its own value, or the one that may have been chosen
/// before.
class proposer {
public:
  /// `voters` decide; `self` need not be one of them. One proposer an instance
  /// and life: its rounds must not begin anew. `life` seeds the jitter too.
  proposer(const proposer_config& config, const epoch_id& instance,
           std::vector<uuid> voters, const uuid& self, uint64_t life);

  /// Begins a round, or has the one under way go on with `value` if that was
  /// not sent yet. Without a value it only completes what was left open.
  void propose(std::string value, uint64_t now_ms);
  void receive(const uuid& from, const paxos_message& in, uint64_t now_ms);
  void tick(uint64_t now_ms);

  /// What is to be sent to each voter now, if anything.
  std::optional<paxos_message> take();
  const std::vector<uuid>& voters() const {
    return voters_;
  }

  /// The value that was chosen.
  const std::optional<std::string>& decided() const {
    return decided_;
  }
  /// Nothing was open and there was no value of its own.
  bool idle() const {
    return phase_ == phase::idle;
  }
  /// Of the round under way, or of the last one: voters that have answered.
  size_t heard() const {
    return heard_.size();
  }
  /// A value of its own was sent to be accepted: it may be chosen yet.
  bool offered() const {
    return offered_;
  }
  const epoch_id& instance() const {
    return instance_;
  }

private:
  enum class phase : uint8_t { idle, preparing, accepting, waiting, decided };

  void begin(uint64_t now_ms);
  void promised(const uuid& from, const paxos_message& in, uint64_t now_ms);
  void give_way(uint64_t now_ms);

  proposer_config config_;
  epoch_id instance_;
  std::vector<uuid> voters_;
  ballot number_;
  uint64_t highest_round_ = 0;
  std::string own_;
  phase phase_ = phase::idle;
  /// Of `preparing` and `accepting`: when it is given up. Of `waiting`: when
  /// the next begins.
  uint64_t until_ms_ = 0;
  std::set<uuid> heard_;
  std::set<uuid> promises_;
  ballot best_;
  std::string value_;
  bool offered_ = false;
  learner learner_;
  std::optional<std::string> decided_;
  std::optional<paxos_message> out_;
  backoff backoff_;
  std::mt19937_64 random_;
};

} // namespace covey::core
