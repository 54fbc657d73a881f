#include "core/paxos.hpp"

#include "core/bytes.hpp"

#include <algorithm>
#include <utility>

namespace covey::core {

namespace {

void append(byte_writer& out, const ballot& x) {
  out.u64(x.round);
  out.u64(x.member.high);
  out.u64(x.member.low);
  out.u64(x.life);
}

ballot read_ballot(byte_reader& in) {
  ballot result;
  result.round = in.u64();
  result.member.high = in.u64();
  result.member.low = in.u64();
  result.life = in.u64();
  return result;
}

} // namespace

std::string encode(const acceptor_state& x) {
  std::string result;
  byte_writer out{result};
  out.u8(1);
  out.u64(x.instance.generation);
  out.u64(x.instance.number);
  append(out, x.promised);
  append(out, x.accepted);
  out.bytes(x.value);
  return result;
}

std::optional<acceptor_state> decode_acceptor_state(std::string_view bytes) {
  byte_reader in{bytes};
  auto format = in.u8();
  acceptor_state result;
  result.instance.generation = in.u64();
  result.instance.number = in.u64();
  result.promised = read_ballot(in);
  result.accepted = read_ballot(in);
  result.value = in.bytes();
  // Nothing is accepted without a value, or above what was promised.
  if (format != 1 || !in.done() || encode(result) != bytes
      || result.promised < result.accepted
      || bool{result.accepted} == result.value.empty())
    return std::nullopt;
  return result;
}

acceptor::acceptor(const epoch_id& instance, const acceptor_state& stored) {
  if (stored.instance == instance)
    state_ = stored;
  else
    state_.instance = instance;
}

std::optional<acceptor::answer> acceptor::receive(const paxos_message& in) {
  auto proposes
    = in.verb == paxos_verb::prepare || in.verb == paxos_verb::accept;
  if (in.instance != state_.instance || !proposes || !in.number
      || (in.verb == paxos_verb::accept && in.value.empty()))
    return std::nullopt;
  answer result;
  auto& out = result.message;
  out.instance = in.instance;
  out.number = in.number;
  if (in.number < state_.promised) {
    out.verb = paxos_verb::refused;
    out.other = state_.promised;
    return result;
  }
  result.save = true;
  state_.promised = in.number;
  if (in.verb == paxos_verb::prepare) {
    out.verb = paxos_verb::promised;
    out.other = state_.accepted;
    out.value = state_.value;
    return result;
  }
  // One ballot has one value: what is there already is the same.
  if (state_.accepted != in.number) {
    state_.accepted = in.number;
    state_.value = in.value;
  }
  out.verb = paxos_verb::accepted;
  return result;
}

proposer::proposer(const proposer_config& config, const epoch_id& instance,
                   std::vector<uuid> voters, const uuid& self, uint64_t life)
  : config_(config), instance_(instance), voters_(std::move(voters)),
    backoff_(config.retry_min_ms, config.retry_max_ms), random_(life) {
  number_.member = self;
  number_.life = life;
}

void proposer::propose(std::string value, uint64_t now_ms) {
  own_ = std::move(value);
  if (phase_ == phase::idle)
    begin(now_ms);
}

void proposer::begin(uint64_t now_ms) {
  number_.round = ++highest_round_;
  phase_ = phase::preparing;
  until_ms_ = now_ms + config_.round_ms;
  heard_.clear();
  promises_.clear();
  best_ = {};
  value_.clear();
  out_ = paxos_message{paxos_verb::prepare, instance_, number_, {}, {}};
}

void proposer::give_way(uint64_t now_ms) {
  phase_ = phase::waiting;
  until_ms_ = now_ms + backoff_.next(random_());
  out_.reset();
}

void proposer::receive(const uuid& from, const paxos_message& in,
                       uint64_t now_ms) {
  auto running = phase_ == phase::preparing || phase_ == phase::accepting;
  if (!running || in.instance != instance_ || in.number != number_
      || std::find(voters_.begin(), voters_.end(), from) == voters_.end())
    return;
  heard_.insert(from);
  if (in.verb == paxos_verb::refused) {
    highest_round_ = std::max(highest_round_, in.other.round);
    give_way(now_ms);
  } else if (in.verb == paxos_verb::promised && phase_ == phase::preparing) {
    promised(from, in, now_ms);
  } else if (in.verb == paxos_verb::accepted && phase_ == phase::accepting
             && learner_.accepted_by(from)) {
    decided_ = value_;
    phase_ = phase::decided;
  }
}

void proposer::promised(const uuid& from, const paxos_message& in,
                        uint64_t now_ms) {
  promises_.insert(from);
  if (best_ < in.other) {
    best_ = in.other;
    value_ = in.value;
  }
  if (promises_.size() < voters_.size() / 2 + 1)
    return;
  // What may have been chosen comes before what we want.
  if (!best_) {
    value_ = own_;
    offered_ = offered_ || !own_.empty();
  }
  if (value_.empty()) {
    phase_ = phase::idle;
    return;
  }
  phase_ = phase::accepting;
  until_ms_ = now_ms + config_.round_ms;
  learner_ = learner{voters_.size()};
  out_ = paxos_message{paxos_verb::accept, instance_, number_, {}, value_};
}

void proposer::tick(uint64_t now_ms) {
  if (phase_ == phase::idle || phase_ == phase::decided || now_ms < until_ms_)
    return;
  if (phase_ == phase::waiting)
    begin(now_ms);
  else
    give_way(now_ms);
}

std::optional<paxos_message> proposer::take() {
  return std::exchange(out_, std::nullopt);
}

} // namespace covey::core
