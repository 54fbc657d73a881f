// Paxos: the acceptor's and the proposer's rules, then many seeds of a small
// world in which everything that may go wrong does.

#define CAF_SUITE core.paxos

#include "core/paxos.hpp"

#include <caf/test/unit_test.hpp>

#include <deque>
#include <map>

using namespace covey::core;

namespace {

const epoch_id next{1, 2};

uuid node(uint64_t i) {
  return {7, i + 1};
}

paxos_message prepare(uint64_t round, uint64_t who) {
  return {paxos_verb::prepare, next, {round, node(who), 1}, {}, {}};
}

paxos_message accept(uint64_t round, uint64_t who, const char* value) {
  return {paxos_verb::accept, next, {round, node(who), 1}, {}, value};
}

paxos_message promised(const ballot& b, const ballot& before = {},
                       const char* value = "") {
  return {paxos_verb::promised, next, b, before, value};
}

uint64_t round_of(proposer& x) {
  auto out = x.take();
  return out ? out->number.round : 0;
}

std::vector<uuid> nodes(uint64_t n) {
  std::vector<uuid> result;
  for (uint64_t i = 0; i < n; ++i)
    result.push_back(node(i));
  return result;
}

// -- a small world

constexpr size_t acceptors = 5;
constexpr size_t proposers = 3;

enum class planted { none, forgets_on_crash, answers_before_flush };

struct packet {
  uint64_t at;
  size_t from;
  size_t to;
  paxos_message what;
};

/// The answer goes out once the state is on disk.
struct save {
  uint64_t at;
  std::string bytes;
  packet answer;
};

struct place {
  bool up = true;
  uint64_t back_at = 0;
  acceptor votes;
  std::string disk;
  std::deque<save> saving;
  std::optional<proposer> wants;
};

class world {
public:
  world(uint64_t seed, planted bug) : random_(seed), bug_(bug) {
    loss_ = random_() % 40;
    duplicates_ = random_() % 30;
    max_delay_ms_ = 1 + random_() % 120;
    max_flush_ms_ = 1 + random_() % 100;
    crashes_ = 1 + random_() % 30;
    for (size_t i = 0; i < acceptors; ++i)
      start(i);
  }

  /// Three seconds of faults, then as long as it takes, at most a minute.
  void run() {
    while (now_ < 3000 || (!all_decided() && now_ < 63'000)) {
      now_ += 5;
      if (now_ == 3000)
        heal();
      if (now_ < 3000)
        hurt();
      flush();
      deliver();
      for (auto& x : places_)
        if (x.up && x.wants)
          x.wants->tick(now_);
      for (size_t i = 0; i < proposers; ++i)
        speak(i);
    }
  }

  bool all_decided() const {
    for (size_t i = 0; i < proposers; ++i)
      if (!places_[i].wants->decided())
        return false;
    return true;
  }

  /// What was ever chosen: learnt by a proposer, or on the disks of a majority
  /// under one ballot.
  std::set<std::string> chosen;

private:
  size_t die(uint64_t n) {
    return random_() % n;
  }

  void start(size_t i) {
    auto& x = places_[i];
    acceptor_state stored;
    if (!x.disk.empty() && bug_ != planted::forgets_on_crash)
      stored = decode_acceptor_state(x.disk).value();
    x.votes = acceptor{next, stored};
    x.saving.clear();
    x.up = true;
    want(i);
  }

  /// A new life of the proposer, which wants something else.
  void want(size_t i) {
    if (i >= proposers)
      return;
    places_[i].wants.emplace(proposer_config{200, 20, 800}, next,
                             nodes(acceptors), node(i), random_());
    places_[i].wants->propose(std::to_string(i) + " in " + std::to_string(now_),
                              now_);
  }

  void crash(size_t i) {
    places_[i].up = false;
    places_[i].back_at = now_ + die(600);
  }

  void hurt() {
    for (size_t i = 0; i < acceptors; ++i) {
      auto& x = places_[i];
      if (x.up && die(5000) < crashes_)
        crash(i);
      else if (!x.up && now_ >= x.back_at)
        start(i);
      else if (x.up && die(200) == 0)
        want(i);
    }
    if (die(10'000) < crashes_)
      for (size_t i = 0; i < acceptors; ++i)
        if (places_[i].up)
          crash(i);
  }

  void heal() {
    loss_ = duplicates_ = 0;
    for (size_t i = 0; i < acceptors; ++i)
      if (!places_[i].up)
        start(i);
  }

  void send(packet x) {
    if (die(100) < loss_)
      return;
    x.at = now_ + die(max_delay_ms_);
    if (die(100) < duplicates_) {
      auto copy = x;
      copy.at = now_ + die(10 * max_delay_ms_);
      network_.push_back(std::move(copy));
    }
    network_.push_back(std::move(x));
  }

  void speak(size_t i) {
    auto& x = places_[i];
    if (!x.up)
      return;
    if (auto out = x.wants->take())
      for (size_t to = 0; to < acceptors; ++to)
        send({0, i, to, *out});
    if (x.wants->decided())
      chosen.insert(*x.wants->decided());
  }

  void flush() {
    for (auto& x : places_)
      while (x.up && !x.saving.empty() && x.saving.front().at <= now_) {
        x.disk = x.saving.front().bytes;
        note_accepted(x);
        if (bug_ != planted::answers_before_flush)
          send(std::move(x.saving.front().answer));
        x.saving.pop_front();
      }
  }

  void note_accepted(const place& x) {
    auto state = decode_acceptor_state(x.disk).value();
    if (!state.accepted)
      return;
    auto& who = accepted_[state.accepted];
    who.insert(&x);
    if (who.size() > acceptors / 2)
      chosen.insert(state.value);
  }

  void deliver() {
    // In no order but that of the delays.
    for (size_t i = 0; i < network_.size();) {
      if (network_[i].at > now_) {
        ++i;
        continue;
      }
      auto x = std::move(network_[i]);
      network_[i] = std::move(network_.back());
      network_.pop_back();
      if (places_[x.to].up)
        take(x);
    }
  }

  void take(const packet& in) {
    auto& x = places_[in.to];
    if (in.what.verb >= paxos_verb::promised) {
      if (x.wants)
        x.wants->receive(node(in.from), in.what, now_);
      return;
    }
    auto answer = x.votes.receive(in.what);
    CAF_REQUIRE(answer.has_value());
    packet out{0, in.to, in.from, answer->message};
    if (answer->save) {
      if (bug_ == planted::answers_before_flush)
        send(out);
      x.saving.push_back(
        {now_ + die(max_flush_ms_), encode(x.votes.state()), out});
    } else {
      send(out);
    }
  }

  std::mt19937_64 random_;
  planted bug_;
  uint64_t loss_;
  uint64_t duplicates_;
  uint64_t max_delay_ms_;
  uint64_t max_flush_ms_;
  uint64_t crashes_;
  uint64_t now_ = 0;
  place places_[acceptors];
  std::vector<packet> network_;
  std::map<ballot, std::set<const place*>> accepted_;
};

/// The first seed below `seeds` under which two values are chosen.
std::optional<uint64_t> first_broken(planted bug, uint64_t seeds) {
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    world x{seed, bug};
    x.run();
    if (x.chosen.size() > 1)
      return seed;
  }
  return std::nullopt;
}

} // namespace

// -- the acceptor

CAF_TEST(an acceptor promises the highest ballot only and says what it took) {
  acceptor x{next, {}};
  auto a = x.receive(prepare(2, 0));
  CAF_REQUIRE(a.has_value());
  CAF_CHECK(a->message.verb == paxos_verb::promised);
  CAF_CHECK(a->save);
  CAF_CHECK(!a->message.other);
  a = x.receive(prepare(1, 4));
  CAF_REQUIRE(a.has_value());
  CAF_CHECK(a->message.verb == paxos_verb::refused);
  CAF_CHECK(!a->save);
  CAF_CHECK_EQUAL(a->message.other.round, 2u);
  a = x.receive(accept(1, 4, "late"));
  CAF_CHECK(a->message.verb == paxos_verb::refused);
  a = x.receive(accept(2, 0, "first"));
  CAF_CHECK(a->message.verb == paxos_verb::accepted);
  CAF_CHECK(a->save);
  a = x.receive(prepare(2, 1));
  CAF_CHECK(a->message.verb == paxos_verb::promised);
  CAF_CHECK_EQUAL(a->message.value, "first");
  CAF_CHECK_EQUAL(a->message.other.round, 2u);
}

CAF_TEST(whatever binds an acceptor is saved before it is said) {
  acceptor x{next, {}};
  CAF_CHECK(x.receive(prepare(1, 0))->save);
  // The first may be on its way to the disk only.
  CAF_CHECK(x.receive(prepare(1, 0))->save);
  CAF_CHECK(x.receive(accept(1, 0, "v"))->save);
  CAF_CHECK(x.receive(accept(1, 0, "v"))->save);
  // An accept whose prepare was lost is a promise as well.
  CAF_CHECK(x.receive(accept(3, 0, "w"))->save);
  auto refused = x.receive(prepare(2, 0));
  CAF_CHECK(refused->message.verb == paxos_verb::refused);
  CAF_CHECK(!refused->save);
}

CAF_TEST(an acceptor answers nothing but proposals for its own epoch) {
  acceptor x{next, {}};
  for (auto id : {epoch_id{1, 1}, epoch_id{1, 3}, epoch_id{2, 2}}) {
    auto in = prepare(1, 0);
    in.instance = id;
    CAF_CHECK(!x.receive(in));
  }
  CAF_CHECK(!x.receive(promised({1, node(0), 1})));
  CAF_CHECK(!x.receive(prepare(0, 0)));
  CAF_CHECK(!x.receive(accept(1, 0, "")));
  CAF_CHECK(!x.state().promised);
}

CAF_TEST(
  an acceptor goes on with what the disk has unless the epoch is decided) {
  acceptor x{next, {}};
  x.receive(accept(4, 2, "v"));
  auto stored = decode_acceptor_state(encode(x.state())).value();
  acceptor again{next, stored};
  CAF_CHECK(again.receive(prepare(3, 0))->message.verb == paxos_verb::refused);
  auto a = again.receive(prepare(5, 0));
  CAF_CHECK_EQUAL(a->message.value, "v");
  acceptor later{{1, 3}, stored};
  CAF_CHECK(!later.state().promised);
  CAF_CHECK(later.state().instance == (epoch_id{1, 3}));
}

CAF_TEST(damaged states are refused) {
  acceptor x{next, {}};
  x.receive(accept(4, 2, "v"));
  auto bytes = encode(x.state());
  for (size_t n = 0; n < bytes.size(); ++n)
    CAF_CHECK(!decode_acceptor_state(bytes.substr(0, n)));
  CAF_CHECK(!decode_acceptor_state(bytes + '\0'));
  auto other = bytes;
  other[0] = 2;
  CAF_CHECK(!decode_acceptor_state(other));
  auto state = x.state();
  state.value.clear();
  CAF_CHECK(!decode_acceptor_state(encode(state)));
  state = x.state();
  state.promised.round = 3;
  CAF_CHECK(!decode_acceptor_state(encode(state)));
}

// -- the proposer

CAF_TEST(a proposer sends the highest value that was accepted before its own) {
  proposer x{{}, next, nodes(5), node(0), 1};
  x.propose("mine", 0);
  auto out = x.take();
  CAF_REQUIRE(out.has_value());
  auto b = out->number;
  x.receive(node(1), promised(b, {3, node(1), 1}, "older"), 1);
  x.receive(node(2), promised(b, {4, node(1), 1}, "newer"), 1);
  CAF_CHECK(!x.take());
  // Twice from one voter is once.
  x.receive(node(2), promised(b, {4, node(1), 1}, "newer"), 1);
  CAF_CHECK(!x.take());
  x.receive(node(9), promised(b), 1);
  CAF_CHECK(!x.take());
  x.receive(node(3), promised(b), 1);
  out = x.take();
  CAF_REQUIRE(out.has_value());
  CAF_CHECK(out->verb == paxos_verb::accept);
  CAF_CHECK_EQUAL(out->value, "newer");
  for (uint64_t i = 0; i < 3; ++i) {
    CAF_CHECK(!x.decided());
    x.receive(node(i), {paxos_verb::accepted, next, b, {}, {}}, 2);
  }
  CAF_CHECK(x.decided() == "newer");
}

CAF_TEST(a proposer without a value completes what is open or stops) {
  proposer x{{}, next, nodes(3), node(0), 1};
  x.propose({}, 0);
  auto b = x.take().value().number;
  x.receive(node(1), promised(b), 0);
  x.receive(node(2), promised(b), 0);
  CAF_CHECK(x.idle());
  CAF_CHECK(!x.take());
  x.propose({}, 5);
  auto c = x.take().value().number;
  CAF_CHECK(b < c);
  x.receive(node(1), promised(c), 5);
  x.receive(node(2), promised(c, {1, node(2), 8}, "open"), 5);
  auto out = x.take();
  CAF_REQUIRE(out.has_value());
  CAF_CHECK_EQUAL(out->value, "open");
}

CAF_TEST(a proposer that is refused or not answered tries a higher ballot) {
  proposer x{{100, 50, 400}, next, nodes(3), node(0), 1};
  x.propose("mine", 0);
  auto b = x.take().value().number;
  x.receive(node(1), {paxos_verb::refused, next, b, {7, node(2), 1}, {}}, 10);
  CAF_CHECK(!x.take());
  x.tick(10 + 50);
  auto c = x.take().value().number;
  CAF_CHECK_EQUAL(c.round, 8u);
  // Answers to the round before count no more.
  x.receive(node(1), promised(b), 61);
  x.receive(node(2), promised(b), 61);
  CAF_CHECK(!x.take());
  x.tick(60 + 99);
  CAF_CHECK(!x.take());
  x.tick(60 + 100);
  x.tick(60 + 100 + 100);
  CAF_CHECK_EQUAL(round_of(x), 9u);
}

// -- the world

CAF_TEST(no two values are ever chosen and one is once the faults end) {
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    world x{seed, planted::none};
    x.run();
    if (x.chosen.size() != 1 || !x.all_decided())
      CAF_FAIL("seed " << seed << ": " << x.chosen.size()
                       << " values are chosen, all proposers know: "
                       << x.all_decided());
  }
}

CAF_TEST(acceptors that forget are found) {
  auto seed = first_broken(planted::forgets_on_crash, 10'000);
  CAF_REQUIRE(seed.has_value());
  CAF_MESSAGE("acceptors that lose their disk choose twice under seed "
              << *seed);
}

CAF_TEST(acceptors that answer before the flush are found) {
  auto seed = first_broken(planted::answers_before_flush, 10'000);
  CAF_REQUIRE(seed.has_value());
  CAF_MESSAGE("answers before the flush choose twice under seed " << *seed);
}
